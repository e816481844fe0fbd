"""Remote pictures are fetched by a job, kept painted, forgotten; whatever happens to the job, rows find it again."""

import os
import re
import signal
from datetime import timedelta

import pytest
from drawings import bomb, film, noise, picture, seen
from fakes.web import Web, ok, redirect, slowly, status
from mailroom import arrive, connected, letter, person, stored
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, update

from webapp.actions import paintings, pictures
from webapp.extensions import db, unit
from webapp.jobs import pictures as jobs
from webapp.jobs import sweep
from webapp.mail import repaint
from webapp.mail.web import Reach, get
from webapp.models import Message, Picture, PictureLeave
from webapp.models.blob import blobs as blob_table
from webapp.models.types import now
from webapp.rules.pictures import PICTURES_MOST


@pytest.fixture
def outside(app):
    """The web, as far as this test goes: a server of strangers on loopback."""
    with Web() as server:
        app.config["WEB_REACH"] = Reach(frozenset({server.place}), seconds=2.0)
        yield server
        del app.config["WEB_REACH"]


def message_with(*urls, html=None, **headers):
    """A message in Support with these pictures, newly arrived; its id."""
    box = stored_box()
    uid = (db.session.scalar(select(func.count()).select_from(Message)) or 0) + 1
    html = html or "<p>News</p>" + "".join(f'<img src="{url}">' for url in urls)
    arrive(box, letter(html=html, Message_ID=f"<{uid}@x>", **headers), first_uid=uid)
    return stored(Message)[-1].id


def stored_box():
    from webapp.models import Connection
    found = db.session.scalar(select(Connection.id))
    return found or connected()


def show(message_id, who="marek"):
    with unit():
        pictures.show_once(person(who), db.session.get(Message, message_id))


def rows(message_id):
    return stored(Picture, Picture.message_id == message_id)


def states(message_id):
    return [(p.state, p.why) for p in rows(message_id)]


def heard(app):
    """What waits in the queue, and what was announced."""
    queue = Queue("pictures", connection=app.extensions["redis"], serializer=JSONSerializer)
    return [job.func_name + str(tuple(job.args)) for job in queue.jobs]


def test_they_are_fetched_painted_and_kept(app, team, outside):
    outside.at |= {"/a.png": ok(picture(size=(3000, 30))), "/b.gif": ok(film(), "image/gif"), "/c": redirect("/a.png"),
                   "/d.jpg": ok(picture("JPEG"), "text/html")}
    mail = message_with(*(outside.url(path) for path in ("/a.png", "/b.gif", "/c", "/d.jpg")))
    show(mail)
    assert states(mail) == [("wanted", None)] * 4
    assert outside.asked == []
    jobs.fetch(mail)
    assert states(mail) == [("stored", None)] * 4
    assert sorted(outside.paths) == ["/a.png", "/a.png", "/b.gif", "/c", "/d.jpg"]
    found = [paintings.known(p.sha256) for p in rows(mail)]
    assert [(f.content_type, f.width, f.height) for f in found] == [(f.content_type, p.width, p.height) for f, p in
                                                                    zip(found, rows(mail), strict=True)]
    assert [seen(f.content)[1] for f in found] == [(2000, 20), (40, 30), (2000, 20), (60, 40)]
    jobs.fetch(mail)
    assert len(outside.asked) == 5, "what is here is not asked for again"


def test_the_same_address_is_asked_once_in_a_message_and_backgrounds_never(team, outside):
    outside.at["/dot.gif"] = ok(picture("GIF", (1, 1)))
    dot = outside.url("/dot.gif")
    mail = message_with(html=f'<table background="{outside.url("/bg.png")}"><tr><td>x</td></tr></table>'
                             + f'<img src="{dot}">' * 30)
    show(mail)
    jobs.fetch(mail)
    assert (outside.paths, states(mail)) == (["/dot.gif"], [("stored", None)] * 30)
    assert sum(p.size for p in rows(mail)) == rows(mail)[0].size


def test_whatever_comes_instead_of_a_picture_is_told_by_a_word(team, outside, monkeypatch):
    outside.at |= {
        "/page": ok(b"<html><script>alert(1)</script>", "image/png"), "/svg": ok(b"<svg onload='x()'/>", "image/svg+xml"),
        "/empty": ok(b""), "/bomb": ok(bomb()), "/endless": lambda sock: [sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n"),
                                                                       outside.drip(sock, b"x" * 500_000, 0.001)],
        "/inside": redirect("http://169.254.169.254/latest/"), "/fault": status(500), "/slow": slowly(9, ok(picture())),
        "/good": ok(picture())}
    expected = {"/page": "not_a_picture", "/svg": "not_a_picture", "/empty": "not_a_picture", "/bomb": "too_large",
                "/endless": "too_large", "/inside": "not_allowed", "/fault": "unreachable", "/slow": "unreachable",
                "/gone": "missing", "/good": None}
    mail = message_with(*(outside.url(path) for path in expected))
    show(mail)
    jobs.fetch(mail)
    assert [p.why for p in rows(mail)] == list(expected.values())
    assert [p.state for p in rows(mail)] == ["failed"] * 6 + ["wanted"] * 2 + ["failed", "stored"]


def test_what_may_pass_is_tried_three_times_and_then_when_somebody_asks(app, team, outside):
    mail = message_with(outside.url("/a"))
    outside.at["/a"] = status(503)
    show(mail)
    for number in (1, 2, 3):
        jobs.fetch(mail)
        jobs.fetch(mail)
        assert len(outside.asked) == number, "not before its time"
        with unit():
            db.session.execute(update(Picture).values(at=now()))
    assert states(mail) == [("failed", "unreachable")]
    jobs.fetch(mail)
    assert len(outside.asked) == 3
    outside.at["/a"] = ok(picture())
    show(mail)
    assert states(mail) == [("wanted", None)]
    jobs.fetch(mail)
    assert states(mail) == [("stored", None)]


def test_a_lost_job_is_found_again_by_the_clock(app, team, outside, monkeypatch):
    outside.at["/a"] = ok(picture())
    mail = message_with(outside.url("/a"))
    show(mail)
    app.extensions["redis"].flushdb()
    sweep.everything()
    assert f"webapp.jobs.pictures.fetch({mail},)" in heard(app)
    app.extensions["redis"].flushdb()
    jobs.fetch(mail)
    sweep.everything()
    assert not any("pictures" in job for job in heard(app))


@pytest.mark.parametrize("moment", ["fetching", "painting", "storing"])
def test_a_job_killed_at_work_leaves_what_it_has_and_the_rest_is_found_again(app, team, outside, monkeypatch, moment):
    """In a process of its own, by kill -9."""
    for number in range(30):
        outside.at[f"/{number}"] = ok(noise(size=(20 + number, 20)))      # of no other test: what was painted is kept
    mail = message_with(*(outside.url(f"/{number}") for number in range(30)))
    show(mail)
    db.session.remove()
    db.engine.dispose()
    app.extensions["blobs"].dispose()
    if (pid := os.fork()) == 0:
        try:
            die = _after(15, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            owner, name = {"fetching": (jobs, "get"), "painting": (jobs.Painter, "paint"), "storing": (pictures, "store")}[moment]
            real = getattr(owner, name)
            setattr(owner, name, lambda *a, **k: (die(), real(*a, **k))[1])
            jobs.fetch(mail)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    assert {p.state for p in rows(mail)} <= {"wanted", "stored"}
    assert any(p.state == "wanted" for p in rows(mail))
    app.extensions["redis"].flushdb()
    assert mail not in db.session.scalars(pictures.due()).all(), "it may still be at work"
    with unit():
        db.session.execute(update(Picture).where(Picture.state == "wanted").values(at=now()))
    sweep.everything()
    assert f"webapp.jobs.pictures.fetch({mail},)" in heard(app)
    jobs.fetch(mail)
    assert states(mail) == [("stored", None)] * 30
    assert all(paintings.known(p.sha256) for p in rows(mail))


def _after(count, act):
    left = [count]

    def counted(*arguments):
        left[0] -= 1
        if left[0] == 0:
            act(*arguments)
    return counted


def test_two_jobs_at_once_ask_for_nothing_twice(app, team, outside):
    """The second finds all claimed."""
    outside.at["/a"] = ok(picture())
    mail = message_with(outside.url("/a"))
    show(mail)
    with unit():
        wanted, _most = pictures.claim(mail)
    assert len(wanted) == 1
    jobs.fetch(mail)
    assert outside.asked == []


def test_a_message_has_its_share_and_no_more(team, outside, monkeypatch):
    monkeypatch.setattr(pictures, "BYTES_MOST", 400_000)
    for number in range(8):
        outside.at[f"/{number}"] = ok(noise("BMP", (300 + number, 100)))
    mail = message_with(*(outside.url(f"/{number}") for number in range(8)))
    show(mail)
    jobs.fetch(mail)
    kept = [p for p in rows(mail) if p.state == "stored"]
    assert 0 < sum(p.size for p in kept) <= 400_000
    assert {(p.state, p.why) for p in rows(mail)} == {("stored", None), ("failed", "too_many")}


def test_a_letter_of_bombs_gets_so_much_time_and_no_more(team, outside, monkeypatch):
    monkeypatch.setattr(jobs, "PAINTING", 0.0)
    outside.at |= {f"/{number}": ok(noise(size=(90 + number, 9))) for number in range(6)}
    mail = message_with(*(outside.url(f"/{number}") for number in range(6)))
    show(mail)
    jobs.fetch(mail)
    assert sorted(p.why or "" for p in rows(mail)) == ["", *["too_many"] * 5]


def test_of_very_many_pictures_the_first_hundred_are_fetched(team, outside):
    outside.at |= {f"/{number}": ok(picture(size=(1, 1))) for number in range(120)}
    mail = message_with(*(outside.url(f"/{number}") for number in range(120)))
    show(mail)
    jobs.fetch(mail)
    assert len(rows(mail)) == PICTURES_MOST == len(outside.asked)
    assert outside.busiest <= jobs.THREADS


def test_when_its_time_is_over_others_get_their_turn_and_the_rest_follows(app, team, outside, monkeypatch):
    monkeypatch.setattr(jobs, "SLICE", 0.4)
    monkeypatch.setattr(jobs, "THREADS", 2)
    outside.at |= {f"/{number}": slowly(0.3, ok(picture(size=(1 + number, 1)))) for number in range(9)}
    mail = message_with(*(outside.url(f"/{number}") for number in range(9)))
    show(mail)
    app.extensions["redis"].flushdb()
    jobs.fetch(mail)
    done = [p.state for p in rows(mail)].count("stored")
    assert 2 <= done < 9
    assert heard(app) == [f"webapp.jobs.pictures.fetch({mail},)"]
    jobs.fetch(mail)
    jobs.fetch(mail)
    assert {p.state for p in rows(mail)} <= {"stored", "failed"}, "three turns are enough, or it is given up"


def test_what_nobody_has_seen_for_a_month_is_forgotten_with_its_bytes(app, team, outside):
    outside.at["/a"] = outside.at["/b"] = ok(picture(size=(77, 7)))
    one, two = message_with(outside.url("/a")), message_with(outside.url("/b"))
    for mail in (one, two):
        show(mail)
        jobs.fetch(mail)
    name = rows(one)[0].sha256
    assert rows(two)[0].sha256 == name
    before = _blobs(app)
    for old, left in ((one, 1), (two, 0)):
        with unit():
            db.session.execute(update(Picture).where(Picture.message_id == old).values(
                shown_at=now() - timedelta(days=31)))
        sweep.everything()
        assert len(stored(Picture)) == left
        assert (paintings.known(name) is not None) == bool(left), "shared bytes stay as long as one names them"
    assert _blobs(app) == before - 1
    assert all(app.extensions["blobs"].get_raw(m.raw_sha256) for m in stored(Message)), "mail is never forgotten"


def _blobs(app):
    with app.extensions["blobs"].engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(blob_table)).scalar()


def test_looking_keeps_them(app, team, outside):
    outside.at["/a"] = ok(picture())
    mail = message_with(outside.url("/a"))
    show(mail)
    jobs.fetch(mail)
    with unit():
        db.session.execute(update(Picture).values(shown_at=now() - timedelta(days=20)))
    assert pictures.to_fetch(stored(Message)[-1], rows(mail))
    jobs.fetch(mail)
    assert now() - rows(mail)[0].shown_at < timedelta(minutes=1)
    assert len(outside.asked) == 1
    assert not pictures.to_fetch(stored(Message)[-1], rows(mail))


def test_a_new_painter_paints_again(team, outside, monkeypatch):
    outside.at["/a"] = ok(picture())
    mail = message_with(outside.url("/a"))
    show(mail)
    jobs.fetch(mail)
    newer = repaint.VERSION + 1
    for module in (repaint, pictures, paintings):
        monkeypatch.setattr(module, "VERSION", newer)
    assert pictures.to_fetch(stored(Message)[-1], rows(mail))
    jobs.fetch(mail)
    assert (len(outside.asked), rows(mail)[0].version) == (2, newer)


def test_mail_that_is_read_again_with_other_pictures_loses_the_old_ones(team, outside, monkeypatch):
    from webapp.actions import contents, reread
    outside.at["/a"] = ok(picture(size=(88, 8)))
    mail = message_with(outside.url("/a"))
    show(mail)
    jobs.fetch(mail)
    name = rows(mail)[0].sha256
    raw = letter(html=f'<img src="{outside.url("/new")}"><img src="{outside.url("/a")}">')
    with unit():
        message = db.session.get(Message, mail)
        reread._fill_body(message, raw, contents.contents_of(raw, "whole"))
    assert (rows(mail), paintings.known(name)) == ([], None)


def test_what_was_asked_for_before_a_mail_was_read_again_is_not_shown_in_its_new_places(team, outside):
    """The fetch ends after the same numbers got other addresses."""
    mail = message_with(outside.url("/a"))
    show(mail)
    with unit():
        pictures.claim(mail)
        message = db.session.get(Message, mail)
        message.images = [["remote", outside.url("/new")]]
    with unit():
        pictures.store(mail, {0: outside.url("/a"), 7: outside.url("/b")}, "a" * 64, 5, 1, 1)
        pictures.fail(mail, {0: outside.url("/a")}, "missing")
    assert states(mail) == [("wanted", None)]
    with unit():
        pictures.store(mail, {0: outside.url("/new")}, "b" * 64, 5, 1, 1)
    assert [(p.state, p.sha256) for p in rows(mail)] == [("stored", "b" * 64)]


def test_what_came_and_was_refused_counts_too(team, outside, monkeypatch):
    """A message of a hundred pages of rubbish must not fetch them all, not even one go after the other."""
    monkeypatch.setattr(pictures, "BYTES_MOST", 300_000)
    monkeypatch.setattr(jobs, "THREADS", 1)
    for number in range(8):
        outside.at[f"/{number}"] = ok(b"<html>" + b"x" * 100_000 + b"%d" % number)
    mail = message_with(*(outside.url(f"/{number}") for number in range(8)))
    show(mail)
    jobs.fetch(mail)
    assert len(outside.asked) == 3
    with unit():
        db.session.execute(update(Picture).where(Picture.why == "too_many").values(state="wanted", at=now()))
    jobs.fetch(mail)
    assert len(outside.asked) == 3, "it had its share"
    show(mail)
    jobs.fetch(mail)
    assert len(outside.asked) == 6, "somebody stands there and asks"


def test_what_is_too_large_counts_as_much_as_was_read_of_it(team, app, monkeypatch):
    from webapp.mail.web import MOST_BYTES, WebError
    asked = []

    def endless(url, _reach):
        asked.append(url)
        raise WebError("too_large")
    monkeypatch.setattr(jobs, "THREADS", 1)
    monkeypatch.setitem(app.config, "WEB_GET", endless)
    mail = message_with(*(f"https://x.example/{n}" for n in range(60)))
    show(mail)
    jobs.fetch(mail)
    assert len(asked) == -(-pictures.BYTES_MOST // MOST_BYTES)


def test_slow_servers_of_strangers_hold_no_worker_that_replies_or_mail_wait_for():
    from webapp.launch.serve import WORKERS
    from webapp.queue import QUEUES
    served = [arguments.split()[1:] for _name, arguments, _seconds in WORKERS if arguments.startswith("jobs")]
    assert {name for names in served for name in names} == set(QUEUES)
    assert any("in" in names and "pictures" not in names for names in served)
    assert not any("out" in names and "pictures" in names for names in served)


def test_leaves_for_one_message_end_by_themselves(team, outside):
    mail = message_with(outside.url("/a"))
    show(mail)
    with unit():
        db.session.execute(update(PictureLeave).values(until=now() - timedelta(seconds=1)))
    sweep.everything()
    assert stored(PictureLeave) == []


def test_a_message_without_pictures_or_none_at_all_is_no_trouble(team, outside):
    mail = message_with(html="<p>No pictures</p>")
    show(mail)
    jobs.fetch(mail)
    jobs.fetch(999_999)
    assert (stored(Picture), outside.asked) == ([], [])


def test_nothing_of_the_reader_leaves(team, outside):
    """Whoever asks and however often: every request for a picture is the same."""
    outside.at |= {f"/{name}": ok(picture()) for name in "ab"}
    for name in "ab":
        mail = message_with(outside.url(f"/{name}"))
        show(mail, "marek" if name == "a" else "zofia")
        jobs.fetch(mail)
    said = {re.sub(rb"^GET /\w ", b"GET ", request) for _path, request in outside.asked}
    assert len(said) == 1
    assert not re.search(rb"(?i)cookie|referer|authorization|postroom|zofia|marek|corp\.example", said.pop())


def test_a_fault_of_ours_costs_one_picture(app, team, outside, monkeypatch):
    def odd(url, reach):
        if url.endswith("/a"):
            raise ZeroDivisionError
        return get(url, reach)
    monkeypatch.setitem(app.config, "WEB_GET", odd)
    outside.at["/b"] = ok(picture())
    mail = message_with(outside.url("/a"), outside.url("/b"))
    show(mail)
    jobs.fetch(mail)
    assert states(mail) == [("wanted", "unreachable"), ("stored", None)]
