"""The requests that a plan comes to, for a dry run: what would be read, sent and created, in order. Nothing is asked of anybody."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from etl.submission.plan import ATTEMPT, KEY, Plan, PlannedFile, PlannedJob
from schemas.provider import Provider


class Request(Struct, frozen=True, kw_only=True):
    """One request; what only the provider's answers tell is in angle brackets, and `repeated` is how often it is made."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    repeated: int = 1


def requests_of(plan: Plan) -> list[Request]:
    """Return the requests of a first submission of *plan* in which nothing breaks and nothing is there already."""
    asked = [Request(method="GET", path=f"/fine_tuning/jobs?limit=100&metadata[{KEY}]={job.key}") for job in plan.jobs]
    asked.append(Request(method="GET", path=f"/models/{plan.model}"))
    if plan.account.provider.closings:
        asked.append(Request(method="GET", path="/fine_tuning/jobs?limit=1"))
    sent: set[str] = set()
    for number, job in enumerate(plan.jobs):
        for file in (job.training, job.validation):
            if file is not None:
                asked.append(Request(method="GET", path="/files?purpose=fine-tune"))
                if file.name not in sent:
                    asked += _upload(plan.account.provider, file)
                    sent.add(file.name)
        asked.append(Request(method="POST", path="/fine_tuning/jobs", body=_job_body(job, number)))
    return asked


def _upload(provider: Provider, file: PlannedFile) -> Iterator[Request]:
    said = {"purpose": "fine-tune", "filename": file.name, "bytes": file.bytes}
    if provider.uploads_threshold_bytes is None or file.bytes <= provider.uploads_threshold_bytes:
        yield Request(method="POST", path="/files", body=said)
        return
    parts = len(file.content.cuts(provider.max_part_bytes))
    yield Request(method="POST", path="/uploads", body={**said, "mime_type": "application/jsonl"})
    yield Request(method="POST", path="/uploads/<upload>/parts", repeated=parts)
    yield Request(method="POST", path="/uploads/<upload>/complete", body={"part_ids": ["<part>"], "md5": file.md5})


def _job_body(job: PlannedJob, number: int) -> dict[str, Any]:
    request = dict(job.request)
    extra = request.pop("extra_body", {})
    return {
        "model": job.model or f"<model of job {number}>",
        "training_file": f"<{job.training.name}>",
        **({"validation_file": f"<{job.validation.name}>"} if job.validation else {}),
        "metadata": {KEY: job.key, ATTEMPT: "1"},
        **request,
        **extra,
    }
