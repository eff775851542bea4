"""What must hold before anything is sent: the build is whole, its lines are good, the model can be trained, and at what price."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from etl.errors import BuildError, EligibilityError
from etl.output.finished import FinishedBuild
from etl.providers.client import Client
from schemas.manifest import Manifest
from schemas.model import Model
from schemas.provider import Provider

if TYPE_CHECKING:
    from openai.types import Model as SdkModel

_LAST_DAYS = 90  # from here on it is said that an end is near


def read_whole_build(out: Path) -> Manifest:
    """
    Return the manifest of the build in *out*, after every chunk was held against it.

    Raises:
        BuildError: There is no build, or a chunk is not as the manifest says.
    """
    build = FinishedBuild.open(out)
    build.refuse_damage()
    return build.manifest


def check_lines(out: Path, provider: Provider, model: Model | None) -> None:
    """
    Hold every line of the build in *out* against what *provider* takes.

    Raises:
        BuildError: The provider would refuse a line.
    """
    from etl.checking.check import check  # noqa: PLC0415 - it loads Polars, which building must not
    from etl.checking.limits import limits_of  # noqa: PLC0415 - likewise
    from etl.checking.report import Kind  # noqa: PLC0415 - likewise

    # How large a file may be and how few lines it may have is held against each job of the plan, and not against the build.
    of_whole_files = {Kind.TOO_FEW_EXAMPLES, Kind.FILE_TOO_LARGE}
    report = check([out], limits_of(provider, model))
    errors = {kind: count for kind, count in report.errors.items() if kind not in of_whole_files}
    if not errors:
        return
    counts = ", ".join(f"{kind} {count:,}" for kind, count in errors.items())
    problem = next((p for p in report.problems if p.severity == "error" and p.kind in errors), None)
    first = "" if problem is None else f" (the first: {problem.file}, line {problem.line}: {problem.detail})"
    raise BuildError(
        str(out), f"{provider.name} would refuse lines: {counts}{first}", "see saturi check, and build again"
    )


def check_dates(provider: Provider, model: Model | None, today: date | None = None) -> list[str]:
    """
    Return what ends soon.

    Args:
        today: The day, in UTC; None for that of this machine's clock.

    Raises:
        EligibilityError: The provider takes no jobs any more, or the model has been shut down.
    """
    today = today or datetime.now(UTC).date()
    notes = []
    ends: list[tuple[date | None, str]] = [(provider.no_jobs_from, f"{provider.name} takes no more jobs")]
    if model is not None:
        ends.append((model.shutdown_date, f"{model.name} and every tune of it are shut down"))
    for day, what in ends:
        if day is None:
            continue
        if day <= today:
            raise EligibilityError(provider.name, f"{what} since {day}", _closings(provider))
        if (day - today).days <= _LAST_DAYS:
            notes.append(f"{what} from {day}, in {(day - today).days} days")
    return notes


def check_account(client: Client, model: str, today: date | None = None) -> list[str]:
    """
    Return what to know of *model* at this account, by what the provider itself says before anything is uploaded.

    Raises:
        EligibilityError: It is not there, or has been shut down.
        ProviderError: The provider does not answer, or not to this key.
    """
    today = today or datetime.now(UTC).date()
    notes = []
    shutdown = _shutdown_date(client.repeat(f"looking for {model}", lambda api: api.models.retrieve(model)))
    if shutdown is not None and shutdown <= today:
        problem = f"{model} and every tune of it are shut down since {shutdown}"
        raise EligibilityError(client.provider.name, problem, _closings(client.provider))
    if shutdown is not None:
        notes.append(f"the provider says that {model} and every tune of it are shut down from {shutdown}")
    if client.provider.closings:
        jobs = client.repeat("looking for jobs", lambda api: api.fine_tuning.jobs.list(limit=1))
        if not jobs.data:
            notes.append(f"this account has no job yet, and may get none: {_closings(client.provider)}")
    return notes


def _shutdown_date(model: "SdkModel") -> date | None:
    """Return the day in the field `shutdown_date`; None where a provider has none, or no date in it."""
    try:
        return date.fromisoformat(str(getattr(model, "shutdown_date", None)))
    except ValueError:
        return None


def _closings(provider: Provider) -> str:
    said = "; ".join(f"{day}: {what}" for day, what in provider.closings.items())
    return said or "choose another model, or another provider"
