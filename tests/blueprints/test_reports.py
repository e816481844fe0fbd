"""Reports: what is counted, on which day, for whom it is shown, and as a file."""

import csv
import io
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from mailroom import arrive, connected, inbox, letter, person
from sqlalchemy import event

from webapp.actions import conversations, replies
from webapp.actions.answers import left
from webapp.extensions import db, unit
from webapp.models import Connection, Conversation, Inbox, Outbox
from webapp.models.types import now


def this_day():
    return now().astimezone(ZoneInfo("Europe/Warsaw")).date()


@pytest.fixture
def box(app, team):
    box = connected()
    with unit():
        inbox().first_within = 60
        db.session.get(Connection, box).created_at -= timedelta(days=400)
    return box


def write(box, n, at=None, **headers):
    arrive(box, letter(Message_ID=f"<{n}@customer.example>", subject=f"Pallet {n}", **headers), first_uid=n, at=at)
    return db.session.query(db.func.max(Conversation.id)).scalar()


def answer(number, who="marek", closes=False):
    with unit():
        row = replies.reply(person(who), db.session.get(Conversation, number), "Hello")
        row.state, row.sent_at = "sent", now()
        db.session.flush()
        left(db.session.get(Outbox, row.id))
        if closes:
            conversations.close(person(who), db.session.get(Conversation, number))


def table(client, name, query=""):
    answer = client.get(f"/reports/{name}.csv?{query}")
    assert answer.status_code == 200 and answer.content_type.startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_mail_answers_and_closings_are_counted(box, browser_of):
    answer(write(box, 1, now() - timedelta(minutes=30)))
    answer(write(box, 2, now() - timedelta(minutes=90)), closes=True)
    write(box, 3)
    with browser_of("zofia") as client:
        [row] = table(client, "inboxes")
        assert (row["Inbox"], row["Mail in"], row["Mail out"], row["New conversations"], row["Closed conversations"]) == (
            "Support", "3", "2", "3", "1")
        assert row["First answer, median (minutes)"] in ("30", "31") and row["Within target (%)"] == "50"
        assert row["First answer, nine of ten within (minutes)"] in ("90", "91")
        assert row["Until closed, median (minutes)"] in ("90", "91")
        [row] = table(client, "people")
        assert (row["Person"], row["Mail out"], row["Closed conversations"]) == ("Marek", "2", "1")
        shown = client.get("/reports").text
        assert "By person" in shown and "Marek" in shown and "50\u00a0%" in shown and shown.count("<svg class=\"plot__bars\"") == 2


@pytest.mark.parametrize("what", [{"Auto_Submitted": "auto-generated"}, {"Return_Path": "<>"}])
def test_robots_are_not_counted(box, browser_of, what):
    write(box, 1, **what)
    with browser_of("zofia") as client:
        [row] = table(client, "inboxes")
        assert (row["Mail in"], row["New conversations"]) == ("0", "0")


def test_what_has_not_left_and_will_not_is_not_counted(box, browser_of):
    answer(write(box, 1))
    for number, how in ((write(box, 2), {}), (write(box, 3), {"at": now() + timedelta(hours=1)})):
        with unit():
            row = replies.reply(person("marek"), db.session.get(Conversation, number), "Hello", **how)
            row.state = "queued" if how else "refused"
    with browser_of("zofia") as client:
        assert table(client, "inboxes")[0]["Mail out"] == "1"
        assert table(client, "people")[0]["Mail out"] == "1"


def test_spam_is_not_counted(box, browser_of):
    number = write(box, 1)
    with unit():
        conversations.mark_spam(person("marek"), db.session.get(Conversation, number))
    with browser_of("zofia") as client:
        [row] = table(client, "inboxes")
        assert (row["Mail in"], row["New conversations"]) == ("0", "0")


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"])
def test_days_and_hours_are_those_of_the_reader(box, browser_of, zone):
    with unit():
        person("zofia").time_zone = zone
    here = (now() - timedelta(days=3)).astimezone(ZoneInfo(zone)).replace(minute=0, second=0)
    midnight = here.replace(hour=0)
    for n, at in enumerate((midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=23, minutes=59)), 1):
        write(box, n, at.astimezone(UTC))
    with browser_of("zofia") as client:
        rows = {row["Day"]: row["Mail in"] for row in table(client, "days", "days=7")}
        assert len(rows) == 7 and rows[midnight.date().isoformat()] == "2"
        assert rows[(midnight.date() - timedelta(days=1)).isoformat()] == "1"
        hours = table(client, "hours", "days=7")[midnight.weekday()]
        assert (hours["0:00"], hours["23:00"]) == ("1", "1")


def test_the_period_before_stands_beside_it(box, browser_of):
    for n, days in enumerate((1, 2, 8), 1):
        write(box, n, now() - timedelta(days=days))
    with browser_of("marek") as client:
        assert "before: 1 (+100\u00a0%)" in client.get("/reports?days=7").text
        own = f"days=own&since={this_day() - timedelta(days=8)}&until={this_day() - timedelta(days=8)}"
        assert [row["Mail in"] for row in table(client, "days", own)] == ["1"]


def test_one_sees_what_one_may_read_and_persons_only_as_an_admin(box, browser_of):
    with unit():
        db.session.add(Inbox(name="Secret", access="members"))
    answer(write(box, 1))
    with browser_of("ewa") as client:
        shown = client.get("/reports").text
        assert "Support" in shown and "Secret" not in shown and "By person" not in shown and "Marek" not in shown
        assert client.get("/reports/people.csv").status_code == 404
        with unit():
            secret = inbox("Secret").id
        assert client.get(f"/reports?inbox={secret}").status_code == 404
        assert client.get("/reports?inbox=x&days=999&by=<b>&since=1").status_code == 200


def test_a_swap_gets_the_figures_alone(box, browser_of):
    with browser_of("zofia") as client:
        part = client.get("/reports?days=7", headers={"HX-Request": "true"}).text
        assert part.lstrip().startswith('<div id="report"') and "<html" not in part


def test_a_file_has_no_formulas(box, browser_of):
    with unit():
        inbox().name = "=1+1"
    write(box, 1)
    with browser_of("zofia") as client:
        assert table(client, "inboxes")[0]["Inbox"] == "'=1+1"


def test_it_is_read_from_indexes(box, browser_of):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads a small table whole")
    asked = []

    def listen(_connection, _cursor, statement, values, *_):
        if "count(*)" in statement and "GROUP BY 1" in statement:
            asked.append((statement, values))
    event.listen(db.engine, "before_cursor_execute", listen)
    with browser_of("zofia") as client:
        client.get("/reports")
    event.remove(db.engine, "before_cursor_execute", listen)
    plans = " ".join(str(db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {s}", v).all()) for s, v in asked)
    assert len(asked) >= 6
    for name in ("ix_message_report", "ix_conversation_opened", "ix_closing_report", "ix_answer_report"):
        assert name in plans, plans
    assert "SCAN" not in plans, plans
