"""Look at one batch, or one segment, and sketch what is in it; nothing is written."""

from collections import Counter
from typing import Any
from zlib import crc32

import polars as pl

from saturi.etl.corpus.archive import read_members
from saturi.etl.corpus.groups import disagreements_of, group_of
from saturi.etl.corpus.names import Hints
from saturi.etl.errors import BuildError
from saturi.etl.inspection.fields import closed_values
from saturi.etl.inspection.sketch import NO_SPLIT, BatchSketch, Sketch, Sketches
from saturi.etl.inspection.tasks import InspectTask, SketchTask
from saturi.etl.read.rows import Rows, reading_of
from saturi.etl.read.segments import FILES, SENTENCES, read_any_header, read_files, read_sentences, to_ipc
from saturi.etl.select.clean import count_residues, rules_concerned, suspects
from saturi.etl.select.markup import RULES
from saturi.etl.select.utterances import PLACEMENT_COLUMNS, resolve_placement
from saturi.etl.storage.location import location_of
from saturi.schemas.segment import Kind
from saturi.schemas.terms import Generation, Region, SpeechType

_KIND = ("generation", "region", "speech_type", "split", "label_region", "label_speech_type")
_SPELLINGS = ("pronunciation", "dialect", "standard")


class _LeftOut:
    """The entries of an archive that a sample leaves out: the same ones every time, spread evenly by their numbers' hashes."""

    def __init__(self, share: float) -> None:
        self._limit = share * 2**32

    def __contains__(self, number: object) -> bool:
        return crc32(str(number).encode()) >= self._limit


def inspect_batch(task: InspectTask) -> BatchSketch:
    """
    Return a sketch of the label files of a batch.

    Raises:
        InputError: The archive cannot be opened any more, or is another one by now.
    """
    hints, left_out = task.batch.archive.hints, _LeftOut(task.share)
    rows = Rows()
    values: dict[tuple[Region, SpeechType], dict[str, Counter[str]]] = {}
    for member in read_members(task.batch, left_out):
        if member is not None and member.number in left_out:
            continue
        if member is None:
            rows.ignored += 1
            continue
        kind = rows.add(reading_of(member))
        if kind is None or not isinstance(member.content, bytes):
            continue
        group = group_of(Kind(*kind), hints)
        fields = values.setdefault((group.region, group.speech_type), {})
        for path, value in closed_values(member.content, Generation(kind[0])):
            fields.setdefault(path, Counter())[value] += 1
    sketches = _sketches(*rows.frames(), hints)
    for group_key, fields in values.items():
        sketches[group_key].values = fields
    return BatchSketch(rows.header(task.batch.key, "", 0), sketches)


def inspect_segment(task: SketchTask) -> BatchSketch:
    """
    Return a sketch of the label files of a segment; closed fields are not in it.

    Raises:
        BuildError: The segment is not there any more, or damaged.
    """
    path = location_of(task.source.path)
    header = read_any_header(path)
    if header is None:
        raise BuildError(
            str(path), "a segment of this build is not there, or damaged", "build again, or inspect the corpus"
        )
    files, sentences = read_files(path, FILES.names()), read_sentences(path, SENTENCES.names())
    return BatchSketch(header, _sketches(files, sentences, task.source.hints))


def _sketches(files: pl.DataFrame, sentences: pl.DataFrame, hints: Hints) -> Sketches:
    decoded = files.with_row_index("row").filter(pl.col("reason").is_null())
    places = resolve_placement(decoded.select(PLACEMENT_COLUMNS), hints).select("region", "speech_type", "split")
    decoded = decoded.hstack(places.rename({"region": "in_region", "speech_type": "in_type", "split": "in_split"}))
    sketches = {}
    for (region, speech_type), part in decoded.partition_by("in_region", "in_type", as_dict=True).items():
        sketch = Sketch()
        _sketch_files(sketch, part, hints)
        spoken = sentences.join(part.select("row", "generation"), on="row", how="inner", maintain_order="left")
        _sketch_sentences(sketch, spoken)
        sketches[Region(region), SpeechType(speech_type)] = sketch
    return sketches


def _sketch_files(sketch: Sketch, files: pl.DataFrame, hints: Hints) -> None:
    sketch.files.update(_counts(files["in_split"].fill_null(NO_SPLIT)))
    sketch.generations.update(_counts(files["generation"]))
    sketch.scripts.update(_counts(files["script"].drop_nulls()))
    named = files.select("in_split", pl.col("speakers").str.split("\n")).explode("speakers")
    named = named.with_columns(pl.col("speakers").str.strip_chars().str.to_lowercase())
    named = named.filter(pl.col("speakers") != "").with_columns(pl.col("speakers").hash())
    for split, speaker in named.unique().iter_rows():
        sketch.speakers.setdefault(split or NO_SPLIT, set()).add(speaker)
    sketch.disagreements.update(_counts(files["disagreements"].drop_nulls().str.split("\n").explode()))
    for *fields, number in files.group_by(_KIND).len().iter_rows():
        sketch.disagreements.update(dict.fromkeys(disagreements_of(Kind(*fields), hints), number))
    missing = {
        "a speaker": pl.col("speakers") == "",
        "a region in the document": pl.col("label_region").is_null(),
        "a speech type in the document": pl.col("label_speech_type").is_null(),
        "a split": pl.col("in_split").is_null(),
    }
    whole = pl.col("generation") == Generation.OF_2022
    missing |= {f"{spelling} of a file": whole & _is_blank(spelling) for spelling in _SPELLINGS}
    _count_missing(sketch, files, missing)


def _sketch_sentences(sketch: Sketch, sentences: pl.DataFrame) -> None:
    old = pl.col("generation") == Generation.OF_2020
    missing = {f"{spelling} of a sentence": _is_blank(spelling) for spelling in ("dialect", "standard")}
    missing["pronunciation of a sentence"] = ~old & _is_blank("pronunciation")
    _count_missing(sketch, sentences, missing)
    source = pl.when(old).then("dialect").otherwise("pronunciation")
    pairs = sentences.select(source.alias("source"), pl.col("standard").alias("target"))
    whole = pairs.filter(~(_is_blank("source") | _is_blank("target")))
    sketch.sentences = pairs.height
    sketch.blank = pairs.height - whole.height
    sketch.identical = int((whole["source"] == whole["target"]).sum())
    hashes = whole.select(pl.struct("source", "target").hash()).to_series().unique()
    sketch.pairs = [to_ipc(hashes.alias("pair").to_frame())]
    sketch.source_lengths.update(_counts(whole["source"].str.len_chars()))
    sketch.target_lengths.update(_counts(whole["target"].str.len_chars()))
    suspected = pairs[suspects(pairs)]
    if suspected.is_empty():
        return
    residues = count_residues(suspected.lazy(), rules_concerned(suspected))
    marked = residues.select((pl.col(rule.name) > 0).sum() for rule in RULES).collect()
    sketch.residues.update({name: number for name, number in marked.row(0, named=True).items() if number})


def _count_missing(sketch: Sketch, rows: pl.DataFrame, missing: dict[str, pl.Expr]) -> None:
    counted = rows.select(where.sum().alias(what) for what, where in missing.items()).row(0, named=True)
    sketch.missing.update({what: number for what, number in counted.items() if number})


def _counts(values: pl.Series) -> dict[Any, int]:
    return dict(values.rename("value").value_counts(name="count").iter_rows())


def _is_blank(text: str) -> pl.Expr:
    return pl.col(text).fill_null("").str.strip_chars() == ""
