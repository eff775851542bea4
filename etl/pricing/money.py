"""Money: the only place where tokens become dollars."""


def cost_usd(tokens: int | None, usd_per_million_tokens: float | None) -> float | None:
    """
    Return the price of training on *tokens*, in US dollars to a millionth; None if one of the two is not known.

    Args:
        tokens: Tokens that are billed, epochs included.
        usd_per_million_tokens: Price of a million of them.
    """
    if tokens is None or usd_per_million_tokens is None:
        return None
    return round(tokens * usd_per_million_tokens / 1_000_000, 6)
