"""Screen of `diff`: what differs between two builds, one line a thing."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from saturi.etl.console.lines import add_row, print_line
from saturi.etl.console.screens.tables import print_table
from saturi.etl.console.screens.words import short_origin
from saturi.schemas.pairs import BuildDiff, ChangedValue, PairChanges, PairKey

_NOTHING = "–"
_MOST_VALUE = 60


def show_diff(console: Console, diff: BuildDiff) -> None:
    """Print the differences, or that there are none."""
    if diff.equal:
        print_line(console, "The builds are equal: their manifests are the same, byte for byte.", "green")
        return
    for title, values in (("Options", diff.options), ("Archives", diff.archives), ("Counts", diff.counts)):
        if values:
            print_table(console, _values(title, values))
    if diff.pairs is None:
        print_line(console, "Pairs: not compared, since a build was handed on without its lineage.", "yellow")
    else:
        _show_pairs(console, diff.pairs)


def _values(title: str, values: Sequence[ChangedValue]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("first", justify="right", style="red", overflow="fold")
    table.add_column("second", justify="right", style="green", overflow="fold")
    for value in values:
        add_row(table, value.name, _shown(value.first), _shown(value.second))
    return table


def _shown(value: object) -> str:
    match value:
        case None:
            return _NOTHING
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case str():
            text = value
        case list():
            text = ", ".join(map(str, value)) or _NOTHING
        case _:
            text = str(value)
    return text if len(text) <= _MOST_VALUE else f"{text[:_MOST_VALUE]}…"


def _show_pairs(console: Console, pairs: PairChanges) -> None:
    print_table(console, _numbers(pairs))
    lists = (
        ("Came", pairs.came_first, pairs.came),
        ("Went", pairs.went_first, pairs.went),
        ("Other split", pairs.other_split_first, pairs.other_split),
        ("Other text", pairs.other_text_first, pairs.other_text),
    )
    for title, keys, total in lists:
        if keys:
            print_line(console, title, "bold")
        for key in keys:
            print_line(console, f"  {_key(key)}")
        if keys and total > len(keys):
            print_line(console, f"  and {total - len(keys):,} more", "dim")


def _numbers(pairs: PairChanges) -> Table:
    table = Table(title="Pairs", title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
    table.add_column("what", overflow="fold")
    table.add_column("number", justify="right")
    add_row(table, "in both builds", f"{pairs.kept:,}")
    for name, number in (("in another split", pairs.other_split), ("with another text", pairs.other_text)):
        if number:
            add_row(table, f"  {name}", f"{number:,}")
    for name, number in (("came", pairs.came), ("went", pairs.went)):
        add_row(table, name, f"{number:,}")
        for shard in pairs.shards:
            if part := getattr(shard, name):
                add_row(table, f"  {shard.split} {shard.region} {shard.speech_type}", f"{part:,}")
    return table


def _key(key: PairKey) -> str:
    return short_origin(key.archive, key.member, key.sentence)
