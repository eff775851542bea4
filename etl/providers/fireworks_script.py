"""The requests of Fireworks, as a dry run shows them."""

from collections.abc import Mapping

from saturi.etl.providers.account import Account
from saturi.etl.providers.fireworks_api import job_body
from saturi.etl.providers.fireworks_datasets import dataset_of
from saturi.etl.providers.recorder import Request
from saturi.etl.providers.tags import tag_of
from saturi.schemas.remote import JobRequest


class FireworksScript:
    """
    Requests to Fireworks; of those that send a file, the one that asks for the addresses stands for all.

    Args:
        account: The account.
    """

    def __init__(self, account: Account) -> None:
        self._id = account.project or "<account>"
        self._path = f"/v1/accounts/{self._id}"

    def list_files(self) -> Request | None:
        """Return the request for the datasets."""
        return Request(method="GET", path=f"{self._path}/datasets?pageSize=200")

    def send_file(self, name: str, size: int) -> Request:
        """Return the request for the addresses of the shards of a file."""
        return Request(
            method="POST", path=f"{self._path}/datasets/{dataset_of(name)}:getUploadEndpoint", body={"bytes": size}
        )

    def send_parts(self, name: str, size: int, parts: int) -> list[Request]:  # noqa: ARG002 - the script's signature
        """Return nothing: every file goes whole."""
        return []

    def file_id(self, name: str) -> str:
        """Return the id of the dataset of a file."""
        return dataset_of(name)

    def estimate_job(self, request: JobRequest) -> Request | None:  # noqa: ARG002 - as above
        """Return None: nothing is estimated there."""
        return None

    def create_job(self, request: JobRequest) -> Request:
        """Return the request that creates a job."""
        path = f"{self._path}/supervisedFineTuningJobs?supervisedFineTuningJobId={tag_of(request.metadata)}"
        return Request(method="POST", path=path, body=job_body(request, self._id))

    def list_jobs(self, metadata: Mapping[str, str], limit: int) -> Request:  # noqa: ARG002 - nothing filters there
        """Return the request for the jobs."""
        return Request(
            method="GET", path=f"{self._path}/supervisedFineTuningJobs?pageSize={limit}&orderBy=create_time desc"
        )

    def get_model(self, name: str) -> Request | None:
        """Return the request for a model."""
        return Request(method="GET", path=f"/v1/{name}")
