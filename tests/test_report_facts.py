"""The facts of a report are those of the build, counted another way."""

import json
import shlex
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import msgspec
import polars as pl
import pytest
from provider import Server, World
from runs import invoke, manifest_of, one_thread, result_of
from submissions import HASTE, hand_in

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.groups import SegmentSource
from saturi.etl.corpus.names import Hints
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.pipeline.build import build
from saturi.etl.pricing.estimate import estimate
from saturi.etl.reports.outline import outline
from saturi.etl.reports.report import report, survey_report
from saturi.etl.reports.words import _KOREAN, _REASONS, _RULES, _STEPS, _TERMS
from saturi.etl.select.markup import RULES
from saturi.etl.select.utterances import PLACEMENT_COLUMNS, read_utterances, resolve_placement
from saturi.etl.settings.options import BuildOptions
from saturi.etl.submission.ledger import Ledger
from saturi.etl.submission.news import JobEvent, News
from saturi.etl.submission.watch import watch
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.inspection import Inspection
from saturi.schemas.manifest import ShardRow
from saturi.schemas.report import Report
from saturi.schemas.terms import (
    Dimension,
    Direction,
    DropReason,
    Region,
    RejectReason,
    Source,
    SpeechType,
    Split,
    SplitKey,
    Unit,
)


@pytest.fixture(scope="module")
def out(sample: SampleReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the sample, a sentence an utterance."""
    out = tmp_path_factory.mktemp("facts") / "out"
    options = BuildOptions(
        unit=Unit.SENTENCE, speech_type=(SpeechType.REPEAT, SpeechType.ANSWER, SpeechType.DIALOGUE), validation=0.2
    )
    build([sample.folder], out, options, make_executor=one_thread, workers=1)
    return out


def utterances_of(out: Path) -> pl.DataFrame:
    """Return region, speech type and script (set and prompt) of each sentence in the stage of a build."""
    build = FinishedBuild.open(out)
    hints = {
        row.archive: msgspec.convert((row.region, row.speech_type, row.split), Hints) for row in build.manifest.corpus
    }
    segments = pl.read_parquet(out / "decisions.parquet").select("archive", "segment").unique()
    parts = []
    for archive, segment in segments.iter_rows():
        source = SegmentSource(str(segment_path(out / "stage", segment)), archive, hints[archive])
        frame = read_utterances(source, Unit.SENTENCE, Source.PRONUNCIATION, PLACEMENT_COLUMNS)
        parts.append(resolve_placement(frame, source.hints).select("region", "speech_type", "script"))
    return pl.concat(parts)


def manifest_shards(out: Path) -> list[ShardRow]:
    """Return the shards of a build."""
    return FinishedBuild.open(out).manifest.shards


@pytest.fixture(scope="module")
def known(out: Path) -> Report:
    """The report of it, with words."""
    return report(out, text=True)


def test_corpus_and_flow_are_those_of_the_manifest(out: Path, known: Report) -> None:
    """Rejects by archive and reason, groups, and the flow add up to the counts of the manifest."""
    counts = manifest_of(out)["counts"]
    assert known.corpus is not None
    assert known.flow is not None
    rejected: Counter[str] = Counter()
    for row in known.corpus.archives:
        assert row.label_files == row.decoded + sum(row.rejected.values())
        rejected.update(row.rejected)
    assert rejected == known.flow.rejected == counts["rejected"]
    assert sum(sum(types.values()) for types in known.corpus.groups.values()) == counts["utterances"]
    assert sum(known.flow.examples.values()) == counts["examples"]
    assert sum(known.duplicates.values()) == counts["dropped"]["duplicate"]


def test_the_stage_is_that_of_the_inspection(out: Path, known: Report, sample_inspection: Inspection) -> None:
    """Scripts, speakers in both of AI-Hub's splits, and utterances are those that `inspect` counts."""
    inspection = sample_inspection
    stage = known.stage
    assert stage is not None
    assert stage.utterances == inspection.total.sentences
    frame = utterances_of(out)
    assert sum(sum(types.values()) for types in stage.groups.values()) == frame.height
    by_shards: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for shard in manifest_shards(out):
        by_shards[shard.region][shard.speech_type] += shard.utterances
    assert stage.groups == by_shards
    read = frame.filter(pl.col("speech_type") == "repeat").drop_nulls("script").group_by("region", "script").len()
    assert (
        stage.scripts
        == sum(stage.script_readings)
        == read.height
        < frame.unique(["region", "speech_type", "script"]).height
    )
    assert stage.script_readings[0] == read.filter(pl.col("len") == 1).height
    assert stage.official is not None
    assert stage.official["speakers"] == inspection.total.speakers_on_both_sides
    assert stage.speakers == sum(stage.speaker_examples)
    marked = {name: number for name, number in stage.markup.marked.items() if number}
    assert marked.keys() == inspection.total.residues.keys()
    assert sum(same for same, _ in stage.identical.values()) == inspection.total.identical > 0


def test_an_excluded_group_counts_nowhere_but_in_the_corpus(sample: SampleReport, out: Path, tmp_path: Path) -> None:
    """Of a build of one region, scripts, markup and equal texts are of that region, however shards are merged; groups are all."""
    options = BuildOptions(
        clean=False, unit=Unit.SENTENCE, region=(Region.JEJU,), shard_by=(), direction=Direction.TO_DIALECT
    )
    build([sample.folder], tmp_path / "out", options, make_executor=one_thread, workers=1)
    mine, every = report(tmp_path / "out", "gpt-4.1-nano"), report(out)
    assert mine.stage is not None
    assert every.stage is not None
    assert mine.corpus is not None
    assert mine.corpus.groups == every.stage.groups
    assert mine.stage.identical.keys() == {Region.JEJU}
    frame = utterances_of(out).filter(pl.col("region") == "jeju", pl.col("speech_type").is_in(["repeat", "answer"]))
    assert mine.stage.markup.utterances == frame.height
    assert mine.stage.scripts == frame.filter(pl.col("speech_type") == "repeat")["script"].n_unique()
    [texts] = [section for section in outline(mine, "ko") if section.key == "texts"]
    assert texts.figures[0].table.header[1:3] == ("어절: 표준어", "어절: 방언")
    assert (mine.missing, mine.estimate) == (["price"], None)
    assert mine.tokens is not None
    assert sum(mine.tokens.histogram) == sum(
        row.examples for row in manifest_shards(tmp_path / "out") if row.split == "train"
    )
    shutil.rmtree(tmp_path / "out" / "stage")
    merged = report(tmp_path / "out").corpus
    assert merged is not None
    assert merged.groups == {"all": {"all": utterances_of(out).height}}


def test_texts_are_those_of_the_examples(out: Path, known: Report) -> None:
    """Words, characters and changed words are those of every example, counted in Python."""
    rows = FinishedBuild.open(out).examples().collect().select("region", "source", "target").rows()
    texts = known.texts
    assert texts is not None
    assert (texts.step, texts.examples) == (1, len(rows))
    for region, facts in texts.regions.items():
        mine = [(source, target) for where, source, target in rows if region in (where, "all")]
        assert facts.examples == len(mine)
        assert facts.source_words.mean == pytest.approx(
            sum(len(source.split(" ")) for source, _ in mine) / len(mine), abs=1e-3
        )
        assert facts.target_characters.most == max(len(target) for _, target in mine)
    changed = Counter(min(len(set(source.split(" ")) - set(target.split(" "))), 20) for _, source, target in rows)
    assert texts.changed == [changed[number] for number in range(21)]
    pairs = Counter(
        pair
        for _, source, target in rows
        if len(source.split()) == len(target.split())
        for pair in zip(source.split(), target.split(), strict=True)
        if pair[0] != pair[1]
    )
    assert [word.count for word in texts.words] == sorted(pairs.values(), reverse=True)[:30]
    assert all(pairs[word.source, word.target] == word.count for word in texts.words)


def test_one_example_in_so_many(out: Path, known: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large build one example in so many is looked at, spread over all chunks."""
    monkeypatch.setattr("saturi.etl.reports.texts._EXAMPLES", 100)
    texts = report(out).texts
    assert texts is not None
    assert known.texts is not None
    assert texts.step == known.texts.examples // 100
    assert texts.regions["all"].examples == -(-texts.examples // texts.step)
    assert texts.regions.keys() == known.texts.regions.keys()


def test_the_price_is_that_of_the_estimate(out: Path, known: Report) -> None:
    """The estimate in a report is the one of `estimate`."""
    assert known.estimate == estimate(out)


def test_the_first_part_before_a_build(sample_inspection: Inspection, known: Report) -> None:
    """The report of an inspection has the archives that the report of a build has, and nothing of a build."""
    first = survey_report(sample_inspection)
    assert first.corpus is not None
    assert known.corpus is not None
    assert {row.archive for row in first.corpus.archives} >= {row.archive for row in known.corpus.archives}
    assert first.corpus.generations == known.corpus.generations
    assert (first.flow, first.record, first.texts) == (None, None, None)


def test_the_command_makes_the_same_build(here: Path) -> None:
    """The command on the page, with the corpus and another folder, makes the same bytes."""
    options = BuildOptions(
        unit=Unit.SENTENCE,
        region=(Region.GYEONGSANG, Region.JEJU),
        system_prompt="그대로 '옮겨' $HOME",
        shard_by=(Dimension.REGION,),
        validation=0.1,
        split_by=(SplitKey.SCRIPT, SplitKey.SPEAKER),
        tokens=False,
        max_chars=300,
        balance="region:20",
    )
    build([here / "corpus"], here / "out", options, make_executor=one_thread, workers=1)
    record = report(here / "out").record
    assert record is not None
    program, *arguments = shlex.split(record.command)
    assert program == "saturi"
    named = {"CORPUS": "corpus", "OUT": "again"}
    run = invoke(*(named.get(word, word) for word in arguments), "--workers", "1", cwd=here)
    assert run.returncode == 0, run.stderr
    assert result_of(here / "again") == result_of(here / "out")
    assert json.loads(record.options["max_chars"]) == 300


def test_a_watch_keeps_the_losses(built: Path, server: Server, world: World, tmp_path: Path) -> None:
    """Each loss that a watch reports is in the ledger, once, however often the job is watched, and so in the report."""
    out = Path(shutil.copytree(built, tmp_path / "out"))
    hand_in(out, server, world)
    reports: list[News] = []
    for _ in range(2):
        watch(out, report=reports.append, pace=HASTE)
    events = [news for news in reports if isinstance(news, JobEvent) and news.train_loss is not None]
    with Ledger(out / "ledger.sqlite") as ledger:
        kept = [(row.step, row.train_loss, row.valid_loss) for row in ledger.losses()]
    assert kept == [(event.step, event.train_loss, event.valid_loss) for event in events]
    assert len(kept) == 10
    [job] = report(out).jobs
    assert [(loss.step, loss.train, loss.validation) for loss in job.losses] == kept


def test_every_term_has_a_korean_word() -> None:
    """Regions, speech types, splits and reasons are in Korean on a Korean page."""
    terms = [*Region, *SpeechType, *Split, *RejectReason, *DropReason]
    assert [term for term in terms if term not in _KOREAN] == []
    assert not _TERMS.keys() & _REASONS.keys()
    assert _RULES.keys() == {rule.name for rule in RULES}


def test_every_step_has_a_korean_word(known: Report) -> None:
    """The steps of a build are in Korean on a Korean page."""
    assert known.record is not None
    assert known.record.run is not None
    assert known.record.run.steps.keys() <= _STEPS.keys()
