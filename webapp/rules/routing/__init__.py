"""Which rule says what becomes of a new mail, and why: a pure function of what is known of it. No clock, no database.

Rules are read from the top. One that holds decides, and ends the reading unless it says "go on". What an earlier rule
has decided (who gets it, where it goes, what becomes of it) a later one does not change; tags and notices add up.
"""

from webapp.rules.routing.conditions import FIELDS, Mail, holds, takes
from webapp.rules.routing.conflicts import conflicts, gone_of
from webapp.rules.routing.deciding import Decision, Rule, Step, decide, wants
from webapp.rules.routing.dividing import Candidate, choose
from webapp.rules.routing.writing import ACTIONS, OTHERWISE, check_otherwise, check_rule

__all__ = ["ACTIONS", "FIELDS", "OTHERWISE", "Candidate", "Decision", "Mail", "Rule", "Step", "check_otherwise",
           "check_rule", "choose", "conflicts", "decide", "gone_of", "holds", "takes", "wants"]
