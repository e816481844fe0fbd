"""What belongs to one message: its HTML in a frame of its own, its pictures, attachments and raw bytes."""

from webapp.blueprints.messages import again, attachments, body, original, pictures, previews, printed
from webapp.blueprints.messages.routes import blueprint

__all__ = ["again", "attachments", "blueprint", "body", "original", "pictures", "previews", "printed"]
