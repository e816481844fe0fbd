"""Seen: routes, grouped by area. A view reads through `find`, calls one action, and presents."""


def register_blueprints(app):
    from webapp.blueprints import audit, auth, connections, home, live, messages, people, personal, profile, team
    for module in (home, auth, profile, people, connections, personal, team, audit, messages, live):
        app.register_blueprint(module.blueprint)
