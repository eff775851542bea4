"""The tally of a check: every problem counted, the first ones kept in full."""

from collections import Counter

from saturi.etl.checking.advice import ADVICE
from saturi.etl.checking.finding import Finding
from saturi.etl.checking.repeats import Repeats
from saturi.etl.checking.report import Kind, Problem


class Tally:
    """
    Count problems, and keep the first *show* of them.

    Args:
        show: Problems to keep in full.
    """

    def __init__(self, show: int) -> None:
        self.problems: list[Problem] = []
        self._show = show
        self._counts: Counter[Kind] = Counter()

    def add(self, file: str, line: int | None, finding: Finding) -> None:
        """Count a finding in *line* of *file*, or in the file as a whole."""
        self._counts[finding.kind] += 1
        if len(self.problems) < self._show:
            severity, advice = ADVICE[finding.kind]
            self.problems.append(
                Problem(
                    kind=finding.kind,
                    severity=severity,
                    file=file,
                    line=line,
                    message=finding.message,
                    detail=finding.detail,
                    advice=advice,
                )
            )

    def add_repeats(self, kind: Kind, repeats: Repeats) -> None:
        """Count lines that are there before, of which the places of some are known."""
        for place, first in repeats.places:
            self.add(*place, Finding(kind, None, f"the same as line {first.line:,} of {first.file}"))
        self._counts[kind] += repeats.total - len(repeats.places)

    def counts(self, severity: str) -> dict[str, int]:
        """Return how often each kind of *severity* was met, in the order of kinds."""
        return {
            kind.value: self._counts[kind] for kind in Kind if self._counts[kind] and ADVICE[kind].severity == severity
        }
