"""
The card of a tuned model: what it was tuned on, how that was split, what it is worth, and whose texts they were.

It is meant to be published beside the model, and so holds no text of the corpus, no name of a file or folder, and no id.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from saturi.etl.errors import InputError, OptionError
from saturi.etl.evaluation.results import FOLDER, SCORES, folder_of, read_evaluation
from saturi.etl.exports.base_models import find_base_model
from saturi.etl.exports.card import counts_table, data_sets, source_notice
from saturi.etl.exports.export import CARD, EXPORTS
from saturi.etl.output.files import is_there
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.holding import claimed, refuse_link
from saturi.etl.output.printable import printable
from saturi.etl.output.replacement import Content, replace_files
from saturi.etl.output.side import make_side
from saturi.etl.storage.location import Location
from saturi.schemas.evaluation import Evaluation, MetricRow, Score, SystemScores, TestSetRow
from saturi.schemas.manifest import Manifest
from saturi.schemas.terms import Direction, Source, Split, Unit

MODEL_CARD = "card"
"""Folder of the card, below that of the exports."""

_BY_STRATUM = ("chrf", "edit_f05", "over_edit")
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def export_card(out: str | Location, model: str, base_model: str | None = None, evaluation: str | None = None) -> Path:
    """
    Write the card of a model that was tuned on a build, and return its folder.

    The same build and evaluation give the same bytes. A card of before is replaced, unless it was edited.

    Args:
        out: Folder of the build, or its URL.
        model: The tuned model, by its name in the evaluation.
        base_model: The model that it was tuned from; None for the base model of the evaluation.
        evaluation: Name of the evaluation; None for that of the validation split, if there is one.

    Raises:
        BuildError: *out* holds no finished build, or a damaged one.
        ForeignFolderError: The card was changed since it was written.
        InputError: The evaluation is missing or damaged, or of another build.
        OptionError: A name is empty, or the evaluation has no such model.
        StorageError: The folder cannot be written, or a build is writing there.
    """
    for option, name in (("--card", model), ("--base-model", base_model), ("--evaluation", evaluation)):
        if name == "":
            raise OptionError(option, "the name is empty", "give a name, or leave it out")
    build = FinishedBuild.open(out)
    build.refuse_damage()
    side = make_side(build.given)
    measured = _evaluation_of(build, side, evaluation)
    if measured is not None:
        _refuse_unknown(measured, model)
        base_model = _base_of(measured, model, base_model)
    card = model_card(build.manifest, build.manifest_sha256, (model, base_model), measured)
    folder = side / EXPORTS / MODEL_CARD
    with claimed(side, side):
        for path in (folder.parent, folder):
            refuse_link(path)
        replace_files(folder, {CARD: Content.of(card)})
    return folder


def _evaluation_of(build: FinishedBuild, side: Path, name: str | None) -> Evaluation | None:
    """Return the evaluation *name* in *side*; None where no name is given, and there is none of the validation split."""
    folder = folder_of(side, name or Split.VALIDATION)
    if name is None and not is_there(folder / SCORES):
        return None
    evaluation = read_evaluation(folder).evaluation
    if evaluation.test_set.manifest_sha256 not in {None, build.manifest_sha256}:
        raise InputError(f"{FOLDER}/{folder.name}", "the evaluation is of another build", "evaluate again")
    return evaluation


def _base_of(evaluation: Evaluation, model: str, given: str | None) -> str | None:
    """Return the base of *model*, the one *given* or that it was held against; refuse two that are not one."""
    measured = next((system.base for system in evaluation.systems if system.name == model), None)
    if given is None or measured is None or _Base.of(given).name == _Base.of(measured).name:
        return given or measured
    raise OptionError(
        "--base-model", f"the base model of the evaluation is {measured!r}, not {given!r}", "leave it out"
    )


def _refuse_unknown(evaluation: Evaluation, model: str) -> None:
    names = [system.name for system in evaluation.systems if system.role == "candidate"]
    if model not in names:
        advice = f"choose from {', '.join(names)}" if names else "evaluate it first"
        raise OptionError("--card", f"{model!r} is no tuned model of the evaluation", advice)


def model_card(
    manifest: Manifest, manifest_sha256: str, models: tuple[str, str | None], evaluation: Evaluation | None
) -> str:
    """
    Return the card of a model, in Markdown.

    Args:
        manifest: What it was tuned on.
        manifest_sha256: Names the build.
        models: Its name, and that of its base model, if it is known.
        evaluation: What it is worth, if that was measured.
    """
    model, name = models
    base = None if name is None else _Base.of(name)
    scores = _not_evaluated() if evaluation is None else _scores(evaluation, model)
    return "\n".join(
        [
            *_front(base),
            *_purpose(manifest, _shown(model), base),
            *_data(manifest, manifest_sha256),
            *_split(manifest),
            *scores,
            *_licence(manifest),
        ]
    )


class _Base(NamedTuple):
    """The base model: its name, and its licence where that is known."""

    name: str
    licence: str

    @classmethod
    def of(cls, name: str) -> "_Base":
        """Return the base model *name*, which may be a short name of the catalogue."""
        model = find_base_model(name)
        if model is None:
            return cls(_shown(name), "its licence goes on to apply")
        note = f", {model.licence_note}" if model.licence_note else ""
        note += f"; not verified: {model.not_verified}" if "licence" in model.not_verified else ""
        return cls(model.id, f"its licence goes on to apply ({model.licence}{note}; as of {model.as_of})")


def _front(base: _Base | None) -> Iterator[str]:
    """Yield the YAML for the Hugging Face Hub's tools; its base model has to be a name that the Hub knows."""
    yield from ("---", "license: other", "language: ko", "pipeline_tag: text-generation")
    if base is not None and _HUB_NAME.fullmatch(base.name):
        yield f"base_model: {base.name}"
    yield from ("---", "")


def _purpose(manifest: Manifest, model: str, base: _Base | None) -> Iterator[str]:
    options = manifest.options
    ways = {Direction.TO_STANDARD: "dialect into standard Korean", Direction.TO_DIALECT: "standard Korean into dialect"}
    tuned = "A model" if base is None else base.name
    yield f"# {tuned} tuned on Korean dialect: {ways[Direction(options['direction'])]}"
    yield ""
    yield f"The name of this model is `{model}`."
    yield "The base model was not named." if base is None else f"Tuned from {base.name}; {base.licence}."
    unit = {Unit.FILE: "all that was said in one recording", Unit.SENTENCE: "one sentence"}[Unit(options["unit"])]
    source = {Source.PRONUNCIATION: "as it is pronounced", Source.DIALECT: "in dialect orthography"}[
        Source(options["source"])
    ]
    yield f"A message of the user is {unit}, and the answer is the same rewritten. Dialect is written {source}."
    instructions = [text for text in (options["system_prompt"], *options["paraphrase"]) if text]
    if not instructions:
        yield "There is no instruction (system message) before it."
        return
    yield (
        "Before it comes an instruction (system message):"
        if len(instructions) == 1
        else "Before it comes one of these:"
    )
    yield ""
    yield from (f"    {printable(line)}" for text in instructions for line in text.split("\n"))


def _data(manifest: Manifest, manifest_sha256: str) -> Iterator[str]:
    yield from ("", "## Training data", "")
    yield f"Pairs made by saturi from AI-Hub's data sets {data_sets(manifest)}. None of them is in this card."
    yield f"The build is that whose manifest.json has SHA-256 `{manifest_sha256}`."
    yield from ("", counts_table(manifest).rstrip("\n"))


def _split(manifest: Manifest) -> Iterator[str]:
    counts, options = manifest.counts, manifest.options
    held_out = sum(shard.examples for shard in manifest.shards if shard.split == Split.VALIDATION)
    yield from ("", "## Split", "")
    if not held_out:
        yield "Nothing was held out from training."
        return
    by = "" if options["validation"] == "official" else f" --split-by {','.join(options['split_by'])}"
    yield f"{held_out:,} examples were held out from training (`--validation {options['validation']}{by}`)."
    shared = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.shared.items()))
    yield f"Counted on the examples as they were written: {shared} are in both train and validation, and"
    yield f"{counts.validation_in_training:,} of the examples held out have a text of train as source or target."


def _not_evaluated() -> Iterator[str]:
    yield from ("", "## Scores", "", "There is no evaluation: what this model is worth was not measured.")


def _scores(evaluation: Evaluation, model: str) -> Iterator[str]:
    systems = [system for system in evaluation.systems if system.role != "candidate" or system.name == model]
    yield from ("", "## Scores", "")
    yield from _test_set(evaluation.test_set)
    yield "The system `copy` returns its input: it is the least to be beaten, and scores well where dialect is close to standard."
    yield f"In brackets are intervals of 95 %, by {evaluation.resamples:,} paired bootstrap resamples with seed {evaluation.seed}."
    yield ""
    heads = [_cell(_shown(system.name)) + (" (base)" if system.role == "base" else "") for system in systems]
    yield from _table(["metric", *heads], _rows(evaluation, systems))
    yield ""
    shown = [metric for metric in evaluation.metrics if metric.name in _BY_STRATUM]
    yield f"By stratum, {' / '.join(_title(metric) for metric in shown)}:"
    yield ""
    yield from _table(["stratum", "rows", *heads], _stratum_rows(shown, systems))
    yield from ("", "Signatures, by which anybody gets the same numbers from the same answers:", "")
    yield from (f"* {metric.title}: `{metric.signature}`" for metric in evaluation.metrics if metric.signature)
    yield f"* saturi {evaluation.versions['saturi']}"


def _test_set(test_set: TestSetRow) -> Iterator[str]:
    rows = "rows of a file of one's own" if test_set.split is None else f"rows of the {test_set.split} split"
    yield f"{test_set.rows:,} {rows}, {test_set.questions:,} different questions, asked at temperature 0."
    if test_set.split == Split.TRAIN:
        yield "These are texts that the model was trained on: the scores say what it knows by heart, and not what it is worth."
    elif test_set.proved:
        yield f"None has a text that train has, too; {test_set.in_training:,} more that had one were left out before."
    else:
        yield "They were not held against a train split."
    if test_set.not_sampled or test_set.unanswered:
        yield f"Of the others, {test_set.not_sampled:,} were not sampled, and {test_set.unanswered:,} had no answer."


def _rows(evaluation: Evaluation, systems: Sequence[SystemScores]) -> Iterator[list[str]]:
    for metric in evaluation.metrics:
        scores = [system.strata[0].scores[metric.name] for system in systems]
        if any(score.score is not None for score in scores):
            yield [_title(metric), *(_with_interval(metric, score) for score in scores)]


def _stratum_rows(metrics: Sequence[MetricRow], systems: Sequence[SystemScores]) -> Iterator[list[str]]:
    for place, stratum in enumerate(systems[0].strata):
        cells = [
            " / ".join(_number(metric, system.strata[place].scores[metric.name].score) for metric in metrics)
            for system in systems
        ]
        yield [f"{stratum.by} {stratum.value}" if place else "all", f"{stratum.rows:,}", *cells]


def _table(head: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    for cells in (head, ["---", *["--:"] * (len(head) - 1)], *rows):
        yield f"| {' | '.join(cells)} |"


def _with_interval(metric: MetricRow, score: Score) -> str:
    if score.low is None or score.high is None:
        return _number(metric, score.score)
    return f"{_number(metric, score.score)} ({_number(metric, score.low)} to {_number(metric, score.high)})"


def _number(metric: MetricRow, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if metric.better == "neither" else f"{value:.1f}"


def _title(metric: MetricRow) -> str:
    return f"{metric.title} (less is better)" if metric.better == "lower" else metric.title


def _licence(manifest: Manifest) -> Iterator[str]:
    yield from ("", "## Licence and source", "")
    yield f"The texts are from AI-Hub's data sets {data_sets(manifest)}"
    yield "of the National Information Society Agency (한국지능정보사회진흥원, NIA)."
    yield "**They may not leave Korea, nor be given or shown to anybody else, without NIA's agreement.**"
    yield "A model can repeat what it was trained on: whether this one may be given to others is for AI-Hub's terms of use, NIA and"
    yield "the licence of the base model to say. A work made from the texts names their source, such as:"
    yield ""
    yield source_notice(manifest)


def _shown(name: str) -> str:
    """Return *name* without the folders of this machine, as a server that is given a path has them in the names of models."""
    path = PurePath(name)
    return printable(path.name if path.is_absolute() or ".." in path.parts or "\\" in name else name)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
