"""Types of every file and output that crosses a border, by the names under which their schemas are asked for."""

from typing import Any

from msgspec import Struct

from saturi.etl.checking.report import CheckReport
from saturi.etl.output.verification import Verification
from saturi.etl.providers.recorder import Request
from saturi.etl.runtime.measurements import BuildFacts
from saturi.etl.submission.news import News
from saturi.etl.submission.status import Status
from saturi.schemas.chat import Example
from saturi.schemas.estimate import Estimate, Offer
from saturi.schemas.evaluation import Evaluation, Prediction, ShownRows, TestRow
from saturi.schemas.explanation import Explanation
from saturi.schemas.failure import Failure
from saturi.schemas.fetch import DataSetList, FetchPlan, FetchRecord, FetchResult, RepairedArchive
from saturi.schemas.health import Health
from saturi.schemas.inspection import Inspection, ScannedArchive
from saturi.schemas.ledger import Submitted
from saturi.schemas.manifest import Counts, Manifest, Reject
from saturi.schemas.model import Model
from saturi.schemas.pairs import BuildDiff, ShownPair
from saturi.schemas.provider import Provider


class File(Struct, frozen=True):
    """A file: the type of what is in it, or of each of its lines or tables, and what it is."""

    type: Any
    about: str
    tables: bool = False


FILES = {
    "manifest": File(Manifest, "manifest.json of a build"),
    "line": File(Example, "a line of a chunk"),
    "reject": File(Reject, "a line of rejects.jsonl"),
    "build-facts": File(BuildFacts, "build.json of a build"),
    "failure": File(Failure, "the last line on stderr where a command with --json fails"),
    "fetch-record": File(FetchRecord, "fetch.json of a folder of archives"),
    "test-row": File(TestRow, "a line of rows.jsonl of an evaluation"),
    "prediction": File(Prediction, "a line of a file of predictions"),
    "providers": File(Provider, "providers.toml", tables=True),
    "models": File(Model, "models.toml", tables=True),
}
"""Files, beside `etl.toml`, whose schema follows from the options."""

OUTPUT_TYPES: dict[str, Any] = {
    "build": Counts,
    "build-dry-run": ScannedArchive,
    "check": CheckReport,
    "diff": BuildDiff,
    "doctor": Health,
    "estimate": Estimate,
    "estimate-all": Offer,
    "evaluate": Evaluation,
    "evaluate-show": ShownRows,
    "explain": Explanation,
    "fetch": FetchResult,
    "fetch-dry-run": FetchPlan,
    "fetch-list": DataSetList,
    "fetch-repair": RepairedArchive,
    "inspect": Inspection,
    "show": ShownPair,
    "status": Status,
    "submit": Submitted,
    "submit-dry-run": Request,
    "verify": Verification,
    "watch": News,
}
"""Of each output in `saturi.schemas.outputs`: the type of the whole, or of each of its rows."""
