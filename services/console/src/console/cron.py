"""Cron expressions in words."""

from functools import lru_cache

LOCALES = {"en": "en_US", "de": "de_DE"}


@lru_cache(1000)
def in_words(expression: str, language: str) -> str:
    """What an expression means; empty where nobody can say."""
    if not expression:
        return ""
    import cron_descriptor as words  # noqa: PLC0415  # few pages need it

    options = words.Options()
    options.locale_code, options.use_24hour_time_format = LOCALES.get(language, "en_US"), True
    try:
        return str(words.ExpressionDescriptor(expression, options).get_full_description())
    except (words.FormatException, words.MissingFieldException, words.WrongArgumentException, ValueError):  # OnCalendar
        return ""
