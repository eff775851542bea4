"""The requests of CLOVA Studio and of its storage, as a dry run shows them: without a secret."""

from collections.abc import Mapping

from saturi.etl.providers.account import Account
from saturi.etl.providers.clova_api import FOLDER, TASKS, storage_of, task_body
from saturi.etl.providers.object_store import Secrets
from saturi.etl.providers.recorder import Request
from saturi.schemas.remote import JobRequest

_SECRETS = Secrets("<access key>", "<secret key>")


class ClovaScript:
    """
    Requests to CLOVA Studio; those to the storage have its whole address.

    Args:
        account: The account, of whose environment nothing is read.
    """

    def __init__(self, account: Account) -> None:
        self._bucket = account.project or "<bucket>"
        self._address = f"{storage_of(account).endpoint}/{self._bucket}"

    def list_files(self) -> Request | None:
        """Return the request for the objects in the bucket."""
        return Request(method="GET", path=f"{self._address}?list-type=2&prefix={FOLDER}/")

    def send_file(self, name: str, size: int) -> Request:
        """Return the request that stores a file; a large one goes in several."""
        return Request(method="PUT", path=f"{self._address}/{FOLDER}/{name}", body={"bytes": size})

    def send_parts(self, name: str, size: int, parts: int) -> list[Request]:  # noqa: ARG002 - the script's signature
        """Return nothing: every file goes whole."""
        return []

    def file_id(self, name: str) -> str:
        """Return the path of a file in the bucket."""
        return f"{FOLDER}/{name}"

    def estimate_job(self, request: JobRequest) -> Request | None:  # noqa: ARG002 - as above
        """Return None: nothing is estimated there."""
        return None

    def create_job(self, request: JobRequest) -> Request:
        """Return the request that creates a task."""
        return Request(method="POST", path=TASKS, body=task_body(request, self._bucket, _SECRETS))

    def list_jobs(self, metadata: Mapping[str, str], limit: int) -> Request:  # noqa: ARG002 - nothing filters there
        """Return the request for the tasks."""
        return Request(method="GET", path=f"{TASKS}?page=0&size={limit}")

    def get_model(self, name: str) -> Request | None:  # noqa: ARG002 - the same for any
        """Return nothing: no model is looked up."""
        return None
