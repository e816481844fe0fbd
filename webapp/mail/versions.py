"""With which parser and sanitiser mail is read today. Both only grow, and so does their sum."""

from webapp.mail.html import SANITIZER_VERSION
from webapp.mail.parse import PARSER_VERSION

READ_WITH = PARSER_VERSION + SANITIZER_VERSION
