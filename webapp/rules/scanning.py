"""May a file be handed out, as far as the virus scanner is concerned?"""

from datetime import timedelta

LASTS = timedelta(days=7)           # a verdict; a scanner learns
AWAY_LASTS = timedelta(seconds=30)  # that it did not answer: then it is asked again


def standing(state, age, when_away):
    """"ok", "infected", "too_large", "wait" (it is to be asked, or asked again) or "away" (it did not answer just now).

    `state`: of the stored verdict, None for none; `age`: since then; `when_away`: what the setting says of a scanner
    that does not answer or does not take so large a file, "wait" or "allow".
    """
    if state == "infected":         # for good: a scanner that forgets is no proof
        return "infected"
    if state == "clean" and age < LASTS:
        return "ok"
    if state == "away" and age < AWAY_LASTS:
        return "ok" if when_away == "allow" else "away"
    if state == "too_large" and age < LASTS:
        return "ok" if when_away == "allow" else "too_large"
    return "wait"
