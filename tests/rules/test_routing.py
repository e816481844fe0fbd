"""What rules decide of a mail, and who gets it: pure, total, in order, fair."""

import random

import pytest

from webapp.rules import RuleBroken
from webapp.rules.routing import Candidate, Mail, Rule, check_rule, choose, conflicts, decide, holds
from webapp.rules.routing.conditions import FIELDS, TEXT_READ


def cond(field, how, *values, name=""):
    return {"field": field, "how": how, "values": list(values), "name": name}


def rule(number, *conditions, does=({"do": "close"},), **how):
    return Rule(number, tuple(conditions), tuple(does), **how)


ANNA = dict(sender="Anna@Sub.Customer.example", recipients=("support@corp.example",), address="support@corp.example",
            subject="Uszkodzona PALETA", text="Sie ist kaputt, straße 5", files=("Rechnung.PDF",), size=3_000_000,
            header={"x-priority": "1 (Highest)"}, language="de", tags=(4,))


@pytest.mark.parametrize("condition, is_so", [
    (cond("sender", "is", "anna@sub.customer.example"), True), (cond("sender", "is", "customer.example"), True),
    (cond("sender", "is", "omer.example"), False), (cond("sender", "is_not", "customer.example"), False),
    (cond("recipient", "is", "support@corp.example"), True), (cond("recipient", "is_not", "sales@corp.example"), True),
    (cond("address", "is", "support@corp.example"), True), (cond("address", "is", "sales@corp.example"), False),
    (cond("subject", "contains", "x", "paleta"), True), (cond("subject", "lacks", "paleta"), False),
    (cond("subject", "contains", "kaputt"), False), (cond("words", "contains", "kaputt"), True),
    (cond("text", "contains", "kaputt"), True), (cond("text", "contains", "paleta"), False),
    (cond("text", "lacks", "paleta"), True), (cond("owner", "is", "7"), False), (cond("owner", "is_not", "7"), True),
    (cond("words", "contains", "STRASSE"), True), (cond("words", "lacks", "invoice"), True),
    (cond("header", "contains", "highest", name="X-Priority"), True),
    (cond("header", "contains", "1", name="X-Other"), False), (cond("header", "lacks", "1", name="X-Other"), True),
    (cond("language", "is", "de", "en"), True), (cond("language", "is_not", "pl"), True),
    (cond("files", "any"), True), (cond("files", "none"), False), (cond("files", "contains", ".pdf"), True),
    (cond("files", "contains", ".docx"), False), (cond("size", "over", "2.5"), True),
    (cond("size", "under", "2.5"), False),
    (cond("contact", "new"), True), (cond("contact", "known"), False), (cond("owner", "none"), True),
    (cond("tag", "is", "4"), True), (cond("tag", "is_not", "4", "5"), False), (cond("tag", "is", "5"), False),
    (cond("written_by", "is", "person"), True), (cond("written_by", "is_not", "list", "robot"), True),
    (cond("hours", "inside"), True), (cond("hours", "outside"), False)])
def test_each_condition_holds_or_not(condition, is_so):
    assert holds(condition, Mail(**ANNA))[0] is is_so


def test_every_field_and_comparison_is_asked_above_or_answers_of_nothing():
    for field, what in FIELDS.items():
        for how in what.hows:
            values = ["1"] if what.takes == "number" else ["x"]
            is_so, _found = holds(cond(field, how, *values, name="x"), Mail())
            assert is_so in (True, False)


def test_words_are_found_however_they_are_written():
    for typed in ("żółw", "ŻÓŁW", "żo\u0301łw"):
        assert holds(cond("subject", "contains", typed), Mail(subject="Mój żo\u0301łW zginął"))[0]


@pytest.mark.parametrize("match, is_so", [("all", False), ("any", True), ("none", False)])
def test_all_any_and_none(match, is_so):
    one = rule(1, cond("subject", "contains", "paleta"), cond("language", "is", "pl"), match=match)
    assert bool(decide([one], Mail(**ANNA)).matched) is is_so


def test_the_first_that_holds_decides_and_the_rest_is_not_read():
    steps = decide([rule(1, cond("language", "is", "pl")), rule(2, is_on=False), rule(3, go_on=True),
                    rule(4, cond("files", "any")), rule(5)], Mail(**ANNA)).steps
    assert [(s.rule_id, s.verdict) for s in steps] == [
        (1, "failed"), (2, "off"), (3, "matched"), (4, "matched"), (5, "not_read")]
    assert steps[0].found == ((0, None),) and steps[3].found == ((0, "Rechnung.PDF"),)


def test_what_an_earlier_rule_decided_stands_and_tags_add_up():
    to = lambda n: {"do": "assign", "people": [n]}  # noqa: E731
    tag = lambda n: {"do": "tag", "tag": n}  # noqa: E731
    found = decide([rule(1, does=[to(1), tag(1)], go_on=True),
                    rule(2, does=[{"do": "owner"}, tag(2), {"do": "snooze", "hours": 1}], go_on=True),
                    rule(3, does=[{"do": "close"}, tag(3)])], Mail())
    assert found.actions == [(1, to(1)), (1, tag(1)), (2, tag(2)), (2, {"do": "snooze", "hours": 1}), (3, tag(3))]


def test_any_rules_and_any_mail_give_a_decision_and_the_same_again():
    dice = random.Random(7)
    for _ in range(300):
        rules = [rule(n, *(_any_condition(dice) for _ in range(dice.randint(0, 3))), match=dice.choice(
            ("all", "any", "none")), go_on=dice.random() < .4, is_on=dice.random() < .9) for n in range(1, 9)]
        mail = dict(ANNA, subject=dice.choice(("", "x", "ż")), size=dice.randint(0, 9_000_000),
                    language=dice.choice((None, "pl")), owner_id=dice.choice((None, 3)))
        first, second = decide(rules, Mail(**mail)), decide(rules, Mail(**mail))
        assert (first.steps, first.actions) == (second.steps, second.actions) and len(first.steps) == len(rules)
        verdicts = [s.verdict for s in first.steps]
        ended = [n for n, s in enumerate(first.steps) if s.verdict == "matched" and not rules[n].go_on]
        assert set(verdicts[ended[0] + 1:]) <= {"not_read"} if ended else "not_read" not in verdicts


def _any_condition(dice):
    field = dice.choice(list(FIELDS))
    values = [str(dice.randint(1, 5))] if FIELDS[field].takes == "number" else dice.sample(("x", "ż", "pl", "4"), 2)
    return cond(field, dice.choice(FIELDS[field].hows), *values, name="x-priority")


def test_what_costs_something_is_read_only_when_a_rule_asks():
    def never():
        raise AssertionError
    decide([rule(1, cond("subject", "contains", "x"))], Mail(subject="y", text=never, header=never, language=never,
                                                             files=never))


def test_five_hundred_rules_decide_of_ten_megabytes_in_time():
    words = [cond("words", "contains", *(f"word{n}{k}" for k in range(20))) for n in range(500)]
    mail = Mail(subject="x", text="wor" * 3_500_000)
    assert len(decide([rule(n, c) for n, c in enumerate(words)], mail).steps) == 500
    assert len(mail.folded_words) == len("x\n") + TEXT_READ, "what is looked at has a bound; benchmarks/routing.py times it"


# --- dividing

def test_of_several_whoever_had_none_for_longest_gets_it():
    assert choose([Candidate(1, turn=5), Candidate(2, turn=3), Candidate(3)]) == (3, "turns")
    assert choose([Candidate(1, turn=5), Candidate(2, turn=3)]) == (2, "turns")
    assert choose([Candidate(1, open=3, turn=1), Candidate(2, open=2, turn=9)], "least") == (2, "least")


@pytest.mark.parametrize("candidates, cap, why", [
    ([], None, "nobody_there"), ([Candidate(1, may=False)], None, "nobody_there"),
    ([Candidate(1, available=False)], None, "nobody_available"), ([Candidate(1, open=3)], 3, "all_full")])
def test_nobody_gets_it_and_why(candidates, cap, why):
    assert choose(candidates, cap=cap) == (None, why)


def test_over_ten_thousand_messages_nobody_is_off_by_more_than_one_while_the_same_are_there():
    dice, turns = random.Random(3), {}
    there, got = set(range(7)), {}
    for n in range(10_000):
        if n % 97 == 0:
            there, got = set(dice.sample(range(7), dice.randint(1, 7))), {}
        chosen, _why = choose([Candidate(i, available=i in there, turn=turns.get(i, 0)) for i in range(7)])
        assert chosen in there
        turns[chosen] = n + 1
        got[chosen] = got.get(chosen, 0) + 1
        assert max(got.values()) - min(got.get(i, 0) for i in there) <= 1


# --- writing

@pytest.mark.parametrize("given, field, code", [
    (dict(actions=[]), "rule", "no_action"), (dict(match="some"), "rule", "not_now"),
    (dict(conditions=[cond("subject", "contains")]), "condition0", "no_values"),
    (dict(conditions=[cond("subject", "contains", " ")]), "condition0", "no_values"),
    (dict(conditions=[cond("hours", "inside"), cond("sender", "is", "nobody")]), "condition1", "bad_pattern_of"),
    (dict(conditions=[cond("size", "over", "-1")]), "condition0", "bad_size"),
    (dict(conditions=[cond("size", "over", "nan")]), "condition0", "bad_size"),
    (dict(conditions=[cond("header", "contains", "x", name="a b")]), "condition0", "no_header"),
    (dict(conditions=[cond("language", "is", "xx")]), "condition0", "not_now"),
    (dict(conditions=[cond("sender", "contains", "x")]), "condition0", "not_now"),
    (dict(conditions=[cond("subject", "contains", "x" * 201)]), "condition0", "long_value"),
    (dict(conditions=[cond("hours", "inside")] * 21), "rule", "many_conditions"),
    (dict(actions=[{"do": "assign", "people": []}]), "action0", "nobody_chosen"),
    (dict(actions=[{"do": "snooze", "hours": "0"}]), "action0", "bad_hours_of"),
    (dict(actions=[{"do": "tag"}]), "action0", "no_choice"), (dict(actions=[{"do": "explode"}]), "action0", "not_now"),
    (dict(actions=[{"do": "target", "minutes": "x"}]), "action0", "bad_target"),
    (dict(actions=[{"do": "close"}, {"do": "spam"}]), "rule", "two_of_a_kind"), (dict(count=500), "rule", "many_rules")])
def test_a_rule_that_cannot_work_is_refused_at_its_field(given, field, code):
    whole = dict(match="all", conditions=[cond("hours", "inside")], actions=[{"do": "close"}]) | given
    with pytest.raises(RuleBroken) as broken:
        check_rule(**whole)
    assert (broken.value.field, broken.value.code) == (field, code)


def test_what_is_stored_is_tidy():
    conditions, actions = check_rule("any", [
        cond("sender", "is", " @Customer.Example ", "customer.example"), cond("size", "over", "2,50"),
        cond("files", "any", "left over"), cond("header", "contains", "x", name="X-Priority:")],
        [{"do": "assign", "people": ["3", 1, "1"], "how": "?"}, {"do": "team", "team": "2", "how": "least"}][:1])
    assert conditions == [cond("sender", "is", "customer.example"), cond("size", "over", "2.5"), cond("files", "any"),
                          cond("header", "contains", "x", name="X-Priority")]
    assert actions == [{"do": "assign", "people": [1, 3], "how": "turns"}]


# --- conflicts

KNOWN = {"people": {1, 2}, "named": {1: "Anna", 9: "Olga"}, "teams": {5: 2, 6: 0}, "tags": {4: "x"}, "inboxes": {3: "S"},
         "templates": {}, "addresses": {"support@corp.example": "support@corp.example"}}


@pytest.mark.parametrize("one, codes", [
    (rule(1, does=[{"do": "assign", "people": [1, 9]}]), [("no_access", {"name": "Olga"})]),
    (rule(1, does=[{"do": "team", "team": 7}]), [("gone_team", {})]),
    (rule(1, does=[{"do": "team", "team": 6}]), [("empty_team", {})]),
    (rule(1, does=[{"do": "tag", "tag": 8}]), [("gone_tag", {})]), (rule(1, does=[{"do": "move", "inbox": 8}]), [
        ("gone_inbox", {})]), (rule(1, does=[{"do": "answer", "template": 8}]), [("gone_template", {})]),
    (rule(1, cond("address", "is", "old@corp.example")), [("gone_address", {"address": "old@corp.example"})]),
    (rule(1, cond("language", "is", "de"), cond("language", "is", "pl")), [("never", {})]),
    (rule(1, cond("size", "over", "5"), cond("size", "under", "5")), [("never", {})]),
    (rule(1, cond("subject", "contains", "a"), cond("subject", "lacks", "a", "b")), [("never", {})]),
    (rule(1, cond("contact", "new"), cond("contact", "known")), [("never", {})]),
    (rule(1, cond("files", "any"), cond("files", "none")), [("never", {})]),
    (rule(1, cond("owner", "any"), cond("owner", "none")), [("never", {})]),
    (rule(1, cond("owner", "is", "1"), cond("owner", "is_not", "1", "2")), [("never", {})]),
    (rule(1, cond("owner", "is", "1"), cond("owner", "is_not", "2")), None),
    (rule(1, cond("subject", "contains", "a", "c"), cond("subject", "lacks", "a", "b")), None),
    (rule(1, cond("subject", "contains", "a"), cond("subject", "contains", "b")), None),
    (rule(1, cond("language", "is", "de"), cond("language", "is", "pl"), match="any"), None),
    (rule(1, cond("sender", "is", "a.example"), cond("sender", "is", "b.example")), None)])
def test_what_is_wrong_with_a_rule_is_said(one, codes):
    assert conflicts([one], KNOWN).get(1) == codes


@pytest.mark.parametrize("one, other, is_so", [
    (rule(1), rule(2, cond("files", "any")), True), (rule(1, go_on=True), rule(2), False),
    (rule(1, is_on=False), rule(2), False),
    (rule(1, cond("subject", "contains", "a", "b")), rule(2, cond("subject", "contains", "a")), True),
    (rule(1, cond("subject", "contains", "a")), rule(2, cond("subject", "contains", "a", "b")), False),
    (rule(1, cond("subject", "lacks", "a")), rule(2, cond("subject", "lacks", "a", "b")), True),
    (rule(1, cond("words", "contains", "a")), rule(2, cond("subject", "contains", "a"), cond("files", "any")), True),
    (rule(1, cond("files", "any"), cond("hours", "inside")), rule(2, cond("files", "any")), False),
    (rule(1, cond("files", "any"), cond("hours", "inside"), match="any"), rule(2, cond("files", "any")), True),
    (rule(1, cond("files", "any")), rule(2, cond("files", "any"), cond("hours", "inside"), match="any"), False),
    (rule(1, cond("size", "over", "2")), rule(2, cond("size", "over", "3")), True),
    (rule(1, cond("files", "any"), match="none"), rule(2, cond("files", "none")), False)])
def test_a_rule_that_another_always_overtakes_is_said(one, other, is_so):
    found = conflicts([one, other], KNOWN)
    assert (found.get(2) == [("shadowed", {"by": 1})]) is is_so
    if is_so:       # and indeed: whatever makes the later hold makes the earlier hold
        dice = random.Random(1)
        for _ in range(400):
            mail = dict(subject=dice.choice(("a", "b", "ab", "c")), files=dice.choice(((), ("f",))),
                        size=dice.randint(0, 5_000_000), in_hours=dice.random() < .5)
            if decide([other], Mail(**mail)).matched:
                assert decide([one], Mail(**mail)).matched
