"""Text from outside, cleaned once where it enters."""

NAME_LIMIT = 255


def clean(text: str, limit: int = NAME_LIMIT) -> str:
    """The first `limit` characters in one line; what does not print (controls, lone surrogates, …) becomes U+FFFD.

    A name with a lone surrogate, as the kernel allows, is not JSON for others and would have its whole batch refused.
    """
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:limit])
