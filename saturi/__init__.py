"""
Saturi: AI-Hub's Korean dialect label archives to chat fine-tuning data, every label file accounted for.

    from saturi import BuildOptions, build

    if __name__ == "__main__":  # workers import the main module, too
        result = build(["data"], "out", BuildOptions(unit="sentence"))

Each public name is imported when it is first used (PEP 562), so that no worker and no `--help` waits for all of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from saturi.etl.errors import EtlError

if TYPE_CHECKING:
    from saturi.etl.checking.check import check as check
    from saturi.etl.checking.report import CheckReport as CheckReport
    from saturi.etl.download.fetch import fetch as fetch
    from saturi.etl.download.options import FetchOptions as FetchOptions
    from saturi.etl.download.plan import list_archives as list_archives
    from saturi.etl.download.plan import plan_fetch as plan_fetch
    from saturi.etl.download.repair import repair as repair
    from saturi.etl.evaluation.evaluate import evaluate as evaluate
    from saturi.etl.evaluation.model_card import export_card as export_card
    from saturi.etl.evaluation.options import EvaluateOptions as EvaluateOptions
    from saturi.etl.evaluation.results import EvaluationResult as EvaluationResult
    from saturi.etl.explanation.explain import explain as explain
    from saturi.etl.exports.export import export as export
    from saturi.etl.formats.schema import schema as schema
    from saturi.etl.formats.template import init as init
    from saturi.etl.health.doctor import doctor as doctor
    from saturi.etl.inspection.survey import inspect as inspect
    from saturi.etl.output.finished import FinishedBuild as FinishedBuild
    from saturi.etl.output.finished import verify as verify
    from saturi.etl.output.verification import Verification as Verification
    from saturi.etl.pairs.diff import diff as diff
    from saturi.etl.pairs.load import load as load
    from saturi.etl.pairs.load import load_dataset as load_dataset
    from saturi.etl.pairs.show import show as show
    from saturi.etl.pipeline.build import BuildResult as BuildResult
    from saturi.etl.pipeline.build import build as build
    from saturi.etl.pipeline.build import dry_run as dry_run
    from saturi.etl.pricing.comparison import estimate_all as estimate_all
    from saturi.etl.pricing.estimate import estimate as estimate
    from saturi.etl.providers.pace import Pace as Pace
    from saturi.etl.reports.page import write_page as write_page
    from saturi.etl.reports.report import report as report
    from saturi.etl.runtime.cluster import dask_executor as dask_executor
    from saturi.etl.settings.options import BuildOptions as BuildOptions
    from saturi.etl.submission.access import Access as Access
    from saturi.etl.submission.cancellation import cancel as cancel
    from saturi.etl.submission.consent import PriorConsent as PriorConsent
    from saturi.etl.submission.execution import Submission as Submission
    from saturi.etl.submission.options import SubmitOptions as SubmitOptions
    from saturi.etl.submission.removal import Cleaning as Cleaning
    from saturi.etl.submission.removal import clean as clean
    from saturi.etl.submission.status import Status as Status
    from saturi.etl.submission.status import status as status
    from saturi.etl.submission.submit import plan_submission as plan_submission
    from saturi.etl.submission.submit import submit as submit
    from saturi.etl.submission.watch import watch as watch
    from saturi.etl.synthetic.corpus import SampleReport as SampleReport
    from saturi.etl.synthetic.corpus import sample as sample
    from saturi.schemas.estimate import Estimate as Estimate
    from saturi.schemas.estimate import Offer as Offer
    from saturi.schemas.health import Health as Health
    from saturi.schemas.pairs import BuildDiff as BuildDiff
    from saturi.schemas.pairs import ShownPair as ShownPair
    from saturi.schemas.report import Report as Report

_HOMES = {
    "saturi.etl.checking.check": ("check",),
    "saturi.etl.checking.report": ("CheckReport",),
    "saturi.etl.download.fetch": ("fetch",),
    "saturi.etl.download.options": ("FetchOptions",),
    "saturi.etl.download.plan": ("list_archives", "plan_fetch"),
    "saturi.etl.download.repair": ("repair",),
    "saturi.etl.evaluation.evaluate": ("evaluate",),
    "saturi.etl.evaluation.model_card": ("export_card",),
    "saturi.etl.evaluation.options": ("EvaluateOptions",),
    "saturi.etl.evaluation.results": ("EvaluationResult",),
    "saturi.etl.explanation.explain": ("explain",),
    "saturi.etl.exports.export": ("export",),
    "saturi.etl.formats.schema": ("schema",),
    "saturi.etl.formats.template": ("init",),
    "saturi.etl.health.doctor": ("doctor",),
    "saturi.etl.inspection.survey": ("inspect",),
    "saturi.etl.output.finished": ("FinishedBuild", "verify"),
    "saturi.etl.output.verification": ("Verification",),
    "saturi.etl.pairs.diff": ("diff",),
    "saturi.etl.pairs.load": ("load", "load_dataset"),
    "saturi.etl.pairs.show": ("show",),
    "saturi.etl.pipeline.build": ("BuildResult", "build", "dry_run"),
    "saturi.etl.pricing.comparison": ("estimate_all",),
    "saturi.etl.pricing.estimate": ("estimate",),
    "saturi.etl.providers.pace": ("Pace",),
    "saturi.etl.reports.page": ("write_page",),
    "saturi.etl.reports.report": ("report",),
    "saturi.etl.runtime.cluster": ("dask_executor",),
    "saturi.etl.settings.options": ("BuildOptions",),
    "saturi.etl.submission.access": ("Access",),
    "saturi.etl.submission.cancellation": ("cancel",),
    "saturi.etl.submission.consent": ("PriorConsent",),
    "saturi.etl.submission.execution": ("Submission",),
    "saturi.etl.submission.options": ("SubmitOptions",),
    "saturi.etl.submission.removal": ("Cleaning", "clean"),
    "saturi.etl.submission.status": ("Status", "status"),
    "saturi.etl.submission.submit": ("plan_submission", "submit"),
    "saturi.etl.submission.watch": ("watch",),
    "saturi.etl.synthetic.corpus": ("SampleReport", "sample"),
    "saturi.schemas.estimate": ("Estimate", "Offer"),
    "saturi.schemas.health": ("Health",),
    "saturi.schemas.pairs": ("BuildDiff", "ShownPair"),
    "saturi.schemas.report": ("Report",),
}
"""Public names by the module that defines them."""

__all__ = [
    "Access",
    "BuildDiff",
    "BuildOptions",
    "BuildResult",
    "CheckReport",
    "Cleaning",
    "Estimate",
    "EtlError",
    "EvaluateOptions",
    "EvaluationResult",
    "FetchOptions",
    "FinishedBuild",
    "Health",
    "Offer",
    "Pace",
    "PriorConsent",
    "Report",
    "SampleReport",
    "ShownPair",
    "Status",
    "Submission",
    "SubmitOptions",
    "Verification",
    "build",
    "cancel",
    "check",
    "clean",
    "dask_executor",
    "diff",
    "doctor",
    "dry_run",
    "estimate",
    "estimate_all",
    "evaluate",
    "explain",
    "export",
    "export_card",
    "fetch",
    "init",
    "inspect",
    "list_archives",
    "load",
    "load_dataset",
    "plan_fetch",
    "plan_submission",
    "repair",
    "report",
    "sample",
    "schema",
    "show",
    "status",
    "submit",
    "verify",
    "watch",
    "write_page",
]


def __getattr__(name: str) -> Any:  # the public names have a type each, given above
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(home), name)
            return value
    raise AttributeError(f"module 'saturi' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return list(__all__)
