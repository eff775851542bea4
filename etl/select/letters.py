"""Texts as they are compared between splits: by their letters and digits, so that a comma more makes no other text."""

import polars as pl

_FREQUENT = (" ", ".", ",", "?", "!")
"""Almost all that is between letters: taken out sign by sign in half the time that the pattern takes."""

_ELSE = r"[^\p{L}\p{N}]+"
_UPPER_CASE = r"\p{Lu}"


def _bare() -> pl.Expr:
    """Return the texts of all columns without what is frequent."""
    texts = pl.all().fill_null("")
    for sign in _FREQUENT:
        texts = texts.str.replace_all(sign, "", literal=True)
    return texts


_BARE = _bare()
_UNUSUAL = pl.all().str.contains(rf"{_ELSE}|{_UPPER_CASE}")


def letters(texts: pl.DataFrame) -> pl.DataFrame:
    """Return the letters and digits of *texts* (in NFC), in lower case; empty where there are none, or no text."""
    bare = texts.select(_BARE)
    unusual = bare.select(_UNUSUAL)
    for place, (text, marked) in enumerate(zip(bare, unusual, strict=True)):
        if marked.any():
            bare.replace_column(place, _spelled(text, marked.arg_true()))
    return bare


def _spelled(texts: pl.Series, places: pl.Series) -> pl.Series:
    """Return *texts* with nothing but letters and digits, in lower case, at *places*."""
    bare = texts[places].str.replace_all(_ELSE, "")
    upper = bare.str.contains(_UPPER_CASE).arg_true()
    if not upper.is_empty():
        bare = bare.scatter(upper, bare[upper].str.to_lowercase())
    return texts.scatter(places, bare)


def compared(text: str, spelled: str) -> pl.Expr:
    """Return what *text* is compared by, two columns' names: its letters, as in *spelled*; itself where it has none."""
    return pl.when(pl.col(spelled) == "").then(pl.col(text).fill_null("")).otherwise(spelled)
