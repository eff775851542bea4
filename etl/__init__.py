"""
Saturi: AI-Hub's Korean dialect label archives to chat fine-tuning data, every label file accounted for.

    from etl import BuildOptions, build

    if __name__ == "__main__":  # workers import the main module, too
        result = build(["data"], "out", BuildOptions(unit="sentence"))

Each public name is imported when it is first used (PEP 562), so that no worker and no `--help` waits for all of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from etl.errors import EtlError

if TYPE_CHECKING:
    from etl.checking.check import check as check
    from etl.checking.report import CheckReport as CheckReport
    from etl.download.fetch import fetch as fetch
    from etl.download.options import FetchOptions as FetchOptions
    from etl.download.plan import list_archives as list_archives
    from etl.download.plan import plan_fetch as plan_fetch
    from etl.download.repair import repair as repair
    from etl.evaluation.evaluate import evaluate as evaluate
    from etl.evaluation.model_card import export_card as export_card
    from etl.evaluation.options import EvaluateOptions as EvaluateOptions
    from etl.evaluation.results import EvaluationResult as EvaluationResult
    from etl.explanation.explain import explain as explain
    from etl.exports.export import export as export
    from etl.inspection.survey import inspect as inspect
    from etl.output.finished import FinishedBuild as FinishedBuild
    from etl.output.finished import verify as verify
    from etl.output.verification import Verification as Verification
    from etl.pipeline.build import BuildResult as BuildResult
    from etl.pipeline.build import build as build
    from etl.pipeline.build import dry_run as dry_run
    from etl.pricing.comparison import estimate_all as estimate_all
    from etl.pricing.estimate import estimate as estimate
    from etl.providers.pace import Pace as Pace
    from etl.reports.page import write_page as write_page
    from etl.reports.report import report as report
    from etl.settings.options import BuildOptions as BuildOptions
    from etl.submission.access import Access as Access
    from etl.submission.cancellation import cancel as cancel
    from etl.submission.consent import PriorConsent as PriorConsent
    from etl.submission.execution import Submission as Submission
    from etl.submission.options import SubmitOptions as SubmitOptions
    from etl.submission.removal import Cleaning as Cleaning
    from etl.submission.removal import clean as clean
    from etl.submission.status import Status as Status
    from etl.submission.status import status as status
    from etl.submission.submit import plan_submission as plan_submission
    from etl.submission.submit import submit as submit
    from etl.submission.watch import watch as watch
    from etl.synthetic.corpus import SampleReport as SampleReport
    from etl.synthetic.corpus import sample as sample
    from schemas.estimate import Estimate as Estimate
    from schemas.estimate import Offer as Offer
    from schemas.report import Report as Report

_HOMES = {
    "etl.checking.check": ("check",),
    "etl.checking.report": ("CheckReport",),
    "etl.download.fetch": ("fetch",),
    "etl.download.options": ("FetchOptions",),
    "etl.download.plan": (
        "list_archives",
        "plan_fetch",
    ),
    "etl.download.repair": ("repair",),
    "etl.evaluation.evaluate": ("evaluate",),
    "etl.evaluation.model_card": ("export_card",),
    "etl.evaluation.options": ("EvaluateOptions",),
    "etl.evaluation.results": ("EvaluationResult",),
    "etl.explanation.explain": ("explain",),
    "etl.exports.export": ("export",),
    "etl.inspection.survey": ("inspect",),
    "etl.output.finished": ("FinishedBuild", "verify"),
    "etl.output.verification": ("Verification",),
    "etl.pipeline.build": (
        "BuildResult",
        "build",
        "dry_run",
    ),
    "etl.pricing.comparison": ("estimate_all",),
    "etl.pricing.estimate": ("estimate",),
    "etl.providers.pace": ("Pace",),
    "etl.reports.page": ("write_page",),
    "etl.reports.report": ("report",),
    "etl.settings.options": ("BuildOptions",),
    "etl.submission.access": ("Access",),
    "etl.submission.cancellation": ("cancel",),
    "etl.submission.consent": ("PriorConsent",),
    "etl.submission.execution": ("Submission",),
    "etl.submission.options": ("SubmitOptions",),
    "etl.submission.removal": (
        "Cleaning",
        "clean",
    ),
    "etl.submission.status": (
        "Status",
        "status",
    ),
    "etl.submission.submit": (
        "plan_submission",
        "submit",
    ),
    "etl.submission.watch": ("watch",),
    "etl.synthetic.corpus": ("SampleReport", "sample"),
    "schemas.estimate": ("Estimate", "Offer"),
    "schemas.report": ("Report",),
}
"""Public names by the module that defines them."""

__all__ = [
    "Access",
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
    "Offer",
    "Pace",
    "PriorConsent",
    "Report",
    "SampleReport",
    "Status",
    "Submission",
    "SubmitOptions",
    "Verification",
    "build",
    "cancel",
    "check",
    "clean",
    "dry_run",
    "estimate",
    "estimate_all",
    "evaluate",
    "explain",
    "export",
    "export_card",
    "fetch",
    "inspect",
    "list_archives",
    "plan_fetch",
    "plan_submission",
    "repair",
    "report",
    "sample",
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
    raise AttributeError(f"module 'etl' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return list(__all__)
