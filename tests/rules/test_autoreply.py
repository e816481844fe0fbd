import json
import random
from pathlib import Path

import pytest

from webapp.mail.parse import parse
from webapp.mail.types import Automatic
from webapp.rules.autoreply import PER_DOMAIN, PER_INBOX, PER_SENDER, Mail, Sent, may_answer, over_cap

CASES = [json.loads(line) for line in (Path(__file__).parents[2].parent / "shared/cases/loop-headers.jsonl").open()]
US = "support@us.test"
PLAIN = Mail("a@b.test", to=(US,), here=frozenset({US}), own=frozenset({US}), subject="hi")


def mail_of(headers):
    """As the filing makes it, of a raw header. The cases write many Received headers as one of many words."""
    lines = []
    for name, value in headers.items():
        lines += [f"{name}: {v}" for v in (value.split() if name == "Received" else [value])]
    parsed = parse("\r\n".join([*lines, "", "Hello"]).encode())
    return Mail(sender=parsed.sender.address, to=tuple(m.address for m in (*parsed.to, *parsed.cc)),
                reply_to=tuple(m.address for m in parsed.reply_to), subject=parsed.subject, automatic=parsed.automatic,
                ambiguous=parsed.sender_ambiguous, bounce=parsed.bounce, invitation=bool(parsed.invitation),
                own=frozenset({US}), here=frozenset({US}))


@pytest.mark.parametrize("case", [c for c in CASES if "headers" in c], ids=lambda c: c["id"])
def test_the_given_headers(case):
    assert (may_answer(mail_of(case["headers"])) is None) is case["may_auto_reply"], may_answer(mail_of(case["headers"]))


@pytest.mark.parametrize("changes, reason", [
    (dict(ambiguous=True), "nobody"), (dict(sender=""), "nobody"), (dict(spam=True), "spam"),
    (dict(bounce=True), "report"), (dict(automatic=Automatic(report=True)), "report"),
    (dict(automatic=Automatic(submitted="auto-replied")), "automatic"), (dict(automatic=Automatic(away=True)), "automatic"),
    (dict(automatic=Automatic(robot=True)), "automatic"), (dict(automatic=Automatic(lists=True)), "list"),
    (dict(automatic=Automatic(precedence="auto_reply")), "list"),
    (dict(automatic=Automatic(suppress=("dr", "oof"))), "suppressed"),
    (dict(automatic=Automatic(suppress=("autoreply",))), "suppressed"),
    (dict(automatic=Automatic(null_path=True)), "no_path"), (dict(automatic=Automatic(hops=30)), "looped"),
    (dict(invitation=True), "invitation"), (dict(automatic=Automatic(calendar=True)), "invitation"),
    (dict(sender="news-noreply@b.test"), "daemon"), (dict(sender="do-not-reply@b.test"), "daemon"),
    (dict(sender="owner-x@b.test"), "daemon"), (dict(sender="x-bounces@b.test"), "daemon"),
    (dict(own=frozenset({"a@b.test"})), "own"), (dict(reply_to=("Support+1@us.test",)), "own"),
    (dict(to=("other@us.test",)), "not_to_us"), (dict(to=()), "not_to_us"),
    (dict(subject="Automatyczna odpowiedź: Paleta"), "subject"), (dict(subject="  OUT OF OFFICE: x"), "subject"),
])
def test_each_condition_alone_is_enough(changes, reason):
    assert may_answer(PLAIN._replace(**changes)) == reason


@pytest.mark.parametrize("changes", [
    {}, dict(to=("support+shop@us.test",)), dict(automatic=Automatic(submitted="no", precedence="first-class", hops=29)),
    dict(automatic=Automatic(suppress=("dr", "rn"))), dict(subject="Re: Out of office: x"),
    dict(sender="root.beer@b.test"), dict(sender="anna.noreplyson@b.test"), dict(subject="")])
def test_a_person_is_answered(changes):
    assert may_answer(PLAIN._replace(**changes)) is None


REASONS = [dict(ambiguous=True), dict(spam=True), dict(bounce=True), dict(invitation=True), dict(sender="noreply@b.test"),
           dict(own=frozenset({"a@b.test"})), dict(to=()), dict(automatic=Automatic(lists=True)),
           dict(subject="Undeliverable: x"), dict(automatic=Automatic(submitted="auto-generated"))]


def test_nothing_outweighs_a_reason():
    rng = random.Random(1)
    for _ in range(2_000):
        mail = PLAIN
        for change in rng.sample(REASONS, rng.randint(1, 4)):
            mail = mail._replace(**change)
        assert may_answer(mail) is not None


def test_no_text_breaks_it():
    rng = random.Random(2)

    def text():
        return "".join(rng.choice("a@.+-\x00 \u202eż\ud800İ_noreply") for _ in range(rng.randint(0, 40)))
    for _ in range(3_000):
        assert may_answer(PLAIN._replace(sender=text(), subject=text(), to=(text(), text()))) in (
            "nobody", "daemon", "own", "not_to_us", "subject", None)


def test_more_answers_never_open_a_cap():
    rng = random.Random(3)
    for _ in range(2_000):
        sent = Sent(rng.choice((0, 0, 1, 5)), rng.randint(0, 25), rng.randint(150, 250))
        if over_cap(sent):
            assert over_cap(Sent(*(n + 1 for n in sent)))
        else:
            assert sent.to_sender < PER_SENDER and sent.to_domain < PER_DOMAIN and sent.to_all < PER_INBOX
