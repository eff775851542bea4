"""Screen of `inspect`: archives, then regions and speech types, then markup, disagreements and missing fields."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from etl.console.screens.words import reasons, size
from etl.corpus.groups import ALL
from schemas.inspection import ClosedField, InspectedArchive, InspectedGroup, Inspection, Lengths

_MOST_VALUES = 6  # of a closed field on one line; all of them are in --json
_LEGEND = (
    "train, valid.: label files by AI-Hub's sides (of neither: train) · distinct: different pairs · same: source equals "
    "target · scripts × label files of each · chars: of the source, 5th–50th–95th of a hundred · speakers (on both sides)"
)


def show_inspection(console: Console, inspection: Inspection) -> None:
    """Print *inspection* on *console*."""
    for archive in inspection.archives:
        _show_archive(console, archive)
    ignored = {"audio archives": inspection.ignored_archives, "other files": inspection.ignored_files}
    beside = reasons({what: number for what, number in ignored.items() if number})
    console.print(f"Beside them, and ignored: {beside or 'nothing'}\n", highlight=False)
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
        console.print("Closed fields are not in a stage: inspect the corpus for them.", style="dim", highlight=False)


def _show_archive(console: Console, archive: InspectedArchive) -> None:
    """Print the name of an archive, and its facts below; a table would fold names of this length."""
    console.print(Text(archive.archive.rpartition("/")[2], style="bold"), soft_wrap=True)  # brackets are no markup
    if archive.problem:
        console.print(Padding(Text(archive.problem, style="yellow"), (0, 0, 0, 2)))
        return
    console.print(Padding(Text(" · ".join(_facts(archive))), (0, 0, 0, 2)), highlight=False)


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
        table.add_row(*_cells(group), style="bold" if group.region == ALL else "")
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
    """Return a table of *counts*, with a row for each name that has any."""
    table = Table(padding=(0, 1, 0, 0), box=None)
    table.add_column(title, no_wrap=True)
    table.add_column("")
    for name, numbers in counts.items():
        if numbers:
            table.add_row(name, reasons(numbers))
    return table


def _fields(fields: list[ClosedField]) -> Table:
    table = Table(padding=(0, 1, 0, 0), box=None)
    table.add_column("closed field", overflow="fold")
    table.add_column("values, of all regions (each by itself: --json)")
    for field in fields:
        shown = [f"{_word(one.value)} {one.count:,}" for one in field.values[:_MOST_VALUES]]
        others = sum(one.count for one in field.values[_MOST_VALUES:]) + field.others
        table.add_row(Text(field.field), Text(", ".join(shown) + (f", others {others:,}" if others else "")))
    return table


def _word(value: object) -> str:
    return "missing" if value is None else str(value) or '""'
