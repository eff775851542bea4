"""Short representations of results, which hold more than anybody reads in a Python shell."""


def brief(result: object, **facts: object) -> str:
    """Return how *result* is shown: its type, and the *facts* that tell it from others."""
    return f"<{type(result).__name__} {' '.join(f'{name}={value!r}' for name, value in facts.items())}>"
