"""A folder whose messages the server has numbered anew (another UIDVALIDITY): found again by what they are.

The new numbering is read downwards in windows like a first sync. What is stored already gets its new place without
being fetched; the rest is fetched, and its bytes tell whether it is new.
"""

from datetime import timedelta

from webapp.actions import places, withheld
from webapp.models.types import now

SHORTLY = timedelta(days=1)         # a second new numbering within this is one too many
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)


def begin(row, selected, newest, ahead):
    """Note that the numbering changed; everything else follows window by window."""
    places.leave(row)
    withheld.forget(row)        # what stood for mail that was not handed over: it is asked for by its new number
    places.renumber(row, selected, newest, ahead)
    again = row.renumbered_at is not None and now() - row.renumbered_at < SHORTLY
    row.renumberings = row.renumberings + 1 if again else 1
    row.renumbered_at = now()


def waits(folder):
    """Is it not worth going all the way down yet? A server that does it every time would have us read for ever."""
    if folder["renumberings"] < 2:
        return False
    wait = min(FIRST_WAIT * 2 ** min(folder["renumberings"] - 2, 20), LONGEST_WAIT)
    return now() < folder["renumbered_at"] + wait


def unknown(pull, folder, uids):
    """Those of the UIDs that have to be fetched; the others have their place now."""
    numbered = list(pull.session.numbering(uids))
    rest = set(pull.write(folder, lambda row: places.recognise(row, numbered)))
    if folder["history"] == "new":      # what was there before connecting was never wanted
        rest -= {n.uid for n in numbered if n.internal_date and n.internal_date < folder["connected"]}
    answered = {n.uid for n in numbered}
    return [u for u in uids if u in rest or u not in answered]
