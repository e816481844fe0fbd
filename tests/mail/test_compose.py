import email
import email.policy
import random
from datetime import UTC, datetime

import pytest

from webapp.mail.compose import (
    Attachment,
    build_message,
    envelope_address,
    is_ours,
    mint_message_id,
    references_for,
    reply_subject,
)
from webapp.mail.parse import parse
from webapp.mail.types import Mailbox

ZOFIA, EWA = Mailbox("Zofia Żak", "zofia@firma.example"), Mailbox("Ewa", "ewa@klient.example")
SECRET = b"s" * 32
EVIL = [
    "x\r\nBcc: steal@evil.test",
    "x\nBcc: a@evil.test",
    "x\rBcc: a@evil.test",
    "x\r\n\r\nbody",
    "x\u2028Bcc: a@evil.test",
    "x\x85Bcc: a@evil.test",
    "x\x0bBcc: a",
    "x\x00y",
    "=?utf-8?Q?x=0D=0ABcc:_a@evil.test?=",
    "\u202ex",
    "\r\n",
    "x " * 20_000,
    "=?utf-8?b?eA0KQmNjOiBhQGV2aWwudGVzdA==?=",
    "x\r\n.\r\nMAIL FROM:<a@evil.test>\r\n",
    "嘍嘊Bcc: a@evil.test",
    "a" * 40_000,
]


def build(**changes):
    values = dict(
        sender=ZOFIA,
        to=[EWA],
        subject="Hi",
        text="Hello\n",
        message_id="1.a@firma.example",
        date=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return build_message(**(values | changes))


def headers(raw):
    return email.message_from_bytes(raw, policy=email.policy.compat32).keys()


def test_a_plain_message_reads_back_as_it_was_meant():
    parsed = parse(
        build(
            subject="Zażółć gęślą jaźń " * 6,
            text="Dzień dobry\n",
            cc=[Mailbox('Nowak, "Jan"', "jan@x.example")],
            in_reply_to="p@x",
            references=("a@x", "p@x"),
        )
    )
    assert parsed.subject == ("Zażółć gęślą jaźń " * 6).strip()
    assert parsed.sender == ZOFIA and parsed.to == (EWA,)
    assert parsed.cc == (Mailbox('Nowak, "Jan"', "jan@x.example"),)
    assert parsed.text.strip() == "Dzień dobry"
    assert parsed.in_reply_to == ("p@x",) and parsed.references == ("a@x", "p@x")
    assert parsed.message_id == "1.a@firma.example" and parsed.date == datetime(2026, 1, 2, tzinfo=UTC)


def test_html_comes_as_the_second_of_two_alternatives():
    parsed = parse(build(html="<p>Hello</p>", attachments=[Attachment("ü.pdf", "application/pdf", b"\x00\xff" * 9)]))
    assert parsed.text.strip() == "Hello" and parsed.html.strip() == "<p>Hello</p>"
    assert [(p.filename, p.size) for p in parsed.parts] == [("ü.pdf", 18)]


@pytest.mark.parametrize("value", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("field", ["subject", "text", "html", "name", "extra", "in_reply_to", "references", "filename"])
def test_a_value_never_becomes_a_header_of_its_own(field, value):
    change = {
        "name": {"to": [Mailbox(value, EWA.address)]},
        "extra": {"extra_headers": {"X-Note": value}},
        "references": {"references": (value, "ok@x")},
        "filename": {"attachments": [Attachment(value, "text/plain", b"x")]},
    }.get(field, {field: value})
    raw = build(**change)
    allowed = {
        "Date",
        "From",
        "To",
        "Subject",
        "Message-ID",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
        "X-Note",
        "In-Reply-To",
        "References",
    }
    found = headers(raw)
    assert set(found) <= allowed and len(found) == len(set(found))
    parsed = parse(raw)
    assert [m.address for m in parsed.to] == [EWA.address]
    assert "\n" not in parsed.subject and "\r" not in parsed.subject


@pytest.mark.parametrize(
    "address",
    [
        "x\r\nBcc: a@b",
        "a@b.test, c@d.test",
        "<a@b.test>",
        "a@b.test>\r\nX: y",
        "żółć@x.example",
        "a@",
        "@b",
        "a b@c.test",
        "a@b@c",
        "a@[127.0.0.1]",
        "",
        '"a b"@c.test',
    ],
)
def test_an_address_that_is_not_one_address_is_refused(address):
    for change in (
        {"to": [Mailbox("", address)]},
        {"sender": Mailbox("", address)},
        {"reply_to": Mailbox("", address)},
    ):
        with pytest.raises(ValueError):
            build(**change)


def test_a_domain_in_other_letters_goes_out_as_a_label_and_the_local_part_as_typed():
    assert envelope_address("Jan.K+x@ŻÓŁW.example") == "Jan.K+x@xn--w-uga1v8h.example"


@pytest.mark.parametrize("name", ["Bcc", "bcc", "From", "Subject", "X Y", "X:Y", "X\r\nY", "Content-Type", ""])
def test_an_extra_header_cannot_be_one_of_ours_or_a_broken_one(name):
    with pytest.raises(ValueError):
        build(extra_headers={name: "x"})


def test_no_bare_line_end_leaves_whatever_the_body_holds():
    rng = random.Random(3)
    for _ in range(150):
        body = "".join(
            rng.choice(["\r", "\n", "\r\n", ".", "a", "ż", "\x00", "\x0b", "\u2028", "\x85", " ", "x" * 1200])
            for _ in range(40)
        )
        raw = build(text=body, html=rng.choice([None, body]))
        rest = raw.replace(b"\r\n", b"")
        assert b"\r" not in rest and b"\n" not in rest and b"\0" not in rest
        assert max(map(len, raw.split(b"\r\n"))) <= 998 and raw.isascii()


def test_long_references_are_folded_and_stay_identifiers():
    ids = tuple(f"{'a' * 150}{n}@mail.example" for n in range(100))
    assert parse(build(references=ids)).references == ids


def test_only_our_own_identifiers_are_ours():
    mine = mint_message_id("firma.example", SECRET)
    assert is_ours(mine, SECRET) and is_ours(f"<{mine}>", SECRET) and mine != mint_message_id("firma.example", SECRET)
    token, rest = mine.split(".", 1)
    for forged in (
        None,
        "",
        "x",
        "@",
        mine[1:],
        mine.replace("@firma", "@evil"),
        token[::-1] + "." + rest,
        token + ".@firma.example",
        "ż.ż@firma.example",
    ):
        assert not is_ours(forged, SECRET)
    assert not is_ours(mine, b"t" * 32)


@pytest.mark.parametrize(
    "subject, answer",
    [
        ("Hi", "Re: Hi"),
        ("Re: Hi", "Re: Hi"),
        ("RE: re: AW: Hi", "Re: Hi"),
        ("Odp: Oferta", "Re: Oferta"),
        ("SV: x", "Re: x"),
        ("Re[2]: x", "Re: x"),
        ("", "Re:"),
        ("Fwd: x", "Re: Fwd: x"),
        ("Regarding: x", "Re: Regarding: x"),
        ("x\r\ny", "Re: x y"),
    ],
)
def test_an_answer_has_one_re(subject, answer):
    assert reply_subject(subject) == answer
    assert reply_subject(answer) == answer


def test_references_keep_the_first_and_the_latest():
    ids = tuple(f"{n}@x" for n in range(150))
    found = references_for("parent@x", ids)
    assert len(found) == 100 and found[0] == "0@x" and found[-1] == "parent@x" and found[-2] == "149@x"
    assert references_for("p@x", ("a@x", "p@x")) == ("a@x", "p@x") and references_for(None) == ()
