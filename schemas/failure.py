"""The failure of a command as `--json` has it: one line of JSON, the last one on stderr."""

from msgspec import Struct

FAILURE_VERSION = 1


class Failure(Struct, frozen=True, kw_only=True):
    """
    Why a command ended without its result.

    `error` is the class of the error, `message` the sentence as people get it, and `where`, `problem` and `advice` its parts,
    null where it has none.
    """

    version: int = FAILURE_VERSION
    error: str
    exit_code: int
    message: str
    where: str | None = None
    problem: str | None = None
    advice: str | None = None
