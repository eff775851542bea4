"""
Rules on one utterance by itself, which is dropped for the first rule that does not let it pass, or kept.

The order of the rules is that of `DropReason`, here and in the steps that follow.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import polars as pl

from saturi.etl.example.prompts import fill_prompts, pick
from saturi.etl.example.render import render
from saturi.etl.select.choice import choices, within
from saturi.etl.select.clean import TEXTS, UNCLEAN, compose
from saturi.etl.select.decisions import DECISIONS, REASON, Keys, Numbering, is_there, write_judged
from saturi.etl.select.letters import compared, letters
from saturi.etl.select.markup import CleanSettings
from saturi.etl.select.split import SPLIT, SplitRule, places_of, resolve_scripts, script_keys, splits
from saturi.etl.select.tasks import JudgeTask, Step
from saturi.etl.select.utterances import as_pairs, merge_small, read_group, standard_column
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import location_of
from saturi.schemas.terms import Conflicts, Dedup, DropReason, Split

CLEANING = (DropReason.PERSONAL_DATA, DropReason.UNCLEAR, DropReason.MARKUP)
_NO_CHOICE = pl.Series([0], dtype=pl.UInt64)
_NOT_OVER = pl.Series([False])
_SEED = 1  # of both texts, so that a source in one split is equal to a target in the other, too
_MOST_ESCAPED = 6  # bytes of a line that one byte of a text becomes at most: a control character is written as \\u0001


def judge(task: JudgeTask) -> None:
    """
    Write the decisions on one stretch.

    Raises:
        StorageError: They cannot be written.
    """
    folder = location_of(task.decisions)
    if is_there(folder, [task.stretch], Step.JUDGED):
        return
    speakers, scripts = Numbering(), Numbering()
    parts = [_judge(utterances, task, speakers, scripts) for utterances in merge_small(_utterances(task))]
    decisions = pl.concat([DECISIONS.to_frame(), *parts])
    write_judged(folder, task.stretch, decisions, Keys(speakers.texts, scripts.texts))


def _utterances(task: JudgeTask) -> Iterator[pl.DataFrame]:
    """Yield the utterances of the stretch, segment by segment, with the number of their `segment`."""
    options = task.options
    columns = ["script", "speakers"]
    if options.validation == "official":
        columns.append("split")
    if options.dedup is Dedup.NONE and options.chooses:
        columns.append("member")
    for number, source in enumerate(task.sources):
        frame = read_group(source, task.stretch.group, options.unit, options.source, columns)
        yield frame.hstack([pl.Series("segment", [number], dtype=pl.UInt32).new_from_index(0, frame.height)])


def _judge(utterances: pl.DataFrame, task: JudgeTask, speakers: Numbering, scripts: Numbering) -> pl.DataFrame:
    """Return `DECISIONS` for *utterances* of the stretch."""
    group, options = task.stretch.group, task.options
    written = as_pairs(utterances, CleanSettings.of(options), options.direction)
    frame = written if options.clean else compose(written)  # texts are compared as composed; clean ones are
    spelled = letters(frame.select(TEXTS))
    standard = spelled[standard_column(options.direction)]
    resolved = resolve_scripts(frame["script"].to_list(), standard, group.speech_type)
    keys = script_keys(resolved, standard, group, options.split_by)
    choice = choices(frame, options.dedup) if options.chooses else _NO_CHOICE.new_from_index(0, frame.height)
    beside = [
        *(spelled[text].alias(f"{text}_letters") for text in TEXTS),
        choice.alias("choice"),
        _is_over_cap(written, choice, task).alias("over_cap"),
        pl.Series("decided_split", _splits(frame, keys, options), dtype=SPLIT),
        pl.Series("speakers_number", speakers.number(frame["speakers"].to_list()), dtype=pl.UInt32),
        pl.Series("script_number", scripts.number(resolved), dtype=pl.UInt32),
        pl.Series("place", places_of(keys) if options.min_validation else [None] * frame.height, dtype=pl.UInt64),
    ]
    return frame.hstack(beside).select(_decided(options))


def _splits(frame: pl.DataFrame, keys: Sequence[str | None], options: BuildOptions) -> Sequence[Split | str | None]:
    """Return the split of each row of *frame*, of *keys* of `script_keys`: as published, train, or by its keys."""
    if options.validation == "official":
        return frame["split"].to_list()
    if options.validation == 0:
        return [Split.TRAIN] * frame.height
    return splits(frame["speakers"].to_list(), keys, SplitRule.of(options))


@lru_cache(maxsize=16)
def _decided(options: BuildOptions) -> list[pl.Expr]:
    """Return the columns of `DECISIONS`, made of those of `as_pairs` and of what `_judge` sets beside them."""
    reasons = [pl.when(fails).then(pl.lit(reason.value)) for reason, fails in rules_on_one(options)]
    return [
        pl.col("segment", "row"),
        pl.col("decided_split").alias("split"),
        pl.coalesce(reasons).cast(REASON).alias("reason"),
        *(pl.col(text).fill_null("").hash(_SEED).alias(f"{text}_hash") for text in TEXTS),
        *(compared(text, f"{text}_letters").hash(_SEED).alias(f"{text}_letters") for text in TEXTS),
        pl.col("choice", "place"),
        pl.col("speakers_number").alias("speakers"),
        pl.col("script_number").alias("script"),
    ]


def rules_on_one(options: BuildOptions) -> Iterator[tuple[DropReason, pl.Expr]]:
    """
    Yield, in order, the rules in force that look at one utterance: the reason, and where it applies.

    The expressions are on the columns of `as_pairs`, `decided_split`, `choice`, and `over_cap`.
    """
    if options.clean:
        for reason in CLEANING:
            yield reason, pl.col(UNCLEAN) == reason.value
    source, target = (pl.col(name).fill_null("").str.strip_chars() for name in ("source", "target"))
    yield DropReason.EMPTY_SOURCE, source == ""
    yield DropReason.EMPTY_TARGET, target == ""
    if options.identical != "keep":
        spared = pl.lit(value=False)
        if options.identical != "drop":
            spared = within(options.identical, DropReason.IDENTICAL)
        yield DropReason.IDENTICAL, (source == target) & ~spared
    words = [text.str.count_matches(r"\S+") for text in (source, target)]
    chars = [text.str.len_chars() for text in (source, target)]
    if options.min_words is not None:
        yield DropReason.TOO_FEW_WORDS, pl.min_horizontal(words) < options.min_words
    if options.max_words is not None:
        yield DropReason.TOO_MANY_WORDS, pl.max_horizontal(words) > options.max_words
    if options.min_chars is not None:
        yield DropReason.TOO_FEW_CHARS, pl.min_horizontal(chars) < options.min_chars
    if options.max_chars is not None:
        yield DropReason.TOO_MANY_CHARS, pl.max_horizontal(chars) > options.max_chars
    if options.max_length_ratio is not None:
        too_long = pl.max_horizontal(chars) > options.max_length_ratio * pl.min_horizontal(chars)
        yield DropReason.LENGTH_RATIO, too_long
    yield DropReason.OVER_CAP, pl.col("over_cap")
    official = options.validation == "official"
    yield (DropReason.NO_OFFICIAL_SPLIT if official else DropReason.SPLIT_CONFLICT), pl.col("decided_split").is_null()


def rules_in_force(options: BuildOptions) -> list[DropReason]:
    """Return the reasons for which a build with *options* may drop an utterance, in the order of the rules."""
    later = {
        DropReason.SEVERAL_TARGETS: options.conflicts is not Conflicts.KEEP,
        DropReason.DUPLICATE: options.dedup is not Dedup.NONE,
        DropReason.IN_TRAINING: options.texts_apart,
        DropReason.OVER_SCRIPT: options.max_per_script is not None,
        DropReason.OVER_SPEAKER: options.speaker_max is not None,
        DropReason.OVER_BALANCE: options.balance is not None,
        DropReason.NOT_SAMPLED: options.sample is not None or options.sample_per_shard is not None,
    }
    on_one = [reason for reason, _ in rules_on_one(options)]
    return [
        DropReason.REGION_EXCLUDED,
        DropReason.SPEECH_TYPE_EXCLUDED,
        *on_one,
        *(reason for reason, is_in_force in later.items() if is_in_force),
    ]


def _is_over_cap(frame: pl.DataFrame, choice: pl.Series, task: JudgeTask) -> pl.Series:
    """Return whether the line of each pair of *frame* is too large for any chunk; only large ones are rendered to see."""
    cap, prompts = task.options.max_chunk_bytes, fill_prompts(task.options.prompts, task.stretch.group)
    room = cap - max(len(line) for prompt in prompts for line in render([""], [""], prompt))
    over = _NOT_OVER.new_from_index(0, frame.height)
    if _MOST_ESCAPED * frame.estimated_size() <= room:
        return over
    texts = frame.select(pl.col("source", "target").fill_null("")).hstack([choice.alias("choice")])
    text_bytes = pl.col("source").str.len_bytes() + pl.col("target").str.len_bytes()
    large = texts.select(pl.arg_where(_MOST_ESCAPED * text_bytes > room)).to_series()
    if large.is_empty():
        return over
    suspects = texts[large]
    lines = render(suspects["source"], suspects["target"], pick(prompts, suspects["choice"]))
    return over.scatter(large, [len(line) > cap for line in lines])
