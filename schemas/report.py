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
    label files by AI-Hub's own split (`none` where the archive's name has none), `sets` decoded label files by the set of
    scripts in their names, null where they were not counted.
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
    """Of `utterances` that were looked at, the number with the markup of each rule; `actions` are what cleaning does."""

    utterances: int
    marked: dict[str, int]
    actions: dict[str, str]


class StageFacts(Struct, frozen=True, kw_only=True):
    """
    What only the stage knows.

    `script_readings` counts scripts by how often they are read, `speaker_examples` speakers by their examples, both in bins
    whose lower ends are `bins`. `identical` are utterances with equal texts, of `utterances`. `official` counts speakers,
    scripts and texts in both of AI-Hub's splits, null where the corpus has only one of them.
    """

    utterances: int
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

    `changed` counts examples by their number of changed words, the last number with all above; `words` are the most
    frequent changed words, empty unless texts were requested.
    """

    step: int
    examples: int
    regions: dict[str, RegionTexts]
    changed: list[int]
    words: list[ChangedWord]


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

    `missing` names what could not be read: `stage`, `price`, `ledger`, `evaluation`.
    """

    version: str
    corpus: CorpusFacts | None = None
    flow: FlowFacts | None = None
    duplicates: dict[str, int] = {}
    stage: StageFacts | None = None
    texts: TextFacts | None = None
    estimate: Estimate | None = None
    split: SplitFacts | None = None
    jobs: list[TrainingJob] = []
    evaluations: dict[str, Evaluation] = {}
    record: BuildRecord | None = None
    missing: list[str] = []

    def __repr__(self) -> str:
        return brief(
            self, version=self.version, jobs=len(self.jobs), evaluations=list(self.evaluations), missing=self.missing
        )
