"""What the product tells a person: on the screen, by mail, or both. The row is the truth; the mail is a job."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.person import Person
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import NOTICE_MAIL_STATES

UNREAD = "read_at IS NULL"     # few of many: each look at a conversation asks for them


class Notice(db.Model):
    """`kind` and `facts` become words (webapp.words.notices) in the language of the person, on the screen and in the
    mail. `key`: what is told once only, such as one stop of one mailbox."""

    __table_args__ = (one_of("mail_state", NOTICE_MAIL_STATES), Index("ix_notice_person", "person_id", "shown", "id"),
                      Index("ix_notice_due", "mail_state", "mail_at"),
                      Index("ix_notice_unread", "person_id", sqlite_where=text(UNREAD), postgresql_where=text(UNREAD)))

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    kind: Mapped[str]
    facts: Mapped[dict] = mapped_column(JSON, default=dict)
    key: Mapped[str | None] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    shown: Mapped[bool] = mapped_column(default=True)          # on the screen; false: by mail only
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    mail_state: Mapped[str] = mapped_column(default="none")
    mail_to: Mapped[str] = mapped_column(default="")           # fixed when it is written: addresses change
    mail_at: Mapped[datetime | None] = mapped_column(Moment)   # next try
    attempts: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(default="")
    person: Mapped[Person] = relationship()
