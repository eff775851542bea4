"""Texts as they are compared between splits: by their letters and digits, so that a comma more makes no other text."""

import polars as pl

LETTER = r"[\p{L}\p{N}]"
_ELSE = r"[^\p{L}\p{N}]+"
_UPPER_CASE = r"\p{Lu}"


def letters(texts: pl.Series) -> pl.Series:
    """Return the letters and digits of each of *texts* (in NFC), in lower case; one without any stays as it is."""
    bare = texts.str.replace_all(_ELSE, "")
    upper = bare.str.contains(_UPPER_CASE).fill_null(value=False).arg_true()
    if not upper.is_empty():
        bare = bare.scatter(upper, bare[upper].str.to_lowercase())
    return bare.zip_with((bare != "").fill_null(value=True), texts)
