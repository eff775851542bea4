"""
Rules on one utterance by itself, which is dropped for the first rule that does not let it pass, or kept.

The order of the rules is that of `DropReason`, here and in the steps that follow.
"""

from collections.abc import Iterator
from itertools import groupby

import polars as pl

from saturi.etl.example.prompts import fill_prompts, pick
from saturi.etl.example.render import render
from saturi.etl.select.choice import choices, within
from saturi.etl.select.clean import TEXTS, UNCLEAN, compose
from saturi.etl.select.decisions import DECISIONS, REASON, Keys, Numbering, Step, is_there, write_decisions
from saturi.etl.select.least import PLACE, with_least
from saturi.etl.select.letters import letters
from saturi.etl.select.markup import CleanSettings
from saturi.etl.select.split import SPLIT, SplitRule, places_of, resolve_scripts, script_keys, splits
from saturi.etl.select.tasks import JudgeTask
from saturi.etl.select.utterances import (
    PLACEMENT_COLUMNS,
    as_pairs,
    merge_small,
    read_utterances,
    resolve_placement,
    standard_column,
)
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import location_of
from saturi.schemas.terms import Conflicts, Dedup, DropReason, Split

CLEANING = (DropReason.PERSONAL_DATA, DropReason.UNCLEAR, DropReason.MARKUP)
_SEED = 1  # of both texts, so that a source in one split is equal to a target in the other, too
_MOST_ESCAPED = 6  # bytes of a line that one byte of a text becomes at most: a control character is written as \\u0001


def judge(task: JudgeTask) -> None:
    """
    Write the decisions on one group.

    Raises:
        StorageError: They cannot be written.
    """
    folder = location_of(task.decisions)
    if is_there(folder, task.group, Step.JUDGED):
        return
    speakers, scripts = Numbering(), Numbering()
    parts = [_judge(utterances, task, speakers, scripts) for utterances in _utterances(task)]
    decisions = pl.concat([pl.Schema({**DECISIONS, PLACE: pl.UInt64()}).to_frame(), *parts])
    held_out = None
    if task.options.validation != "official":
        rule = SplitRule.of(task.options)
        decisions, held_out = with_least(decisions, rule, task.options)
    write_decisions(folder, task.group, decisions.drop(PLACE), Keys(speakers.texts, scripts.texts, held_out))


def _utterances(task: JudgeTask) -> Iterator[pl.DataFrame]:
    """Yield the utterances of the group, some at a time, with the number of their `segment`."""
    group, options = task.group, task.options
    by_member = options.dedup is Dedup.NONE and options.chooses
    columns = (*PLACEMENT_COLUMNS, "member") if by_member else PLACEMENT_COLUMNS
    for hints, sources in groupby(enumerate(task.sources), key=lambda numbered: numbered[1].hints):
        frames = (
            read_utterances(source, options.unit, options.source, columns).with_columns(
                segment=pl.lit(number, pl.UInt32)
            )
            for number, source in sources
        )
        for frame in merge_small(frames):
            placed = resolve_placement(frame, hints)
            yield placed.filter(region=group.region.value, speech_type=group.speech_type.value)


def _judge(utterances: pl.DataFrame, task: JudgeTask, speakers: Numbering, scripts: Numbering) -> pl.DataFrame:
    """Return `DECISIONS` for *utterances* of the group."""
    group, options = task.group, task.options
    written = as_pairs(utterances, CleanSettings.of(options), options.direction)
    frame = written if options.clean else compose(written)  # texts are compared as composed; clean ones are
    standard = frame[standard_column(options.direction)]
    frame = frame.with_columns(script=resolve_scripts(frame["script"], standard, group.speech_type))
    frame = frame.with_columns(script_key=script_keys(frame["script"], standard, group, options.split_by))
    frame = frame.with_columns(
        split=_splits(frame, options),
        choice=choices(frame, options.dedup) if options.chooses else pl.lit(0, pl.UInt64),
    )
    reasons = (pl.when(fails).then(pl.lit(reason.value)) for reason, fails in rules_on_one(options))
    return (
        frame.lazy()
        .with_columns(over_cap=_is_over_cap(written.with_columns(frame["choice"]), task))
        .select(
            "segment",
            "row",
            "split",
            pl.coalesce(reasons).cast(REASON).alias("reason"),
            *(pl.col(name).fill_null("").hash(_SEED).alias(f"{name}_hash") for name in TEXTS),
            *(letters(frame[name].fill_null("")).hash(_SEED).alias(f"{name}_letters") for name in TEXTS),
            "choice",
            speakers.number(frame["speakers"]).alias("speakers"),
            scripts.number(frame["script"]).alias("script"),
            places_of(frame["script_key"] if options.min_validation else frame["script_key"].clear(frame.height)).alias(
                PLACE
            ),
        )
        .collect()
    )


def _splits(frame: pl.DataFrame, options: BuildOptions) -> pl.Series:
    """Return the split of each row of *frame*: as published, train, or by its keys."""
    if options.validation == "official":
        return frame["split"].cast(SPLIT)
    if options.validation == 0:
        return pl.repeat(Split.TRAIN.value, frame.height, dtype=SPLIT, eager=True)
    return splits(frame, SplitRule.of(options))


def rules_on_one(options: BuildOptions) -> Iterator[tuple[DropReason, pl.Expr]]:
    """
    Yield, in order, the rules in force that look at one utterance: the reason, and where it applies.

    The expressions are on the columns of `as_pairs`, `split`, `choice`, and `over_cap`.
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
    yield (DropReason.NO_OFFICIAL_SPLIT if official else DropReason.SPLIT_CONFLICT), pl.col("split").is_null()


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


def _is_over_cap(frame: pl.DataFrame, task: JudgeTask) -> pl.Series:
    """Return whether the line of each pair of *frame* is too large for any chunk; only large ones are rendered to see."""
    cap, prompts = task.options.max_chunk_bytes, fill_prompts(task.options.prompts, task.group)
    texts = frame.select(pl.col("source", "target").fill_null(""), "choice")
    around = max(len(line) for prompt in prompts for line in render([""], [""], prompt))
    text_bytes = pl.col("source").str.len_bytes() + pl.col("target").str.len_bytes()
    large = texts.select(around + _MOST_ESCAPED * text_bytes > cap).to_series().arg_true()
    over = pl.zeros(frame.height, dtype=pl.Boolean, eager=True)
    if large.is_empty():
        return over
    suspects = texts[large]
    lines = render(suspects["source"], suspects["target"], pick(prompts, suspects["choice"]))
    return over.scatter(large, [len(line) > cap for line in lines])
