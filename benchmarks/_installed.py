"""An empty installation in this process, on either database, for what is measured without a network."""

from contextlib import ExitStack, contextmanager

from _stage import short_folder  # noqa: I001 (sets the path of what follows)
from flask_migrate import upgrade
from servers import remove
from servers.postgres import Postgres
from servers.valkey import Valkey

from webapp import create_app
from webapp.config import Settings
from webapp.extensions import db

DATABASES = ("sqlite", "postgresql")


@contextmanager
def installed(database):
    """The application, migrated; its servers and its folder are gone afterwards. Its context is not pushed: requests
    within one would share what each is to ask for itself."""
    folder = short_folder("bench")
    try:
        with ExitStack() as servers:
            redis_url = servers.enter_context(Valkey()).url
            url = servers.enter_context(Postgres()).create_database() if database == "postgresql" else ""
            app = create_app(Settings(data_dir=str(folder), redis_url=redis_url, database_url=url, log_level="WARNING",
                                      base_url="http://localhost"), WTF_CSRF_ENABLED=False)
            with app.app_context():
                upgrade()
                app.extensions["blobs"].ensure()
            try:
                yield app
            finally:
                with app.app_context():
                    db.engine.dispose()
    finally:
        remove(folder)
