"""
Saturi: AI-Hub's Korean dialect label archives to chat fine-tuning data, every label file accounted for.

    from etl import BuildOptions, build

    if __name__ == "__main__":  # workers import the main module, too
        result = build(["data"], "out", BuildOptions(unit="sentence"))
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from etl.errors import EtlError

if TYPE_CHECKING:
    from etl.build import BuildResult as BuildResult
    from etl.build import build as build
    from etl.build import dry_run as dry_run
    from etl.check import CheckReport as CheckReport
    from etl.check import check as check
    from etl.explain import explain as explain
    from etl.export import export as export
    from etl.inspect import inspect as inspect
    from etl.options import BuildOptions as BuildOptions
    from etl.price.estimate import estimate as estimate
    from etl.submit.after import Access as Access
    from etl.submit.after import Cleaning as Cleaning
    from etl.submit.after import Status as Status
    from etl.submit.after import cancel as cancel
    from etl.submit.after import clean as clean
    from etl.submit.after import status as status
    from etl.submit.after import watch as watch
    from etl.submit.options import SubmitOptions as SubmitOptions
    from etl.submit.submit import Submission as Submission
    from etl.submit.submit import plan_submission as plan_submission
    from etl.submit.submit import submit as submit
    from etl.verify import Verification as Verification
    from etl.verify import verify as verify
    from schemas.estimate import Estimate as Estimate

_HOMES = {
    "etl.build": ("BuildResult", "build", "dry_run"),
    "etl.check": ("CheckReport", "check"),
    "etl.explain": ("explain",),
    "etl.export": ("export",),
    "etl.inspect": ("inspect",),
    "etl.options": ("BuildOptions",),
    "etl.price.estimate": ("estimate",),
    "etl.submit.after": ("Access", "Cleaning", "Status", "cancel", "clean", "status", "watch"),
    "etl.submit.options": ("SubmitOptions",),
    "etl.submit.submit": ("Submission", "plan_submission", "submit"),
    "etl.verify": ("Verification", "verify"),
    "schemas.estimate": ("Estimate",),
}
"""Where the public names are: each is imported when it is first used, so that no worker and no `--help` waits for all of them."""

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


class _Package(ModuleType):
    """What `etl` is: a package in which `etl.build` means the function, though a module has the same name."""

    def __getattr__(self, name: str) -> Any:  # what is there before has another type each
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(import_module(home), name)
                super().__setattr__(name, value)
                return value
        raise AttributeError(f"module 'etl' has no attribute {name!r}", name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in __all__):  # the import system sets every submodule
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return list(__all__)


sys.modules[__name__].__class__ = _Package
