"""Remote pictures of messages: who allowed them, which are wanted, what came of it. Fetching is jobs/pictures.py.

Rows are of messages, not of people: fetched once, they are shown to everybody who allowed it, and to nobody else.
"""

from datetime import timedelta

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from webapp.actions import paintings
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.repaint import VERSION
from webapp.models import Message, Picture, PictureLeave
from webapp.models.types import now
from webapp.queue import later
from webapp.rules.pictures import BYTES_MOST, KEPT, ONCE_LASTS, PICTURES_MOST, TRIES_MOST, check_leave, next_try

JOB = "webapp.jobs.pictures.fetch"
QUEUE = "pictures"      # of its own: slow servers of strangers hold one worker, never the one that replies wait for
CLAIMED = timedelta(seconds=60)      # longer than a job fetches in one go; after that it was lost
DAY = timedelta(days=1)


def show_once(actor, message):
    """Show this person the pictures of this message, for a while. Also: try again what could not be loaded."""
    _leave(actor, "message", str(message.id), now() + ONCE_LASTS)
    _want_again(message)


def always_show(actor, message, scope, sure):
    """Show this person the pictures of this message's sender or domain from now on. `sure`: nothing speaks against the
    sender being the one that it names. Raises RuleBroken("scope", ...) as rules.pictures.check_leave."""
    count = db.session.scalar(select(func.count()).select_from(PictureLeave).where(
        PictureLeave.person_id == actor.id, PictureLeave.scope != "message"))
    _leave(actor, scope, check_leave(scope, message.from_address, sure, count), None)
    _want_again(message)


def take_back(actor, leave):
    """A sender or a domain waits for this person again."""
    if leave.person_id == actor.id:
        db.session.delete(leave)
        db.session.flush()


def hide(actor, message):
    """Take back what `show_once` allowed."""
    db.session.execute(delete(PictureLeave).where(
        PictureLeave.person_id == actor.id, PictureLeave.scope == "message", PictureLeave.value == str(message.id)))
    tell(message)


def tell(message):
    announce(f"message-{message.id}")
    if message.conversation_id:
        announce(f"conversation-{message.conversation_id}")


def to_fetch(message, rows):
    """Is there anything for the job to do, now that somebody who may see them looks at this message? `rows`: its
    pictures. Those that could not be loaded wait until somebody asks."""
    numbers = remote_numbers(message)
    return len(rows) < len(numbers) or any(
        p.state == "wanted" and p.at <= now() or p.state == "stored" and (p.version < VERSION
                                                                         or p.shown_at < now() - DAY) for p in rows)


def remote_numbers(message):
    """Numbers of the pictures that are fetched for this message, in the order in which they stand in it."""
    return [number for number, (kind, _url) in enumerate(message.images) if kind == "remote"][:PICTURES_MOST]


def look_at(message_id):
    """Somebody who may see them looks at this message now: what is missing is wanted. For the job: reading a page
    writes nothing."""
    message = db.session.get(Message, message_id)
    if message is None:
        return
    _want(message)
    db.session.execute(update(Picture).where(Picture.message_id == message_id, Picture.shown_at < now() - DAY)
                       .values(shown_at=now()))
    db.session.execute(update(Picture).where(
        Picture.message_id == message_id, Picture.state == "stored", Picture.version < VERSION).values(
            state="wanted", tries=0, size=0, at=now()))


def claim(message_id):
    """([(number, URL)] to be fetched now, bytes that may come for them). They are this job's for a while."""
    message = db.session.get(Message, message_id)
    rows = db.session.scalars(select(Picture).where(
        Picture.message_id == message_id, Picture.state == "wanted", Picture.at <= now())
        .order_by(Picture.number).with_for_update(skip_locked=True)).all()
    spent = db.session.scalar(select(func.coalesce(func.sum(Picture.size), 0)).where(Picture.message_id == message_id))
    wanted = []
    for row in rows:
        if row.number < len(message.images) and message.images[row.number][0] == "remote":
            row.tries, row.at = row.tries + 1, now() + CLAIMED
            wanted.append((row.number, message.images[row.number][1]))
        else:       # it was read again meanwhile, and has other pictures
            db.session.delete(row)
    return wanted, max(0, BYTES_MOST - spent)


def store(message_id, asked, sha256, size, width, height):
    """What came is painted and kept: the picture of these numbers. `asked`: {number: URL}. `size`: once."""
    for row in _rows(message_id, asked):
        row.state, row.why, row.sha256, row.version, row.at = "stored", None, sha256, VERSION, now()
        row.width, row.height, row.size, size = width, height, size, 0
    db.session.flush()


def fail(message_id, asked, why, size=0):
    """These could not be loaded. What may pass is tried again later, by the clock. `size`: of what came, though."""
    for row in _rows(message_id, asked):
        row.size, size = row.size + size, 0
        row.why, wait = why, next_try(why, row.tries)
        row.state, row.at = ("failed", now()) if wait is None else ("wanted", now() + wait)
    db.session.flush()


def put_back(message_id, asked):
    """There was no time for these: they are next."""
    for row in _rows(message_id, asked):
        row.at = now()
        if row.tries >= TRIES_MOST:
            row.state, row.why = "failed", "unreachable"
    db.session.flush()


def fetched(message_id):
    """Those who look at this message see what has come."""
    if message := db.session.get(Message, message_id):
        tell(message)


def due():
    """SELECT of messages with pictures whose time has come: the job was lost, or it is time for another try."""
    return select(Picture.message_id).distinct().where(Picture.state == "wanted", Picture.at <= now())


def anything_old():
    """Is there something for `forget_old` to do?"""
    return bool(db.session.scalar(_old().limit(1)) or db.session.scalar(
        select(PictureLeave.id).where(PictureLeave.until < now()).limit(1)))


def forget_old(most=500):
    """Pictures that nobody has seen for long, and leaves for one message that are over."""
    db.session.execute(delete(PictureLeave).where(PictureLeave.until < now()))
    ids = db.session.scalars(_old().limit(most)).all()
    names = set(db.session.scalars(delete(Picture).where(Picture.id.in_(ids)).returning(Picture.sha256)))
    _forget_unnamed(names - {None})


def _old():
    return select(Picture.id).where(Picture.shown_at < now() - KEPT)


def drop(message):
    """This message has other pictures than before."""
    names = set(db.session.scalars(delete(Picture).where(Picture.message_id == message.id).returning(Picture.sha256)))
    _forget_unnamed(names - {None})


def _forget_unnamed(names):
    """Nobody's pictures any more. If this is rolled back, they are fetched again."""
    still = set(db.session.scalars(select(Picture.sha256).where(Picture.sha256.in_(names)))) if names else set()
    if gone := names - still:
        paintings.forget(gone)


def _rows(message_id, asked):
    """Those of `asked` that still wait for what came: a message that was read again meanwhile may have other pictures
    under the same numbers."""
    message = db.session.get(Message, message_id)
    images = message.images if message else []
    numbers = [n for n, url in asked.items() if n < len(images) and list(images[n]) == ["remote", url]]
    return db.session.scalars(select(Picture).where(
        Picture.message_id == message_id, Picture.number.in_(numbers), Picture.state == "wanted")).all()


def _want_again(message):
    """Those that wait for another try are tried at once: somebody stands there."""
    _want(message)
    db.session.execute(update(Picture).where(
        Picture.message_id == message.id, or_(Picture.state == "failed", and_(
            Picture.state == "wanted", Picture.why.is_not(None)))).values(
            state="wanted", why=None, tries=0, size=0, at=now()))
    tell(message)
    later(JOB, message.id, queue=QUEUE)


def _want(message):
    if numbers := remote_numbers(message):
        db.session.execute(_insert(Picture).on_conflict_do_nothing(), [
            dict(message_id=message.id, number=n, state="wanted", version=0, size=0, width=0, height=0, tries=0,
                 at=now(), shown_at=now()) for n in numbers])


def _leave(actor, scope, value, until):
    row = dict(person_id=actor.id, scope=scope, value=value, until=until, made_at=now())
    db.session.execute(_insert(PictureLeave).values(row).on_conflict_do_update(
        index_elements=["person_id", "scope", "value"], set_={"until": until}))


def _insert(model):
    return (postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite).insert(model)
