"""
Choose by hash: the same utterances in every build, however many archives there are and in whatever order they come.

An utterance has one number of 64 bits, made of what distinguishes it from the others of its shard. Each rule that chooses has an
order of its own by that number, so that what one rule leaves is no biased sample for the next.
"""

import struct
from hashlib import blake2b

import polars as pl

from saturi.schemas.terms import Dedup, DropReason

_DISTINCT = {Dedup.PAIR: ("source", "target"), Dedup.SOURCE: ("source",), Dedup.NONE: ("source", "target", "origin")}
"""What distinguishes an utterance from the others left in its shard; which of equal ones is left depends on archives."""

# Finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): right shift, factor.
_ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST_SHIFT = 31


def choices(frame: pl.DataFrame, dedup: Dedup) -> pl.Series:
    """
    Return the number of each row of *frame*, the same on every machine and in every version.

    Args:
        frame: Columns `source` and `target`; where equal pairs all stay also `member`, and `sentence` if it has one.
        dedup: What a shard holds only once.
    """
    # The file's name without its folder or archive, which are called otherwise from one download to the next.
    origin = [pl.col("member").str.extract(r"([^/\\]*)$")] if "member" in frame.columns else []
    origin += [pl.col("sentence").cast(pl.String).fill_null("")] if "sentence" in frame.columns else []
    rows = frame.lazy().with_columns(origin=pl.concat_str(*origin, separator="\n") if origin else pl.lit(""))
    texts = rows.select(pl.concat_str(pl.col(*_DISTINCT[dedup]).fill_null(""), separator="\x1f")).collect()
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in texts.to_series()]
    return pl.Series(struct.unpack(f">{len(digests)}Q", b"".join(digests)), dtype=pl.UInt64)


def order(rule: DropReason) -> pl.Expr:
    """Return the place of each row, by its column `choice`, in the order in which *rule* takes them; 0 to 2**64 - 1."""
    salt = int.from_bytes(blake2b(rule.encode(), digest_size=8).digest())
    mixed = pl.col("choice") ^ _lit(salt)
    for shift, factor in _ROUNDS:
        mixed = (mixed ^ (mixed // _lit(1 << shift))) * _lit(factor)  # wraps, as meant
    return mixed ^ (mixed // _lit(1 << _LAST_SHIFT))


def within(share: float, rule: DropReason) -> pl.Expr:
    """Whether a row is among the *share* (above 0, below 1) that *rule* takes first."""
    return order(rule) < _lit(int(share * 2**64))


def _lit(number: int) -> pl.Expr:
    return pl.lit(number, pl.UInt64)
