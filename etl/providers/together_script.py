"""The requests of Together, as a dry run shows them."""

from collections.abc import Mapping

from saturi.etl.providers.recorder import Request
from saturi.etl.providers.together_requests import (
    ESTIMATE,
    FILES,
    JOBS,
    LIMITS,
    PARTS,
    estimate_body,
    file_form,
    job_body,
    parts_body,
)
from saturi.schemas.remote import JobRequest


class TogetherScript:
    """Requests to Together; of those that send a file, the one that asks for the address stands for all."""

    def list_files(self) -> Request | None:
        """Return the request for the files."""
        return Request(method="GET", path=FILES)

    def send_file(self, name: str, size: int) -> Request:
        """Return the request for the address of a file."""
        return Request(method="POST", path=FILES, body={**file_form(name), "bytes": size})

    def send_parts(self, name: str, size: int, parts: int) -> list[Request]:
        """Return the requests that send a file in parts, but for those to the addresses that are given out."""
        ids = {"upload_id": "<upload>", "file_id": self.file_id(name)}
        done = [{"part_number": 1, "etag": "<tag>"}]
        return [
            Request(method="POST", path=f"{PARTS}/initiate", body=parts_body(name, size, parts)),
            Request(method="POST", path=f"{PARTS}/complete", body={**ids, "parts": done}),
        ]

    def file_id(self, name: str) -> str:
        """Return the id of a file."""
        return f"<{name}>"

    def estimate_job(self, request: JobRequest) -> Request | None:
        """Return the request for the price of a job."""
        return Request(method="POST", path=ESTIMATE, body=estimate_body(request))

    def create_job(self, request: JobRequest) -> Request:
        """Return the request that creates a job."""
        return Request(method="POST", path=JOBS, body=job_body(request))

    def list_jobs(self, metadata: Mapping[str, str], limit: int) -> Request:  # noqa: ARG002 - nothing filters there
        """Return the request for the jobs."""
        return Request(method="GET", path=JOBS)

    def get_model(self, name: str) -> Request | None:
        """Return the request for a model."""
        return Request(method="GET", path=f"{LIMITS}?model_name={name}")
