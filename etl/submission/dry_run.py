"""A dry run: a plan executed against a recorder and a ledger in memory, so that nothing is sent and nothing written."""

from saturi.etl.providers.client import Client
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.recorder import Recorder, Request
from saturi.etl.providers.wires import script_of
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.execution import Execution
from saturi.etl.submission.ledger import Ledger
from saturi.etl.submission.news import silent
from saturi.etl.submission.plan import Plan, PlannedJob
from saturi.etl.submission.remote import Remote
from saturi.schemas.remote import JobEstimate


def requests_of(plan: Plan) -> list[Request]:
    """
    Return the requests of a first submission of *plan* in which nothing breaks and nothing is there already.

    Raises:
        BuildError: A chunk cannot be read, or was changed since the plan was made.
    """
    recorder = Recorder(script_of(plan.account))
    with Client(plan.account, Pace(), port=recorder) as client, Ledger(None) as ledger:
        out = plan.files[0].content.folder
        Execution(out, plan, Remote(client, ledger), silent).carry_out(PriorConsent(), _agree)
    return recorder.requests


def _agree(plan: Plan, new: tuple[PlannedJob, ...], estimates: tuple[JobEstimate, ...]) -> None:
    """Agree to anything: it costs nothing."""
