"""The report: all that is known of a corpus, a build and its models, in numbers; no text of the corpus unless requested."""

from msgspec import Struct

from saturi.schemas.brief import brief
from saturi.schemas.estimate import Estimate
from saturi.schemas.evaluation import Evaluation
from saturi.schemas.manifest import GroupRow


class ReportedArchive(Struct, frozen=True, kw_only=True):
    """One archive; `label_files` = `decoded` + the sum of `rejected`. `problem` is why it could not be read, or null."""

    archive: str
    region: str | None
    speech_type: str | None
    split: str | None
    generations: dict[str, int]
    label_files: int
    decoded: int
    rejected: dict[str, int]
    problem: str | None


class CorpusFacts(Struct, frozen=True, kw_only=True):
    """
    The corpus.

    `groups` counts units by region and speech type: utterances where `counted` is `utterances`, else label files; `splits`
    label files by AI-Hub's own split (`none` where the archive's name has none), `sets` utterances by the set of scripts or
    questions in the names of their label files, null where they were not counted.
    """

    archives: list[ReportedArchive]
    counted: str
    groups: dict[str, dict[str, int]]
    splits: dict[str, int]
    generations: dict[str, int]
    sets: dict[str, int] | None


class FlowFacts(Struct, frozen=True, kw_only=True):
    """Label files to examples: `label_files` = `decoded` + `rejected`, `utterances` = `examples` + `dropped`."""

    unit: str
    label_files: int
    rejected: dict[str, int]
    decoded: int
    repaired: int
    utterances: int
    dropped: dict[str, int]
    examples: dict[str, int]


class MarkupFacts(Struct, frozen=True, kw_only=True):
    """
    Of `utterances` that were looked at, the number with the markup of each rule, before cleaning.

    `actions` are what cleaning does. No utterance is of a region or speech type that the build has excluded.
    """

    utterances: int
    marked: dict[str, int]
    actions: dict[str, str]


class StageFacts(Struct, frozen=True, kw_only=True):
    """
    What only the stage knows.

    `groups` counts all `utterances` by region and speech type. Of the regions and speech types that the build has not
    excluded: `script_readings` counts scripts (of what is read aloud) by their utterances, in bins whose lower ends are
    `bins`; `identical` has, by region, the utterances with equal texts before cleaning, and those with two texts.
    `speaker_examples` counts speakers by their examples, in the same bins. `official` counts speakers, scripts and texts of
    all utterances that are in both of AI-Hub's splits, null where the corpus has only one of them.
    """

    utterances: int
    groups: dict[str, dict[str, int]]
    identical: dict[str, tuple[int, int]]
    scripts: int
    bins: list[int]
    script_readings: list[int]
    speakers: int
    speaker_examples: list[int]
    sets: dict[str, int]
    official: dict[str, int] | None
    markup: MarkupFacts


class Spread(Struct, frozen=True, kw_only=True):
    """Mean, percentiles (nearest rank) and maximum of a number of some examples."""

    mean: float
    p5: float
    p50: float
    p95: float
    most: float


class RegionTexts(Struct, frozen=True, kw_only=True):
    """
    Texts of the examples of one region that were looked at.

    `ratio` is characters of the target over those of the source, `changed_words` the different words of the source that the
    target does not have.
    """

    examples: int
    source_words: Spread
    target_words: Spread
    source_characters: Spread
    target_characters: Spread
    ratio: Spread
    changed_words: Spread


class ChangedWord(Struct, frozen=True, kw_only=True):
    """A word of the sources with the word that the targets have in its place, and how often."""

    source: str
    target: str
    count: int


class TextFacts(Struct, frozen=True, kw_only=True):
    """
    Texts of examples: one in `step` was looked at, `examples` in all; `regions` has `all` first.

    `direction` says which of the two texts is the source.
    `changed` counts examples by their number of changed words, the last number with all above; `words` are the most
    frequent changed words, empty unless texts were requested.
    """

    direction: str
    step: int
    examples: int
    regions: dict[str, RegionTexts]
    changed: list[int]
    words: list[ChangedWord]


class TokenFacts(Struct, frozen=True, kw_only=True):
    """
    Tokens of the examples of train, whether the price of training is known or not.

    `histogram` counts examples by tokens, in steps of `bin_tokens` from 0. `limit` is how many the model takes, null where
    that is not known, and `over_limit` the examples that have more.
    """

    model: str
    tokenizer: str
    exact: bool
    limit: int | None
    over_limit: int
    median: int
    most: int
    bin_tokens: int
    histogram: list[int]


class SplitFacts(Struct, frozen=True, kw_only=True):
    """The split: sides by group, and the proof (`shared`), by the keys in `split_by` or after AI-Hub's own folders."""

    validation: str
    split_by: list[str]
    groups: list[GroupRow]
    shared: dict[str, int]
    validation_in_training: int


class LossPoint(Struct, frozen=True, kw_only=True):
    """Loss at one step of a job; null where it was not measured."""

    step: int
    train: float | None
    validation: float | None


class TrainingJob(Struct, frozen=True, kw_only=True):
    """One job of the ledger; `losses` is empty where nothing watched it."""

    title: str
    model: str
    status: str | None
    epochs: int
    examples: int
    trained_tokens: int | None
    losses: list[LossPoint]


class RunFacts(Struct, frozen=True, kw_only=True):
    """How a build went; the times are seconds. `chunks` has the SHA-256 of the manifest and of each chunk, by path."""

    seconds: float
    cpu_seconds: float
    steps: dict[str, float]
    workers: int
    processors: int
    machine: str
    parent_peak_bytes: int
    worker_peak_bytes: int
    packed_bytes: int
    json_bytes: int
    segments_made: int
    segments_reused: int
    versions: dict[str, str]


class BuildRecord(Struct, frozen=True, kw_only=True):
    """What makes the same build again: command, options, checksums. `run` is null without `build.json`."""

    command: str
    options: dict[str, str]
    sums: dict[str, str]
    run: RunFacts | None


class Report(Struct, frozen=True, kw_only=True):
    """
    All of a report; a part is null, or empty, where nothing is known of it.

    `missing` names what could not be read: `stage`, `price`, `ledger`, `evaluation`. `evaluations` are the last ones, and
    `earlier_evaluations` the number of those before.
    """

    version: str
    corpus: CorpusFacts | None = None
    flow: FlowFacts | None = None
    duplicates: dict[str, int] = {}
    stage: StageFacts | None = None
    texts: TextFacts | None = None
    tokens: TokenFacts | None = None
    estimate: Estimate | None = None
    split: SplitFacts | None = None
    jobs: list[TrainingJob] = []
    evaluations: dict[str, Evaluation] = {}
    earlier_evaluations: int = 0
    record: BuildRecord | None = None
    missing: list[str] = []

    def __repr__(self) -> str:
        return brief(
            self, version=self.version, jobs=len(self.jobs), evaluations=list(self.evaluations), missing=self.missing
        )
