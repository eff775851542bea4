"""
Unsloth Studio's form of the API: how it differs from the published description, by its source and by its answers.

Read in and seen at unsloth 2026.10.9 (`studio/backend/routes/openai_fine_tuning.py`); none of its code is here. A world with
`studio` set answers so; `tests/test_studio_itself.py` compares this with the real one.
"""

import json
from typing import Any

from . import chat, jobs
from .answers import Answer, Json, RefusalError
from .files import receive, store
from .multipart import Body
from .world import StoredFile, World

MAX_FILE_BYTES = 500 * 1024 * 1024
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 409: "conflict_error"}
_SUFFIXES = (".csv", ".json", ".jsonl", ".parquet")
_FIELDS = frozenset(
    [
        "model",
        "training_file",
        "validation_file",
        "hyperparameters",
        "method",
        "suffix",
        "seed",
        "integrations",
        "metadata",
    ]
)
_TRAINING_FIELDS = frozenset({"train_on_completions", "max_seq_length", "lora_r", "packing", "start_request_id"})
"""Some of those that Studio trains by; any other is refused."""


def answer(world: World, method: str, path: str, query: dict[str, str], body: Body, content_type: str) -> Answer:
    """Answer a request; where Studio does nothing of its own, as the description has it."""
    match (method, *path.strip("/").split("/")):
        case ("GET", "files"):
            rows = [_file(file) for file in reversed(world.files.values())]
            return _page(rows if query.get("order", "desc") == "desc" else rows[::-1], query, 10_000)
        case ("POST", "files"):
            return _create_file(world, body, content_type)
        case ("GET", "files", file_id):
            return Answer(_file(_stored(world, file_id)))
        case (_, "files", _):
            raise RefusalError(405, "Method Not Allowed")
        case ("POST", "chat", "completions"):
            return chat.complete(world, body)
        case ("GET", "models", *model):
            return _model(world, "/".join(model))
        case (_, "fine_tuning", "jobs", *more):
            return _answer_on_jobs(world, method, more, query, body)
    raise RefusalError(404, "Not Found")


def refusal(error: RefusalError) -> Answer:
    """Return *error* as Studio has it: a kind for each status, and a code only where there is one."""
    status, message, code, param = error.args
    kind = _KINDS.get(status, "api_error")
    return Answer({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


def _answer_on_jobs(world: World, method: str, more: list[str], query: dict[str, str], body: Body) -> Answer:
    match (method, *more):
        case ("POST",):
            return _create_job(world, body)
        case ("GET",):
            return _page([_job(job) for job in jobs.shown(world)], query, 20)
        case ("GET", job_id):
            _known(world, job_id)
            return Answer(_job(_body(jobs.get_job(world, job_id))))
        case ("POST", job_id, "cancel"):
            return _cancel_job(world, job_id)
        case ("POST", _, "pause" | "resume"):
            raise RefusalError(400, "Pausing and resuming fine-tuning jobs is not supported; use cancel.")
        case ("GET", job_id, "events"):
            _known(world, job_id)
            return _page([_event(event) for event in reversed(world.events[job_id])], query, 20)
    raise RefusalError(404, "Not Found")


def _create_file(world: World, body: Body, content_type: str) -> Answer:
    file, fields = receive(world, body, content_type)
    if fields.get("purpose") != "fine-tune":
        raise RefusalError(400, "Unsloth Studio stores files for fine-tuning only")
    if not file.filename.endswith(_SUFFIXES):
        raise RefusalError(400, f"Unsupported file type. Allowed: {', '.join(_SUFFIXES)}")
    if file.bytes > MAX_FILE_BYTES:
        raise RefusalError(413, "Training dataset upload too large. Maximum is 500MB.")
    if file.bytes == 0:
        raise RefusalError(400, "Empty upload payload")
    store(world, file)
    return Answer(_file(file))


def _create_job(world: World, body: Body) -> Answer:
    asked = json.loads(body.rest())
    for name in ("model", "training_file"):
        if name not in asked:
            raise RefusalError(400, f"{name}: Field required", param=name)
    if unknown := sorted(asked.keys() - _FIELDS - _TRAINING_FIELDS):
        raise RefusalError(400, f"Unknown parameter(s): {', '.join(unknown)}")
    for name in ("training_file", "validation_file"):
        if asked.get(name) is not None:
            _stored(world, asked[name])
    if "/" not in asked["model"]:  # the folder of a run, too, is no model to train
        raise RefusalError(
            409, "Offline mode is enabled, but the selected model is not there", "hf_model_not_cached_offline"
        )
    with world.lock:
        is_busy = world.busy > 0
        world.busy -= is_busy
        if is_busy or any(job["status"] not in jobs.FINAL for job in world.jobs.values()):
            message = "Training is already in progress. Stop current training before starting a new one."
            raise RefusalError(409, message)
        job = jobs.add_job(world, {**asked, "metadata": None, "suffix": _plain(asked.get("suffix"))}, "ftjob_")
        job["extra"] = {name: asked[name] for name in asked.keys() & _TRAINING_FIELDS}
        job["seed"] = asked.get("seed", 3407)
        world.models.setdefault(asked["model"], None)  # it is downloaded now
        return Answer(_job(job))


def _cancel_job(world: World, job_id: str) -> Answer:
    job = _known(world, job_id)
    if job["status"] in jobs.FINAL:
        raise RefusalError(400, f"Job {job_id} has already {job['status']}.")
    return Answer(_job(_body(jobs.cancel_job(world, job_id))))


def _model(world: World, name: str) -> Answer:
    """Answer for a model, which is there only if it was downloaded or made here."""
    if name not in world.models:
        raise RefusalError(404, f"The model '{name}' does not exist", "model_not_found", "id")
    return Answer({"id": name, "object": "model", "created": 1, "owned_by": "unsloth", "loaded": False})


def _file(file: StoredFile) -> Json:
    return {**file.as_json(), "status_details": None}


def _job(job: Json) -> Json:
    """Return *job* without what is ours, and as one who has but a key sees it: a folder is shown by a handle."""
    model = "ref:afc0d90208a33ca5" if job["model"].startswith("/") else job["model"]
    hidden = ("extra", "estimated_finish")
    return {**{name: value for name, value in job.items() if name not in hidden}, "metadata": None, "model": model}


def _event(event: Json) -> Json:
    return {**event, "data": event["data"] or None, "type": "metrics" if event["data"] else "message"}


def _page(rows: list[Json], query: dict[str, str], default_limit: int) -> Answer:
    """Return a page; what follows a row that is not there is nothing, and no error."""
    ids = [row["id"] for row in rows]
    if (after := query.get("after")) is not None:
        rows = rows[ids.index(after) + 1 :] if after in ids else []
    limit = int(query.get("limit", default_limit))
    return Answer({"object": "list", "data": rows[:limit], "has_more": len(rows) > limit})


def _stored(world: World, file_id: str) -> StoredFile:
    if file_id not in world.files:
        raise RefusalError(404, f"No such File object: {file_id}")
    return world.files[file_id]


def _known(world: World, job_id: str) -> Json:
    if job_id not in world.jobs:
        raise RefusalError(404, f"No such fine-tuning job: {job_id}")
    return world.jobs[job_id]


def _body(answer: Answer) -> Json:
    return answer.body if isinstance(answer.body, dict) else {}


def _plain(suffix: Any) -> str | None:
    return " ".join(suffix.split()) if isinstance(suffix, str) else None
