"""New mail is routed by the rules of its inbox: decided, carried out, and explained.

A mail is routed once (Routed), in a transaction of its own. Nobody there: it waits for whom the rule named, and the
clock gives it to the first who comes back.
"""

from webapp.actions.routing.dividing import (
    GIVES,
    away,
    choice_of,
    forget_waiting,
    give_waiting,
    hand_on,
    handed_over,
    inboxes_that_wait,
    newest_of,
    of_absent,
    to_give,
    to_hand_over,
)
from webapp.actions.routing.editing import change, checked, move, remove, save, set_limit, set_otherwise, switch
from webapp.actions.routing.facts import mail_of, try_mail
from webapp.actions.routing.known import able_people, addresses_of, known_of, naming, routes_of, rule_of, rules_of
from webapp.actions.routing.routing import (
    JOB,
    due,
    gives_work,
    giving,
    note_due,
    remind,
    route,
    steps_of,
    to_remind,
)

__all__ = ["GIVES", "JOB", "able_people", "addresses_of", "away", "change", "checked", "choice_of", "due",
           "forget_waiting", "give_waiting", "gives_work", "giving", "hand_on", "handed_over", "inboxes_that_wait",
           "known_of", "mail_of", "move", "naming", "newest_of", "note_due", "of_absent", "remind", "remove", "route",
           "routes_of", "rule_of", "rules_of", "save", "set_limit", "set_otherwise", "steps_of", "switch", "to_give",
           "to_hand_over", "to_remind", "try_mail"]
