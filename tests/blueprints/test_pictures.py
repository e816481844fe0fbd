"""Remote pictures on a message's page: blocked until a person says so, for that person alone, and through us only."""

import io
import re
import time
from datetime import timedelta

import pytest
from drawings import noise, picture, seen
from fakes.web import Web, ok, status
from mailroom import arrive, connected, letter, stored
from PIL import Image
from sqlalchemy import update

from webapp.actions import paintings
from webapp.extensions import db, unit
from webapp.jobs import pictures as jobs
from webapp.mail.web import Reach
from webapp.models import Attachment, Message, Picture, PictureLeave
from webapp.models.types import now
from webapp.rules import pictures as rules

HERE = {"Sec-Fetch-Site": "same-origin"}
SWAP = {**HERE, "HX-Request": "true"}


@pytest.fixture
def outside(app):
    with Web() as server:
        server.at |= {"/a.png": ok(picture(colour="blue")), "/b.png": ok(picture())}
        app.config["WEB_REACH"] = Reach(frozenset({server.place}), seconds=2.0)
        yield server
        del app.config["WEB_REACH"]


@pytest.fixture
def box(team):
    return connected()


def newsletter(box, outside, *paths, uid=1, **headers):
    """A message with these remote pictures; its id."""
    html = "<p>News</p>" + "".join(f'<img src="{outside.url(path)}">' for path in paths or ("/a.png", "/b.png"))
    arrive(box, letter(html=html, Message_ID=f"<n{uid}@x>", **headers), first_uid=uid)
    return stored(Message)[-1].id


def frame(client, message_id):
    """(page around, body of the frame) as the person sees them."""
    conversation = stored(Message, Message.id == message_id)[0].conversation_id
    page = client.get(f"/conversations/{conversation}").text
    part = re.search(rf'(?s)<article class="msg" id="m{message_id}".*?</article>', page)[0]
    source = re.search(r'<iframe[^>]* src="([^"]+)"', part)[1].replace("&amp;", "&")
    return part, client.get(source).text


def say(client, message_id, what="", headers=HERE, **data):
    return client.post(f"/messages/{message_id}/pictures{what}", data=data, headers=headers)


def painted(client, body):
    """Status of every picture of a frame."""
    return [client.get(link).status_code for link in re.findall(r'src="(/image/[^"]+)"', body)]


def waiting(app):
    return [k.decode() for k in app.extensions["redis"].keys("postroom:waits:*pictures*")]


def test_until_somebody_says_so_nothing_is_asked_for_and_no_address_is_in_the_page(app, box, outside, browser_of):
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        page, body = frame(client, mail)
    assert "2 pictures blocked." in page
    assert "127.0.0.1" not in body
    assert "src=" not in body
    assert (outside.asked, waiting(app), stored(Picture)) == ([], [], [])


def test_shown_once_they_come_through_us_for_this_message_and_this_person(app, box, outside, browser_of):
    mail, other = newsletter(box, outside), newsletter(box, outside, uid=2)
    with browser_of("marek") as marek, browser_of("ewa") as ewa:
        answer = say(marek, mail)
        assert (answer.status_code, answer.location) == (303, f"/conversations/{stored(Message)[0].conversation_id}#m{mail}")
        assert "Loading pictures…" in frame(marek, mail)[0]
        jobs.fetch(mail)
        page, body = frame(marek, mail)
        assert "Pictures are shown this time." in page
        assert painted(marek, body) == [200, 200]
        assert "127.0.0.1" not in body
        assert "2 pictures blocked." in frame(marek, other)[0]
        assert "src=" not in frame(marek, other)[1]
        page, body = frame(ewa, mail)
        assert "2 pictures blocked." in page
        assert "src=" not in body
    assert sorted(outside.paths) == ["/a.png", "/b.png"]


def test_what_comes_is_ours_whatever_it_was(app, box, outside, browser_of):
    exif = Image.Exif()
    exif[0x010E] = "secret"
    outside.at["/a.png"] = ok(picture("JPEG", (3000, 20), exif=exif) + b"<script>", "text/html", "Set-Cookie: a=b", "X-Evil: 1")
    mail = newsletter(box, outside, "/a.png")
    with browser_of("marek") as client:
        say(client, mail)
        jobs.fetch(mail)
        answer = client.get(re.search(r'src="(/image/[^"]+)"', frame(client, mail)[1])[1])
    assert answer.content_type == "image/jpeg"
    assert seen(answer.data) == ("JPEG", (2000, 13), 1)
    assert b"secret" not in answer.data and b"<script>" not in answer.data
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"].startswith("private")
    assert not {"Set-Cookie", "X-Evil"} & set(answer.headers.keys())


def test_a_link_is_not_enough(app, box, outside, browser_of):
    """Whatever a stranger puts into an address that somebody opens: reading allows nothing."""
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        for query in ("?images=1", "?v=0123456789ab", "?pictures=1", "?v=1&once=1"):
            assert "src=" not in client.get(f"/messages/{mail}/body{query}").text
        assert client.get(f"/messages/{mail}/pictures").status_code == 405
        assert client.post(f"/messages/{mail}/pictures", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert (outside.asked, stored(PictureLeave), waiting(app)) == ([], [], [])


@pytest.mark.parametrize(("scope", "same", "colleague"), [("sender", True, False), ("domain", True, True)])
def test_allowed_for_good_they_come_without_a_click_for_this_person_alone(app, box, outside, browser_of, scope, same, colleague):
    mail = newsletter(box, outside)
    later = [newsletter(box, outside, uid=n, sender=sender) for n, sender in enumerate(
        ("Anna Nowak <Anna@Customer.Example>", "Jan <jan@customer.example>", "Eve <eve@other.example>"), 2)]
    with browser_of("marek") as marek, browser_of("ewa") as ewa:
        assert say(marek, mail, "/always", scope=scope).status_code == 303
        for message, allowed in zip(later, (same, colleague, False), strict=True):
            app.extensions["redis"].flushdb()
            frame(marek, message)
            assert bool(waiting(app)) == allowed
            if allowed:
                jobs.fetch(message)
                assert painted(marek, frame(marek, message)[1]) == [200, 200]
            app.extensions["redis"].flushdb()
            assert "src=" not in frame(ewa, message)[1]
            assert waiting(app) == [], "and reading asks for nothing in her name"


def test_a_sender_in_doubt_is_not_the_one_who_was_allowed(app, box, outside, browser_of):
    mail = newsletter(box, outside)
    spoofed = [newsletter(box, outside, uid=2, sender="Anna Nowak <anna@customer.example>, Eve <eve@evil.example>"),
               newsletter(box, outside, uid=3, sender='"anna@customer.example" <eve@evil.example>'),
               newsletter(box, outside, uid=4, sender="Anna <anna@customer.example.evil.example>")]
    with unit():
        db.session.get(Message, spoofed[0]).from_address = "anna@customer.example"
    assert stored(Message, Message.id == spoofed[0])[0].sender_ambiguous
    with browser_of("marek") as client:
        say(client, mail, "/always", scope="domain")
        app.extensions["redis"].flushdb()
        for message in spoofed:
            page, body = frame(client, message)
            assert "2 pictures blocked." in page
            assert "src=" not in body
        assert say(client, spoofed[0], "/always", scope="sender").status_code == 422
        answer = say(client, spoofed[0], "/always", SWAP, scope="sender")
        assert answer.status_code == 422
        assert "It isn’t certain that this sender wrote it." in answer.text
        assert "Always…" not in frame(client, spoofed[0])[0]
    assert waiting(app) == []
    assert len(stored(PictureLeave)) == 1


def test_a_sender_whose_check_failed_is_not_the_one_who_was_allowed(app, box, outside, browser_of):
    """Where people have named the mailbox's own server its word is needed, and nobody else's counts."""
    from webapp.models import Connection
    failed = {"id": "mx.corp.example", "dmarc": [["fail", "customer.example"]]}
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        say(client, mail, "/always", scope="sender")
        assert "src=" not in frame(client, mail)[1]     # not here yet
        jobs.fetch(mail)
        assert painted(client, frame(client, mail)[1]) == [200, 200]
        passed = {"id": "mx.corp.example", "dkim": [["pass", "customer.example"]]}
        for trusted, said, shown in ((None, None, True), ("mx.corp.example", passed, True), ("mx.corp.example", None, False),
                                     ("mx.elsewhere.example", passed, False), ("", None, True), ("mx.corp.example", failed, False)):
            with unit():
                db.session.get(Message, mail).authentication = said
                db.session.get(Connection, box).authserv_id = trusted
            assert ("src=" in frame(client, mail)[1]) == shown


def test_domains_of_everybody_are_not_offered_and_not_taken(box, outside, browser_of):
    mail = newsletter(box, outside, sender="Anna <anna@gmail.com>")
    with browser_of("marek") as client:
        page, _body = frame(client, mail)
        assert "Always from anna@<wbr>gmail<wbr>.com" in page
        assert 'value="domain"' not in page
        answer = say(client, mail, "/always", SWAP, scope="domain")
        assert (answer.status_code, "Allow this sender only." in answer.text) == (422, True)
        assert say(client, mail, "/always", scope="everything").status_code == 422
        assert say(client, mail, "/always", scope="x" * 50).status_code == 400
        assert say(client, mail, "/always").status_code == 422
    assert stored(PictureLeave) == []


def test_what_was_allowed_can_be_taken_back(app, box, outside, browser_of):
    mail = newsletter(box, outside)
    with browser_of("marek") as marek, browser_of("ewa") as ewa:
        say(marek, mail)
        jobs.fetch(mail)
        assert painted(marek, frame(marek, mail)[1]) == [200, 200]
        say(marek, mail, "/hide")
        assert "src=" not in frame(marek, mail)[1]
        say(marek, mail, "/always", scope="sender")
        say(marek, mail, "/always", scope="domain")
        profile = marek.get("/profile").text
        assert "anna@<wbr>customer<wbr>.example" in profile
        assert "all senders of this domain" in profile
        leaves = [row.id for row in stored(PictureLeave)]
        assert [ewa.post("/profile/pictures", data={"leave": leave}, headers=HERE).status_code for leave in leaves] == [404, 404]
        assert len(stored(PictureLeave)) == 2
        for leave in leaves:
            assert marek.post("/profile/pictures", data={"leave": leave}, headers=HERE).status_code == 303
        assert "src=" not in frame(marek, mail)[1]
        assert "You haven’t allowed any sender yet." in marek.get("/profile").text
        assert marek.post("/profile/pictures", data={"leave": "x"}, headers=HERE).status_code == 404


def test_a_person_allows_only_so_many(box, outside, browser_of, monkeypatch):
    monkeypatch.setattr(rules, "LEAVES_MOST", 1)
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        assert say(client, mail, "/always", scope="sender").status_code == 303
        assert "Remove some in your profile first." in say(client, mail, "/always", SWAP, scope="domain").text


def test_once_is_over_after_an_hour(box, outside, browser_of):
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        say(client, mail)
        jobs.fetch(mail)
        assert painted(client, frame(client, mail)[1]) == [200, 200]
        with unit():
            db.session.execute(update(PictureLeave).values(until=now() - timedelta(seconds=1)))
        page, body = frame(client, mail)
        assert ("2 pictures blocked." in page, "src=" in body) == (True, False)


def test_the_frame_has_another_address_when_something_else_is_in_it(box, outside, browser_of):
    """Browsers keep a body for some minutes: for this person and this state only."""
    def address(client):
        return re.search(r'<iframe[^>]* src="([^"]+)"', frame(client, mail)[0])[1]
    mail = newsletter(box, outside)
    with browser_of("marek") as marek, browser_of("ewa") as ewa:
        found = [address(marek)]
        for client in (marek, ewa):
            say(client, mail)
            found.append(address(client))
        jobs.fetch(mail)
        found += [address(marek), address(ewa)]
        assert len(set(found)) == 5
        assert address(marek) == found[3]
        say(marek, mail, "/hide")
        assert address(marek) == found[0]


def test_what_could_not_be_loaded_is_said_and_can_be_tried_again(app, box, outside, browser_of):
    outside.at["/a.png"] = status(503)
    mail = newsletter(box, outside, "/a.png", "/b.png", "/gone.png")
    with browser_of("marek") as client:
        say(client, mail)
        jobs.fetch(mail)
        page, body = frame(client, mail)
        assert "2 of 3 pictures could not be loaded: not there any more; the server didn’t answer." in page
        assert painted(client, body) == [200]
        outside.at |= {"/a.png": ok(picture()), "/gone.png": ok(picture())}
        say(client, mail)
        assert "Loading pictures…" in frame(client, mail)[0]
        jobs.fetch(mail)
        page, body = frame(client, mail)
        assert ("could not be loaded" in page, painted(client, body)) == (False, [200] * 3)


def test_looking_at_a_blocked_message_does_not_try_again_what_failed(app, box, outside, browser_of):
    mail = newsletter(box, outside, "/gone.png")
    with browser_of("marek") as client:
        say(client, mail)
        jobs.fetch(mail)
        app.extensions["redis"].flushdb()
        frame(client, mail)
    assert waiting(app) == []


def test_a_swap_answers_with_the_sheet_anew(box, outside, browser_of):
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        answer = say(client, mail, headers=SWAP)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<div id=") and f'id="shown-{mail}"' in answer.text
    assert "Loading pictures…" in answer.text and re.search(r"/body\?v=[0-9a-f]{12}", answer.text)


def test_a_link_to_a_picture_opens_it_only_for_those_who_may_see_it_now(app, box, outside, browser_of):
    mail = newsletter(box, outside)
    with browser_of("marek") as marek, browser_of("ewa") as ewa:
        say(marek, mail)
        jobs.fetch(mail)
        body = frame(marek, mail)[1]
        assert (painted(marek, body), painted(ewa, body)) == ([200, 200], [404, 404]), "she allowed nothing"
        anonymous = [app.test_client().get(link) for link in re.findall(r'src="(/image/[^"]+)"', body)]
        assert [(a.status_code, a.location.partition("?")[0]) for a in anonymous] == [(302, "/sign-in")] * 2
        say(marek, mail, "/hide")
        assert painted(marek, body) == [404, 404]


def test_a_body_is_answered_as_a_frame_alone_and_by_itself_it_is_the_page_for_paper(box, outside, browser_of):
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        for dest, status_code in (("iframe", 200), ("frame", 200), (None, 200), ("document", 302), ("object", 302), ("embed", 302)):
            answer = client.get(f"/messages/{mail}/body", headers={"Sec-Fetch-Dest": dest} if dest else {})
            assert answer.status_code == status_code, dest
            assert "Sec-Fetch-Dest" in answer.headers["Vary"], "what a frame was answered is kept for frames"
        assert answer.location == f"/messages/{mail}/print"
        assert "it is broken." in client.get(answer.location, headers={"Sec-Fetch-Dest": "document"}).text


def test_what_is_too_complex_to_be_shown_says_so_above_its_text(box, browser_of):
    arrive(box, letter(html="<div>" * 400 + "Hello there", Message_ID="<c@x>"), letter(html="<p>Fine", Message_ID="<f@x>"))
    complicated, fine = stored(Message)
    with browser_of("marek") as client:
        page = client.get(f"/conversations/{complicated.conversation_id}").text
        assert "Its layout is too complex to be shown. This is its text." in page
        assert f"/messages/{complicated.id}/raw" in page or "Download the original" in page
        assert "too complex" not in client.get(f"/conversations/{fine.conversation_id}").text


def test_personal_mail_has_the_same(app, team, outside, browser_of):
    own = connected("personal", "zofia@corp.example", "zofia")
    arrive(own, letter(to="zofia@corp.example", html=f'<img src="{outside.url("/a.png")}">'))
    message = stored(Message)[0]
    with browser_of("zofia") as zofia, browser_of("marek") as marek:
        where = f"/mailboxes/{own}/mail/{message.id}"
        assert "1 picture blocked." in zofia.get(where).text
        assert say(zofia, message.id).location == where
        jobs.fetch(message.id)
        body = zofia.get(f"/messages/{message.id}/body").text
        assert (painted(zofia, body), painted(marek, body), painted(app.test_client(), body)) == ([200], [404], [302])
        for what in ("", "/always", "/hide"):
            assert say(marek, message.id, what, scope="sender").status_code == 404


def inline(*parts, html):
    """A mail with these (content type, bytes, Content-ID) as parts of its HTML."""
    from email.message import EmailMessage
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Anna <anna@customer.example>", "support@corp.example", "Inline"
    mail.set_content("Hello")
    mail.add_alternative(html, subtype="html")
    for kind, content, name in parts:
        mail.get_payload()[1].add_related(content, *kind.split("/"), cid=f"<{name}>")
    return mail.as_bytes()


def test_parts_of_the_mail_itself_are_painted_anew_too_and_asked_for_without_a_click(app, box, browser_of):
    import base64
    data = base64.b64encode(picture("GIF", (7, 7))).decode()
    bad = base64.b64encode(b"<svg onload='alert(1)'>").decode()
    raw = inline(("image/png", picture(size=(5000, 10)) + b"<script>secret</script>", "a@x"),
                 ("application/octet-stream", noise("JPEG", (60, 60)), "b@x"), ("image/png", b"<svg onload=alert(1)>", "c@x"),
                 ("text/html", b"<script>alert(1)</script>", "d@x"),
                 html=f'<img src="cid:a@x"><img src="cid:b@x"><img src="cid:c@x"><img src="cid:d@x"><img src="cid:none@x">'
                      f'<img src="data:image/gif;base64,{data}"><img src="data:image/png;base64,{bad}">')
    arrive(box, raw)
    with browser_of("ewa") as client:
        page, body = frame(client, stored(Message)[0].id)
        assert "blocked" not in page
        assert "data:" not in body
        answers = [client.get(link) for link in re.findall(r'src="(/image/[^"]+)"', body)]
    assert [a.status_code for a in answers] == [200, 200, 404, 200, 404]
    assert [a.content_type for a in answers if a.status_code == 200] == ["image/png", "image/jpeg", "image/png"]
    assert all(b"secret" not in a.data and b"alert" not in a.data for a in answers)
    assert seen(answers[0].data)[1] == (2000, 4)


def test_a_part_is_painted_once_and_a_bomb_is_tried_once(app, box, browser_of, monkeypatch):
    from drawings import bomb
    raw = inline(("image/png", noise(), "a@x"), ("image/png", bomb(59_991), "b@x"), html='<img src="cid:a@x"><img src="cid:b@x">')
    arrive(box, raw)
    asked = []
    real = paintings._paint
    monkeypatch.setattr(paintings, "_paint", lambda *a: asked.append(1) or real(*a))
    with browser_of("marek") as client:
        for _ in range(3):
            assert painted(client, frame(client, stored(Message)[0].id)[1]) == [200, 404]
    assert len(asked) == 2
    assert len(stored(Attachment)) == 2


def test_a_letter_of_bombs_gets_its_share_of_time_and_others_are_painted_meanwhile(app, box, browser_of, monkeypatch):
    monkeypatch.setattr(paintings, "SPENT_MOST", 0.0)
    monkeypatch.setattr(paintings, "_spent", {})
    raw = inline(*(("image/png", noise(size=(70 + n, 9)), f"{n}@x") for n in range(4)),
                 html="".join(f'<img src="cid:{n}@x">' for n in range(4)))
    arrive(box, raw, inline(("image/png", noise(size=(69, 9)), "a@x"), html='<img src="cid:a@x">'))
    one, two = (m.id for m in stored(Message))
    with browser_of("marek") as client:
        assert painted(client, frame(client, one)[1]) == [200, 503, 503, 503]
        assert painted(client, frame(client, two)[1]) == [200]
        monkeypatch.setattr(paintings, "SPENT_MOST", 15.0)
        assert painted(client, frame(client, one)[1]) == [200] * 4, "nothing was taken for broken"


def test_links_are_the_same_for_a_while_so_that_a_browser_keeps_the_picture(box, outside, browser_of, monkeypatch):
    mail = newsletter(box, outside)
    with browser_of("marek") as client:
        say(client, mail)
        jobs.fetch(mail)
        at = (int(time.time()) // 3600 + 1) * 3600 + 10
        with unit():
            db.session.execute(update(PictureLeave).values(until=now() + timedelta(days=1)))
        monkeypatch.setattr(time, "time", lambda: at)
        first = frame(client, mail)[1]
        monkeypatch.setattr(time, "time", lambda: at + 3000)
        assert frame(client, mail)[1] == first
        monkeypatch.setattr(time, "time", lambda: at + 3599)
        assert painted(client, first) == [200, 200]
        monkeypatch.setattr(time, "time", lambda: at + 2 * 3600)
        assert painted(client, first) == [404, 404]


def test_a_small_picture_of_a_preview_is_another_one(app, team):
    raw = picture(size=(800, 400))
    assert paintings.painted("a" * 64, lambda: raw, 200, 200).width == 200
    assert paintings.painted("a" * 64, lambda: raw).width == 800
    assert paintings.painted("a" * 64, lambda: pytest.fail("read again"), 200, 200).height == 100
    assert Image.open(io.BytesIO(paintings.known("a" * 64).content)).size == (800, 400)
