"""
Saturi: AI-Hub's Korean dialect label archives to chat fine-tuning data, every label file accounted for.

    from etl import BuildOptions, build

    if __name__ == "__main__":  # workers import the main module, too
        result = build(["data"], "out", BuildOptions(unit="sentence"))
"""

from etl.build import BuildResult, build, dry_run
from etl.errors import EtlError
from etl.explain import explain
from etl.inspect import inspect
from etl.options import BuildOptions
from etl.verify import Verification, verify

__all__ = [
    "BuildOptions",
    "BuildResult",
    "EtlError",
    "Verification",
    "build",
    "dry_run",
    "explain",
    "inspect",
    "verify",
]
