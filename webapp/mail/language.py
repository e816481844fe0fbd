"""In which language a mail is written."""

from functools import cache

READ = 2_000           # characters: more does not make it surer
SURE = 0.8             # probability; of "ok" or "12345" nobody can tell


def language_of(text: str, among: tuple) -> str | None:
    """One of `among` (ISO 639-1, always the same ones); None when that is not sure. The first call takes about a second
    and 100 MB."""
    text = text[:READ].strip()
    if not text:
        return None
    language, probability = _identifier(among).classify(text)
    return language if probability >= SURE else None


@cache
def _identifier(among):
    from py3langid.langid import MODEL_FILE, LanguageIdentifier
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(among))
    return identifier
