"""New mail is routed by the rules of its inbox: decided, carried out, and explained.

A mail is routed once (Routed), in the transaction that stores it. Nobody there: it waits for whom the rule named, and
the clock gives it to the first who comes back.
"""

from webapp.actions.routing.dividing import divide_waiting, hand_over, inboxes_that_wait, to_hand_over
from webapp.actions.routing.editing import change, move, remove, save, set_limit, set_otherwise, switch
from webapp.actions.routing.facts import mail_of
from webapp.actions.routing.known import known_of, rules_of
from webapp.actions.routing.routing import JOB, due, note_due, route

__all__ = ["JOB", "change", "divide_waiting", "due", "hand_over", "inboxes_that_wait", "known_of", "mail_of", "move",
           "note_due", "remove", "route", "rules_of", "save", "set_limit", "set_otherwise", "switch", "to_hand_over"]
