"""Seen: routes, grouped by area. A view reads through `find`, calls one action, and presents."""


def register_blueprints(app):
    from webapp.blueprints import auth, connections, home, live, messages, personal, team
    for module in (home, auth, connections, personal, team, messages, live):
        app.register_blueprint(module.blueprint)
