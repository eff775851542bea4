"""Jobs: created, listed, looked at, cancelled; a job moves on one step each time that it is looked at."""

import json
import re
from typing import Any

from saturi.etl.example.tokens import count_example, load_o200k

from .answers import Answer, Json, RefusalError, page
from .multipart import Body
from .world import World, now

FINAL = frozenset({"succeeded", "failed", "cancelled"})
FEWEST_EXAMPLES = 10
_METADATA = re.compile(r"metadata\[(.+)\]")
_FIELDS = {"model", "training_file", "validation_file", "hyperparameters", "suffix", "integrations", "seed", "method"}


def create_job(world: World, body: Body) -> Answer:
    """Answer `POST /fine_tuning/jobs`."""
    asked = json.loads(body.rest())
    if asked.get("model") not in world.models:
        raise RefusalError(404, f"The model {asked.get('model')!r} does not exist", "model_not_found", "model")
    for name in ("training_file", "validation_file"):
        if asked.get(name) is not None and asked[name] not in world.files:
            raise RefusalError(400, f"No such File object: {asked[name]}", param=name)
    metadata = asked.get("metadata") or {}
    if len(metadata) > 16 or any(len(name) > 64 or len(value) > 512 for name, value in metadata.items()):
        raise RefusalError(400, "metadata is over its limits", param="metadata")
    if len(asked.get("suffix") or "") > 64:
        raise RefusalError(400, "suffix is longer than 64 characters", param="suffix")
    return Answer(add_job(world, asked, "ftjob-"))


def add_job(world: World, asked: Json, prefix: str) -> Json:
    """Return the job that was *asked* for, after it was put into *world*; its id begins with *prefix*."""
    metadata = asked.get("metadata") or {}
    job = {
        "id": world.new_id(prefix),
        "object": "fine_tuning.job",
        "created_at": now(),
        "status": world.steps[0],
        "model": asked["model"],
        "training_file": asked["training_file"],
        "validation_file": asked.get("validation_file"),
        "method": asked.get("method"),
        "hyperparameters": _hyperparameters(asked),
        "seed": asked.get("seed", 42),
        "suffix": asked.get("suffix"),
        "metadata": {} if world.loses_metadata else metadata,
        "error": {} if world.empty_errors else None,
        "organization_id": "org-loopback",
        "result_files": [],
        "extra": {name: value for name, value in asked.items() if name not in {*_FIELDS, "metadata"}},
        **dict.fromkeys(("fine_tuned_model", "finished_at", "trained_tokens", "estimated_finish")),
    }
    with world.lock:
        world.jobs[job["id"]], world.ages[job["id"]] = job, 0
        world.events[job["id"]], world.checkpoints[job["id"]] = [], []
        world.hidden[job["id"]] = world.late_lists
        _say(world, job, "Created fine-tuning job: " + job["id"])
    return job


def list_jobs(world: World, query: dict[str, str]) -> Answer:
    """Answer `GET /fine_tuning/jobs`, the newest first."""
    wanted = {match[1]: value for name, value in query.items() if (match := _METADATA.fullmatch(name))}
    if world.no_metadata_filter:
        wanted = {}
    return page([job for job in shown(world) if wanted.items() <= job["metadata"].items()], query, 20)


def shown(world: World) -> list[Json]:
    """Return the jobs that a list shows now, the newest first."""
    with world.lock:
        return [job for job in reversed(world.jobs.values()) if _is_shown(world, job["id"])]


def get_job(world: World, job_id: str) -> Answer:
    """Answer `GET /fine_tuning/jobs/{id}`, and let the job move on."""
    with world.lock:
        job = _job(world, job_id)
        answer = Answer(dict(job))
        if job["status"] == "succeeded" and world.late_models > 0:
            world.late_models -= 1
            answer = Answer({**job, "fine_tuned_model": None})
        _move_on(world, job)
    return answer


def cancel_job(world: World, job_id: str) -> Answer:
    """Answer `POST /fine_tuning/jobs/{id}/cancel`."""
    job = _job(world, job_id)
    if job["status"] in FINAL:
        raise RefusalError(400, f"Job {job_id} is {job['status']}")
    job.update(status="cancelled", finished_at=now())
    _say(world, job, "Fine-tuning job cancelled")
    return Answer(job)


def pause_job(world: World, job_id: str) -> Answer:
    """Answer `POST /fine_tuning/jobs/{id}/pause`."""
    job = _job(world, job_id)
    job["status"] = "paused"
    return Answer(job)


def resume_job(world: World, job_id: str) -> Answer:
    """Answer `POST /fine_tuning/jobs/{id}/resume`."""
    job = _job(world, job_id)
    job["status"] = "queued"
    return Answer(job)


def list_events(world: World, job_id: str, query: dict[str, str]) -> Answer:
    """Answer `GET /fine_tuning/jobs/{id}/events`, the newest first."""
    _job(world, job_id)
    return page(world.events[job_id][::-1], query, 20)


def list_checkpoints(world: World, job_id: str, query: dict[str, str]) -> Answer:
    """Answer `GET /fine_tuning/jobs/{id}/checkpoints`, the newest first."""
    _job(world, job_id)
    return page(world.checkpoints[job_id][::-1], query, 10)


def _hyperparameters(asked: Json) -> Json:
    given = ((asked.get("method") or {}).get("supervised") or {}).get("hyperparameters") or {}
    return {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"} | given


def _is_shown(world: World, job_id: str) -> bool:
    if world.hidden[job_id] > 0:
        world.hidden[job_id] -= 1
        return False
    return True


def _job(world: World, job_id: str) -> Json:
    if job_id not in world.jobs:
        raise RefusalError(404, f"Could not find fine tune: {job_id}", "fine_tune_not_found", "fine_tuning_job_id")
    return world.jobs[job_id]


def _move_on(world: World, job: Json) -> None:
    if job["status"] in FINAL or (job["status"] == "paused" and "paused" not in world.steps):
        return
    world.ages[job["id"]] += 1
    step = min(world.ages[job["id"]], len(world.steps) - 1)
    if step == 1 and (problem := _problem(world, job)) is not None:
        job.update(status="failed", finished_at=now(), error=problem)
        _say(world, job, "The job failed due to an invalid training file. " + problem["message"], level="error")
        return
    job["status"] = world.steps[step]
    if job["status"] == "running":
        _train(world, job)
    if job["status"] == "succeeded":
        _finish(world, job)


def _problem(world: World, job: Json) -> Json | None:
    """Return what the API finds wrong with a training file, with the codes and words it uses."""
    lines = world.content(job["training_file"]).split(b"\n")[:-1]
    if len(lines) < FEWEST_EXAMPLES:
        message = f"Training file has {len(lines)} example(s), but must have at least {FEWEST_EXAMPLES} examples"
        return {"code": "invalid_n_examples", "message": message, "param": "training_file"}
    if len(world.flagged) == 1:
        message = f"Invalid file format. Example {world.flagged[0]}, message 2 is empty"
    elif world.flagged:
        message = f"The training file holds disallowed text. Flagged lines: {', '.join(map(str, world.flagged))}"
    else:
        return None
    return {"code": "invalid_training_file", "message": message, "param": "training_file"}


def _train(world: World, job: Json) -> None:
    for step in range(1, 11):
        losses = {"step": step, "train_loss": round(2 / (step + 1), 4)}
        if job["validation_file"] is not None:
            losses["valid_loss"] = round(2.2 / (step + 1), 4)
        message = f"Step {step}/10: training loss={losses['train_loss']}"
        _say(world, job, message, kind="metrics", data={"total_steps": 10, **losses})
    checkpoint = {
        "id": world.new_id("ftckpt_"),
        "object": "fine_tuning.job.checkpoint",
        "created_at": now(),
        "fine_tuned_model_checkpoint": f"ft:{job['model']}:loopback:{job['id'][-4:]}:ckpt-step-10",
        "fine_tuning_job_id": job["id"],
        "step_number": 10,
        "metrics": {"step": 10, "train_loss": 0.1818},
    }
    world.checkpoints[job["id"]].append(checkpoint)


def _finish(world: World, job: Json) -> None:
    base = job["model"].removeprefix("ft:").split(":")[0]
    model = f"ft:{base}:loopback:{job['suffix'] or ''}:{job['id'][-8:]}"
    if world.studio:  # the folder of the run
        model = f"{job['model'].strip('/').replace('/', '_')}_{job['id'][-8:]}"
    epochs = job["hyperparameters"]["n_epochs"]
    tokens = _tokens(world.content(job["training_file"])) * (epochs if isinstance(epochs, int) else 3)
    job.update(fine_tuned_model=model, finished_at=now(), trained_tokens=tokens)
    world.models[model] = None
    _say(world, job, "New fine-tuned model created")
    _say(world, job, "The job has successfully completed")


def _tokens(content: bytes) -> int:
    """Return what is billed for one epoch, as OpenAI counts it."""
    count = load_o200k()
    examples = [json.loads(line)["messages"] for line in content.split(b"\n")[:-1]]
    return sum(count_example([(m["role"], m["content"]) for m in messages], count) for messages in examples)


def _say(
    world: World, job: Json, message: str, *, level: str = "info", kind: str = "message", data: Any = None
) -> None:
    event = {"id": world.new_id("ftevent-"), "object": "fine_tuning.job.event", "created_at": now()}
    event |= {"level": level, "message": message, "type": kind, "data": data or {}}
    world.events[job["id"]].append(event)
