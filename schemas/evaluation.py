"""An evaluation: rows of a test set, answers to them, and the scores, as `evaluate --json` prints them."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from saturi.schemas.brief import brief
from saturi.schemas.chat import Message

EVALUATION_VERSION = 1

SystemKind = Literal["copy", "model", "predictions"]
SystemRole = Literal["copy", "base", "candidate"]


class TestRow(Struct, frozen=True, kw_only=True):
    """
    One line of `rows.jsonl`: what every system is asked, and what should come.

    `key` names it in a file of predictions: path of the chunk in the build, or name of the file, and line from 1. `messages`
    is the prompt, whose last message is the source; `repeats` says that an earlier row has the same prompt, and its answer is
    this one's, too. `archive`, `member` and `sentence` are where it came from, null where that is not known.
    """

    key: str
    messages: tuple[Message, ...]
    reference: str
    region: str | None = None
    speech_type: str | None = None
    repeats: bool = False
    archive: str | None = None
    member: str | None = None
    sentence: int | None = None

    @property
    def source(self) -> str:
        """What is to be rewritten: the last message of the prompt."""
        return self.messages[-1].content


class Prediction(Struct, frozen=True, kw_only=True):
    """One line of a file of predictions: what a model that ran elsewhere makes of the row *key*."""

    key: str
    prediction: str


class ChatRequest(Struct, frozen=True, kw_only=True):
    """A chat completion that is asked for: the same request, asked of the same model, is answered once."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    seed: int
    temperature: float = 0.0


class Answer(Struct, frozen=True, kw_only=True):
    """
    What came of a request.

    `finish_reason` is the provider's word, null where it has none; `refused` says that the model, or a filter, refused, and
    `text` is then what came all the same, mostly nothing. Tokens are the provider's count, null where it has none.
    """

    text: str
    finish_reason: str | None = None
    refused: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def cut_off(self) -> bool:
        """Whether it ends because it reached its longest."""
        return self.finish_reason == "length"


class PredictionRow(Struct, frozen=True, kw_only=True):
    """
    One row of `predictions.parquet`: a row of the test set as one system answers it.

    `chrf` is the chrF++ of the row by itself, `gain` that less the one of copying.
    """

    key: str
    system: str
    region: str | None
    speech_type: str | None
    archive: str | None
    member: str | None
    sentence: int | None
    source: str
    reference: str
    prediction: str
    finish_reason: str | None
    refused: bool
    chrf: float
    gain: float


class ShownRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of predictions as `evaluate --show --json` prints it, without texts unless they are asked for."""

    key: str
    system: str
    region: str | None
    speech_type: str | None
    archive: str | None
    member: str | None
    sentence: int | None
    source: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    prediction: str | UnsetType = UNSET
    finish_reason: str | None
    refused: bool
    chrf: float
    gain: float


class ShownRows(Struct, frozen=True, kw_only=True):
    """Rows of one system: those with the largest gain over copying, and those with the largest loss, the largest first."""

    system: str
    gains: list[ShownRow]
    losses: list[ShownRow]


class Score(Struct, frozen=True, kw_only=True):
    """
    A score of one system on some rows; null where the rows have none.

    `low` and `high` hold 95 % of 1,000 paired resamples, `p_copy` and `p_base` how likely a difference to copying, and to the
    own base model, of this size would be by chance.
    """

    score: float | None
    low: float | None = None
    high: float | None = None
    p_copy: float | None = None
    p_base: float | None = None


class StratumScores(Struct, frozen=True, kw_only=True):
    """Scores on the rows of one stratum: `by` is `all`, `region`, `speech_type` or `change` (`changed`, `identical`)."""

    by: str
    value: str
    rows: int
    scores: dict[str, Score]


class SystemScores(Struct, frozen=True, kw_only=True):
    """
    One system: what it is, what became of its questions, and its scores, those on all rows first.

    `base` is the model that it is held against, null where there is none. `asked` counts requests answered in this run,
    `known` those the journal had; tokens and dollars are of all of them, null where they are not known.
    """

    name: str
    kind: SystemKind
    role: SystemRole
    base: str | None = None
    provider: str | None = None
    base_url: str | None = None
    asked: int = 0
    known: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: float | None = None
    strata: list[StratumScores] = []


class MetricRow(Struct, frozen=True, kw_only=True):
    """A metric: its signature, by which anybody gets the same number, and whether more of it is better."""

    name: str
    title: str
    better: str
    signature: str


class TestSetRow(Struct, frozen=True, kw_only=True):
    """
    The test set: `available` rows = `rows` + `in_training` + `not_sampled` + `unanswered`.

    `in_training` have a text that train has, too; `questions` are different prompts. `manifest_sha256` names the build it
    is of, `file_sha256` the file; `proved` says whether there was a train split to hold it against.
    """

    name: str
    split: str | None
    available: int
    rows: int
    in_training: int
    not_sampled: int
    unanswered: int
    questions: int
    proved: bool
    manifest_sha256: str | None = None
    file_sha256: str | None = None


class ClaimRow(Struct, frozen=True, kw_only=True):
    """The original claim, for one candidate: its score over that of its own base model, beside its gain over copying."""

    system: str
    metric: str
    base: str | None = None
    over_base: float | None
    gain_over_copy: float | None


class Evaluation(Struct, frozen=True, kw_only=True):
    """All of an evaluation; *notes* are what to know of models before their scores are compared."""

    version: int
    test_set: TestSetRow
    metrics: list[MetricRow]
    systems: list[SystemScores]
    claim: list[ClaimRow]
    seed: int
    resamples: int
    versions: dict[str, str]
    notes: list[str] = []

    def __repr__(self) -> str:
        return brief(
            self, test_set=self.test_set.name, rows=self.test_set.rows, systems=[system.name for system in self.systems]
        )
