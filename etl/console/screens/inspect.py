"""An inspection as a person reads it: archives, then regions and speech types, then what is odd about the texts."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from saturi.etl.console.lines import add_row, plain, print_line
from saturi.etl.console.screens.words import reasons, size
from saturi.etl.corpus.groups import ALL
from saturi.schemas.inspection import ClosedField, InspectedArchive, InspectedGroup, Inspection, Lengths

_MOST_VALUES = 6  # of a closed field on one line; all of them are in --json
_LEGEND = (
    "train, valid.: label files by AI-Hub's sides (of neither: train) · distinct: different pairs · same: source equals "
    "target · scripts × label files of each · chars: of the source, 5th–50th–95th of a hundred · speakers (on both sides)"
)


def show_inspection(console: Console, inspection: Inspection) -> None:
    """Print the whole of an inspection."""
    for archive in inspection.archives:
        _show_archive(console, archive)
    ignored = {"audio archives": inspection.ignored_archives, "other files": inspection.ignored_files}
    beside = reasons({what: number for what, number in ignored.items() if number})
    print_line(console, f"Beside them, and ignored: {beside or 'nothing'}")
    console.print()
    console.print(_groups(inspection))
    for title, counts in (("markup", "residues"), ("disagreements", "disagreements"), ("missing", "missing")):
        table = _details(title, {_name(group): getattr(group, counts) for group in inspection.groups})
        if table.row_count:
            console.print()
            console.print(table)
    console.print()
    if inspection.total.fields is not None:
        console.print(_fields(inspection.total.fields))
    elif inspection.groups:
        print_line(console, "Closed fields are not in a stage: inspect the corpus for them.", "dim")


def _show_archive(console: Console, archive: InspectedArchive) -> None:
    """Print the name of an archive, and below it what is known of it; a table would fold names of this length."""
    print_line(console, archive.archive.rpartition("/")[2], "bold")
    if archive.problem:
        console.print(Padding(plain(archive.problem, "yellow"), (0, 0, 0, 2)))
        return
    console.print(Padding(plain(" · ".join(_facts(archive))), (0, 0, 0, 2)))


def _facts(archive: InspectedArchive) -> Iterator[str]:
    yield " ".join(filter(None, (archive.split, archive.region, archive.speech_type))) or "the name tells nothing"
    yield "+".join(archive.generations) or "nothing decoded"
    part = "" if archive.inspected == archive.label_files else f"{archive.inspected:,} of "
    yield f"{part}{archive.label_files:,} label files"
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


def _groups(inspection: Inspection) -> Table:
    table = Table(padding=(0, 1, 0, 0), box=None, caption=_LEGEND, caption_justify="left")
    table.add_column("region, speech type", min_width=11)
    for header in ("train", "valid.", "sentences", "distinct", "same", "scripts", "chars", "speakers"):
        table.add_column(header, justify="right")
    for group in (*inspection.groups, inspection.total):
        add_row(table, *_cells(group), style="bold" if group.region == ALL else None)
    return table


def _cells(group: InspectedGroup) -> Iterator[str]:
    kept = group.sentences - group.blank
    yield _name(group)
    yield f"{group.files.get('train', 0) + group.files.get('none', 0):,}"
    yield f"{group.files.get('validation', 0):,}"
    yield f"{group.sentences:,}"
    yield f"{group.distinct_pairs:,}"
    yield f"{group.identical / kept:.0%}" if kept else "–"
    yield f"{group.scripts:,}×{group.script_files / group.scripts:,.1f}" if group.scripts else "–"
    yield _span(group.source_characters)
    yield f"{group.speakers:,} ({group.speakers_on_both_sides:,})"


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
