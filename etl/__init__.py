"""
Saturi: AI-Hub's Korean dialect label archives to chat fine-tuning data, every label file accounted for.

    from etl import BuildOptions, build

    if __name__ == "__main__":  # workers import the main module, too
        result = build(["data"], "out", BuildOptions(unit="sentence"))
"""

from etl.build import BuildResult, build, dry_run
from etl.check import CheckReport, check
from etl.errors import EtlError
from etl.explain import explain
from etl.export import export
from etl.inspect import inspect
from etl.options import BuildOptions
from etl.price.estimate import estimate
from etl.submit.after import Access, Cleaning, Status, cancel, clean, status, watch
from etl.submit.options import SubmitOptions
from etl.submit.submit import Submission, plan_submission, submit
from etl.verify import Verification, verify
from schemas.estimate import Estimate

__all__ = [
    "Access",
    "BuildOptions",
    "BuildResult",
    "CheckReport",
    "Cleaning",
    "Estimate",
    "EtlError",
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
    "explain",
    "export",
    "inspect",
    "plan_submission",
    "status",
    "submit",
    "verify",
    "watch",
]
