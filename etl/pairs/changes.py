"""Pairs that only one of two builds has, and those that have changed, a part of them at a time."""

from collections import Counter

import polars as pl

from saturi.etl.errors import BuildError
from saturi.etl.output.finished import FinishedBuild
from saturi.schemas.pairs import PairChanges, PairKey, ShardChange

_PART_ROWS = 500_000
"""Pairs compared at once, about: a few hundred bytes each, names of label files for the most part."""

_KEY = ["archive", "member", "sentence"]
_SHARD = ["split", "region", "speech_type"]
_ORIGIN = [*_KEY, "nth"]
"""A pair: of several with one name, since an archive may hold a name twice, each has its number."""


def pair_changes(first: FinishedBuild, second: FinishedBuild, count: int) -> PairChanges:
    """
    Return the changes from *first* to *second*, with the first *count* pairs of each kind.

    Raises:
        BuildError: A chunk or the lineage is damaged.
    """
    builds = _Side(first), _Side(second)
    parts = max(-(-max(side.rows for side in builds) // _PART_ROWS), 1)
    totals: Counter[str] = Counter()
    shards: dict[tuple[str, ...], Counter[str]] = {}
    listed: dict[str, list[PairKey]] = {name: [] for name in ("came", "went", "other_split", "other_text")}
    for part in range(parts):
        old, new = (side.part(part, parts) for side in builds)
        both = old.join(new, on=_ORIGIN, how="inner", nulls_equal=True, suffix="_new")
        totals["kept"] += both.height
        kinds = {
            "went": old.join(new, on=_ORIGIN, how="anti", nulls_equal=True),
            "came": new.join(old, on=_ORIGIN, how="anti", nulls_equal=True),
            "other_split": both.filter(pl.col("split") != pl.col("split_new")),
            "other_text": both.filter(pl.col("text") != pl.col("text_new")),
        }
        for name, rows in kinds.items():
            totals[name] += rows.height
            keys = [
                PairKey(archive=a, member=m, sentence=s) for a, m, s in rows.select(_KEY).sort(_KEY).head(count).rows()
            ]
            listed[name] = sorted([*listed[name], *keys], key=_order)[:count]
            if name in ("came", "went"):
                for *shard, number in rows.group_by(_SHARD).len().rows():
                    shards.setdefault(tuple(shard), Counter())[name] += number
    return PairChanges(
        kept=totals["kept"],
        came=totals["came"],
        went=totals["went"],
        other_split=totals["other_split"],
        other_text=totals["other_text"],
        shards=[
            ShardChange(split=split, region=region, speech_type=kind, came=numbers["came"], went=numbers["went"])
            for (split, region, kind), numbers in sorted(shards.items())
        ],
        **{f"{name}_first": keys for name, keys in listed.items()},
    )


class _Side:
    """
    The pairs of *build*, of which a part at a time is held.

    Args:
        build: One of two builds.
    """

    def __init__(self, build: FinishedBuild) -> None:
        self._build = build
        self._lineage = build.lineage()
        texts = pl.struct("system", "source", "target").hash().alias("text")
        self._texts = build.collect(build.examples().select("line", texts))
        lines = build.collect(self._lineage.select("line"))["line"]
        self.rows = lines.len()
        if not lines.equals(self._texts["line"]):
            raise BuildError(str(build.given), "its lineage is not that of its chunks", "build again")

    def part(self, number: int, parts: int) -> pl.DataFrame:
        """Return `archive`, `member`, `sentence`, `nth`, `split`, `region`, `speech_type` and `text` (a hash) of one of *parts*."""
        shard = pl.col("chunk").str.extract_groups(
            r"^chunks/(?<split>[a-z]+)/(?<region>[a-z]+)-(?<speech_type>[a-z]+)-"
        )
        rows = pl.concat([self._lineage, self._texts.lazy().select("text")], how="horizontal")
        if parts > 1:
            rows = rows.filter(pl.struct(_KEY).hash() % parts == number)
        rows = rows.select(*_KEY, shard.alias("shard"), "text").unnest("shard")
        return self._build.collect(rows.with_columns(nth=pl.int_range(pl.len(), dtype=pl.UInt32).over(_KEY)))


def _order(key: PairKey) -> tuple[str, str, int]:
    return key.archive, key.member, key.sentence or 0
