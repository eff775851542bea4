"""Checks before anything is sent: the build is whole, its lines are good, and the model can be trained by this account."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from saturi.etl.checking.check import Observer, check_build
from saturi.etl.errors import BuildError, EligibilityError, GoneError, UnsupportedError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.providers.client import Client
from saturi.schemas.model import Model
from saturi.schemas.provider import Provider

_LAST_DAYS = 90  # from here on there is a note that an end is near


def check_lines(
    build: FinishedBuild, provider: Provider, model: Model | None, observers: Sequence[Observer] = ()
) -> None:
    """
    Verify *build*, and hold every line of it against what *provider* takes, in one pass over its chunks.

    Args:
        build: The build.
        provider, model: The profiles that say what is taken.
        observers: Called with every block of every chunk.

    Raises:
        BuildError: A chunk is not as the manifest says, or the provider would refuse a line.
    """
    from saturi.etl.checking.limits import limits_of  # noqa: PLC0415 - it loads Polars, which building must not
    from saturi.etl.checking.report import Kind  # noqa: PLC0415 - as above

    # How large a file may be and how few lines it may have is held against each job of the plan, and not against the build.
    of_whole_files = {Kind.TOO_FEW_EXAMPLES, Kind.FILE_TOO_LARGE}
    report = check_build(build, limits_of(provider, model), observers)
    errors = {kind: count for kind, count in report.errors.items() if kind not in of_whole_files}
    if not errors:
        return
    counts = ", ".join(f"{kind} {count:,}" for kind, count in errors.items())
    problem = next((p for p in report.problems if p.severity == "error" and p.kind in errors), None)
    first = "" if problem is None else f" (the first: {problem.file}, line {problem.line}: {problem.detail})"
    raise BuildError(
        str(build.given), f"{provider.name} would refuse lines: {counts}{first}", "see saturi check, and build again"
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
        EligibilityError: The provider says that it is not for this account, or has been shut down.
        ProviderError: The provider does not answer, or not to this key.
    """
    today = today or datetime.now(UTC).date()
    notes = []
    try:
        shutdown = client.get_model(model).shutdown_date
    except (
        GoneError,
        UnsupportedError,
    ):  # a server that downloads it when a job asks for it, or a gateway without the list
        shutdown = None
        notes.append(f"the provider does not list {model}: if there is no such model, the job is refused or fails")
    if shutdown is not None and shutdown <= today:
        problem = f"{model} and every tune of it are shut down since {shutdown}"
        raise EligibilityError(client.provider.name, problem, _closings(client.provider))
    if shutdown is not None:
        notes.append(f"the provider says that {model} and every tune of it are shut down from {shutdown}")
    if client.provider.metadata != "kept":
        notes.append("a job may not keep its key there, and is found again by its files, model and settings")
    if client.provider.closings and not _has_jobs(client):
        notes.append(f"this account has no job yet, and may get none: {_closings(client.provider)}")
    return notes


def _has_jobs(client: Client) -> bool:
    """Return whether the account has any job; True where that cannot be learnt."""
    try:
        return client.has_jobs()
    except (GoneError, UnsupportedError):
        return True


def _closings(provider: Provider) -> str:
    closings = "; ".join(f"{day}: {what}" for day, what in provider.closings.items())
    return closings or "choose another model, or another provider"
