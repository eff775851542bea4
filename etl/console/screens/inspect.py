"""An inspection as a person reads it: archives, then regions and speech types, then what is odd about the texts."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table

from saturi.etl.console.lines import add_row, print_line
from saturi.etl.console.screens.tables import numbers_table, print_table
from saturi.etl.console.screens.words import reasons, size
from saturi.etl.corpus.groups import ALL
from saturi.etl.output.printable import counted
from saturi.schemas.inspection import ClosedField, InspectedArchive, InspectedGroup, Inspection, Lengths

_MOST_VALUES = 6  # of a closed field on one line; all of them are in --json
_WIDE_COLUMNS = 100
"""Of a console that has room for all that is counted of a region and speech type."""

_HEADERS = ("train", "validation", "sentences", "identical", "distinct", "scripts", "characters", "speakers", "in both")
_NARROW = 4  # headers, from the first on
_LEGEND = (
    "train and validation: label files by AI-Hub's folders · identical: pairs whose source equals their target",
    "distinct: different pairs · scripts × label files of each · characters: of the source, 5th–50th–95th of a hundred",
    "in both: speakers in training and in validation archives",
)


def show_inspection(console: Console, inspection: Inspection) -> None:
    """Print the whole of an inspection."""
    for archive in inspection.archives:
        _show_archive(console, archive)
    ignored = {"audio archives": inspection.ignored_archives, "other files": inspection.ignored_files}
    beside = reasons({what: number for what, number in ignored.items() if number})
    if beside:
        print_line(console, f"ignored beside them: {beside}")
    console.print()
    print_table(console, _groups(inspection, wide=console.width >= _WIDE_COLUMNS))
    for line in _LEGEND[: 3 if console.width >= _WIDE_COLUMNS else 1]:
        print_line(console, line, "dim")
    for title, counts in (("markup", "residues"), ("disagreements", "disagreements"), ("missing", "missing")):
        table = _details(title, {_name(group): getattr(group, counts) for group in inspection.groups})
        if table.row_count:
            console.print()
            print_table(console, table)
    if inspection.total.fields is not None:
        console.print()
        print_table(console, _fields(inspection.total.fields))


def _show_archive(console: Console, archive: InspectedArchive) -> None:
    """Print the name of an archive, and below it what is known of it; a table would fold names of this length."""
    print_line(console, archive.archive.rpartition("/")[2], "bold")
    if archive.problem:
        print_line(console, f"  {archive.problem}", "yellow")
        return
    print_line(console, f"  {' · '.join(_facts(archive))}")


def _facts(archive: InspectedArchive) -> Iterator[str]:
    yield " ".join(filter(None, (archive.split, archive.region, archive.speech_type))) or "the name tells nothing"
    yield "+".join(archive.generations) or "nothing decoded"
    part = "" if archive.inspected == archive.label_files else f"{archive.inspected:,} of "
    yield part + counted(archive.label_files, "label file")
    if archive.packed_bytes is not None and archive.json_bytes is not None:
        yield f"{size(archive.packed_bytes)}, JSON {size(archive.json_bytes)}"
    if archive.deidentified:
        yield "de-identified"
    if archive.rejected:
        yield f"rejected: {reasons(archive.rejected)}"
    twins = archive.transcripts or 0
    ignored = {".txt": twins, "others": archive.ignored - twins}
    if archive.ignored:
        yield f"ignored: {reasons({what: number for what, number in ignored.items() if number})}"


def _groups(inspection: Inspection, *, wide: bool) -> Table:
    columns = len(_HEADERS) if wide else _NARROW
    table = numbers_table("region, speech type", *_HEADERS[:columns])
    for group in (*inspection.groups, inspection.total):
        name, *cells = _cells(group)
        add_row(table, name, *cells[:columns], style="bold" if group.region == ALL else None)
    return table


def _cells(group: InspectedGroup) -> Iterator[str]:
    kept = group.sentences - group.blank
    yield _name(group)
    yield f"{group.files.get('train', 0) + group.files.get('none', 0):,}"
    yield f"{group.files.get('validation', 0):,}"
    yield f"{group.sentences:,}"
    yield f"{group.identical / kept:.0%}" if kept else "–"
    yield f"{group.distinct_pairs:,}"
    yield f"{group.scripts:,}×{group.script_files / group.scripts:,.1f}" if group.scripts else "–"
    yield _span(group.source_characters)
    yield f"{group.speakers:,}"
    yield f"{group.speakers_on_both_sides:,}"


def _span(lengths: Lengths | None) -> str:
    return "–" if lengths is None else f"{lengths.p5}–{lengths.p50}–{lengths.p95}"


def _name(group: InspectedGroup) -> str:
    return "all" if group.region == ALL else f"{group.region} {group.speech_type}"


def _details(title: str, counts: Mapping[str, dict[str, int]]) -> Table:
    """Return a line for each group that has something to count."""
    table = Table(padding=(0, 1, 0, 0), box=None)
    table.add_column(title, no_wrap=True)
    table.add_column("")
    for name, numbers in counts.items():
        if numbers:
            add_row(table, name, reasons(numbers))
    return table


def _fields(fields: list[ClosedField]) -> Table:
    table = Table(padding=(0, 1, 0, 0), box=None)
    table.add_column("closed field", overflow="fold")
    table.add_column("values, of all regions (each by itself: --json)")
    for field in fields:
        shown = [f"{_word(one.value)} {one.count:,}" for one in field.values[:_MOST_VALUES]]
        others = sum(one.count for one in field.values[_MOST_VALUES:]) + field.others
        add_row(table, field.field, ", ".join(shown) + (f", others {others:,}" if others else ""))
    return table


def _word(value: object) -> str:
    return "missing" if value is None else str(value) or '""'
