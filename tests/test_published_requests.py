"""What is sent to a provider, and what its imitation answers, held against the models that its own SDK publishes."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import published
import pytest
from provider import Server
from provider.answers import Answer
from services import SERVICES, Service
from submissions import ENVIRONMENT, HASTE, profile

from saturi.etl.submission.cancellation import cancel
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import PlanShape

_DATASETS, _JOBS = "/v1/accounts/[^/]+/datasets", "/v1/accounts/[^/]+/supervisedFineTuningJobs"
REQUESTS: dict[str, dict[str, str]] = {
    "openai": {
        "POST /uploads": "openai.types.upload_create_params.UploadCreateParams",
        "POST /uploads/[^/]+/complete": "openai.types.upload_complete_params.UploadCompleteParams",
        "POST /fine_tuning/jobs": "openai.types.fine_tuning.job_create_params.JobCreateParams",
    },
    "together": {
        "POST /fine-tunes": "together.lib.types.fine_tuning.FinetuneRequest",
        "POST /fine-tunes/estimate-price": "together.types.fine_tuning_estimate_price_params.FineTuningEstimatePriceParams",
    },
    "fireworks": {
        f"POST {_DATASETS}": "fireworks.types.dataset_create_params.DatasetCreateParams",
        f"POST {_DATASETS}/[^/]+:getUploadEndpoint": (
            "fireworks.types.dataset_get_upload_endpoint_params.DatasetGetUploadEndpointParams"
        ),
        f"POST {_JOBS}": "fireworks.types.supervised_fine_tuning_job_create_params.SupervisedFineTuningJobCreateParams",
    },
}
"""The model of the body of a request, by `METHOD /path`; CLOVA Studio publishes none."""

ANSWERS: dict[str, dict[str, str]] = {
    "openai": {},
    "together": {
        "GET /files": "together.types.file_list.FileList",
        "GET /files/[^/]+|POST /files/[^/]+/preprocess": "together.types.file_response.FileResponse",
        "GET /fine-tunes": "together.types.fine_tuning_list_response.FineTuningListResponse",
        "GET /fine-tunes/[^/]+/events": "together.types.fine_tuning_list_events_response.FineTuningListEventsResponse",
        "POST /fine-tunes": "together.types.fine_tuning_list_response.Data",
        "GET /fine-tunes/ft-[^/]+": "together.types.finetune_response.FinetuneResponse",
        "POST /fine-tunes/[^/]+/cancel": "together.types.fine_tuning_cancel_response.FineTuningCancelResponse",
    },
    "fireworks": {
        f"GET {_JOBS}/[^/]+|POST {_JOBS}": "fireworks.types.supervised_fine_tuning_job.SupervisedFineTuningJob",
        f"GET {_DATASETS}/[^/]+|POST {_DATASETS}": "fireworks.types.dataset.Dataset",
    },
}
"""The model of an answer of the imitation, likewise; that of OpenAI shows more than the API does, for other tests."""


def _of(table: dict[str, str], request: str) -> str | None:
    return next((model for match, model in table.items() if re.fullmatch(match, request)), None)


@pytest.fixture(params=REQUESTS)
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A wire format whose models are published."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return next(service for service in SERVICES if service.name == request.param)


def _said(service: Service, large: Path, server: Server, tmp_path: Path) -> Iterator[tuple[str, Any, Any]]:
    """Yield request, body and answer of a submission with all that a job can have, of a chain, and of what follows."""
    given: dict[PlanShape, dict[str, Any]] = {
        "chained": {"suffix": "dialect"},
        "merged": {} if service.name == "fireworks" else {"seed": 7},
    }
    for plan, more in given.items():
        world = service.world(server, f"{tmp_path.name}-{plan}")
        answers: list[tuple[str, Answer]] = []
        world.alter = lambda request, answer, answers=answers: (answers.append((request, answer)), answer)[1]
        if service.name == "openai":
            more["providers"] = profile(tmp_path, "uploads_threshold_bytes = 10_000", "max_part_bytes = 8_000")
        (large / "ledger.sqlite").unlink(missing_ok=True)
        service.hand_in(large, server, world, plan=plan, **more)
        if plan == "merged":
            cancel(large, access=service.access(server, world), consent=PriorConsent(yes=True), pace=HASTE)
        watch(large, service.access(server, world), pace=HASTE)
        prefix = f"/{world.name}/v1"
        for sent in world.requests:
            path = sent.path.partition("?")[0].removeprefix(prefix)
            yield f"{sent.method} {path}", json.loads(sent.body) if sent.body else None, None
        yield from ((request, None, answer.body) for request, answer in answers if answer.status == 200)


def test_published_models(
    service: Service, large: Path, server: Server, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Every body that is sent, and every answer of the imitation, is one of the models that the provider's own SDK publishes."""
    python = pytestconfig.getoption("--schemas")
    if service.name != "openai" and python is None:
        pytest.skip("its SDK is in no environment of ours: make test-schemas, or --schemas PYTHON")
    rows: list[list[Any]] = []
    met: set[str] = set()
    for request, body, answer in _said(service, large, server, tmp_path):
        table = REQUESTS[service.name] if answer is None else ANSWERS[service.name]
        model, value = _of(table, request), body if answer is None else answer
        if model is not None and isinstance(value, dict):
            rows.append([model, value])
            met.add(model)
    assert met == {*REQUESTS[service.name].values(), *ANSWERS[service.name].values()}
    if service.name == "openai":
        assert published.problems(rows) == []
        return
    script = Path(published.__file__)
    run = subprocess.run(
        [python, script], input=json.dumps(rows), capture_output=True, text=True, check=False, timeout=120
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
