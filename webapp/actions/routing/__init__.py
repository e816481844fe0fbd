"""New mail is routed by the rules of its inbox: decided, carried out, and explained.

A mail is routed once (Routed), in a transaction of its own. Nobody there: it waits for whom the rule named, and the
clock gives it to the first who comes back.
"""

from webapp.actions.routing.dividing import (
    GIVES,
    away,
    divide_waiting,
    group_of,
    hand_over,
    inboxes_that_wait,
    pick,
    to_hand_over,
)
from webapp.actions.routing.editing import change, checked, move, remove, save, set_limit, set_otherwise, switch
from webapp.actions.routing.facts import mail_of, try_mail
from webapp.actions.routing.known import able_people, addresses_of, known_of, naming, routes_of, rule_of, rules_of
from webapp.actions.routing.routing import JOB, due, kept_of, note_due, remind, route, steps_of, to_remind

__all__ = ["GIVES", "JOB", "able_people", "addresses_of", "away", "change", "checked", "divide_waiting", "due",
           "group_of", "hand_over", "inboxes_that_wait", "kept_of", "known_of", "mail_of", "move", "naming", "note_due",
           "pick", "remind", "remove", "route", "routes_of", "rule_of", "rules_of", "save", "set_limit",
           "set_otherwise", "steps_of", "switch", "to_hand_over", "to_remind", "try_mail"]
