"""Seen: routes, grouped by area. A view reads through `find`, calls one action, and presents."""


def register_blueprints(app):
    from webapp.blueprints import (
        audit,
        auth,
        availability,
        connections,
        home,
        live,
        messages,
        people,
        personal,
        profile,
        routing,
        team,
    )
    for module in (home, auth, profile, availability, people, connections, personal, team, routing, audit, messages,
                   live):
        app.register_blueprint(module.blueprint)
