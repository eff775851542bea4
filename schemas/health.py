"""The health of an installation and its machine, as `doctor --json` prints it."""

from typing import Literal

from msgspec import Struct

from saturi.schemas.brief import brief

State = Literal["ok", "note", "problem"]


class Finding(Struct, frozen=True, kw_only=True):
    """
    One thing that was looked at.

    `subject` names it, `fact` is what was found, and `advice` what to do where `state` is not `ok`: a `problem` keeps a build
    from running, a `note` does not.
    """

    subject: str
    state: State
    fact: str
    advice: str | None = None


class Extra(Struct, frozen=True, kw_only=True):
    """Optional libraries: what they are for, which of them are `missing`, and the command that installs them."""

    name: str
    purpose: str
    missing: list[str]
    install: str


class Health(Struct, frozen=True, kw_only=True):
    """
    All that was looked at.

    `versions` are those of Python and libraries, `commit` that of the source tree, null in a wheel; `keys` says which variables
    with keys are set, and never what is in them.
    """

    versions: dict[str, str]
    commit: str | None
    findings: list[Finding]
    extras: list[Extra]
    keys: dict[str, bool]

    @property
    def is_well(self) -> bool:
        """Whether nothing keeps a build from running."""
        return all(finding.state != "problem" for finding in self.findings)

    def __repr__(self) -> str:
        return brief(self, is_well=self.is_well, findings=len(self.findings))
