"""
Together's form of the API, and the store that its addresses lead to: what a world answers that is `together`.

After together 3.1.1 (lib/resources/files.py, types/, lib/types/fine_tuning.py): a file is asked an address for with its checksum,
sent there, and then looked at; jobs have no metadata, and events no ids. What is written nowhere: an address for a file that was
begun and not sent is given out again, under the same id, unless the world `collides`.
"""

import hashlib
import json
import math
from datetime import UTC, datetime
from email.message import Message
from typing import Any

from . import chat, jobs
from .answers import Answer, Json, RefusalError
from .multipart import Body, read_form
from .world import StoredFile, World, now

STORE = "/store/"
MODEL = "Qwen/Qwen3-8B"
SIGNATURE = "X-Amz-Signature-CANARY-0123456789"
CENTS_PER_LINE = 1

_STATUSES = {"validating_files": "pending", "succeeded": "completed", "failed": "error"}
_FORM = {"purpose", "file_name", "file_type", "checksum"}
_FIELDS = {
    "training_file", "validation_file", "packing", "model", "n_epochs", "learning_rate", "lr_scheduler", "warmup_ratio",
    "max_grad_norm", "weight_decay", "n_checkpoints", "n_evals", "batch_size", "suffix", "random_seed", "training_type",
    "training_method", "from_checkpoint",
}  # fmt: skip
_LISTED = {"suffix", "random_seed"}  # which a job by itself does not show
_PROGRESS = {"estimate_available": True, "seconds_remaining": 60}
_PRICED = {"training_file", "validation_file", "model", "from_checkpoint", "n_epochs", "n_evals", "training_method"}


def answer(world: World, method: str, path: str, query: dict[str, str], body: Body, content_type: str) -> Answer:
    """Answer a request to the API."""
    match (method, *path.strip("/").split("/")):
        case ("POST", "chat", "completions"):
            return _complete(world, body)
        case ("POST", "files"):
            return _give_address(world, read_form(body, content_type, lambda _: len))
        case ("POST", "files", "multipart", step):
            return _in_parts(world, step, json.loads(body.rest()))
        case (_, "files", *more):
            return _route_file(world, method, more)
        case ("GET", "fine-tunes", "models", "limits"):
            if query["model_name"] not in (MODEL, *world.models):
                raise RefusalError(404, f"Model {query['model_name']} is not supported for fine-tuning")
            return Answer({"model_name": query["model_name"], "max_num_epochs": 20})
        case ("POST", "fine-tunes", "estimate-price"):
            return Answer(_estimate(world, json.loads(body.rest())))
        case (_, "fine-tunes", *more):
            return _route_job(world, method, more, body)
    raise RefusalError(404, f"Unknown request: {method} {path}")


def store(world: World, path: str, query: dict[str, str], body: Body, headers: "Message[str, str]") -> Answer:
    """Answer a request to an address that was given out: it is signed, and no key comes with it."""
    file_id, _, number = path.removeprefix(STORE).partition("/")
    content = body.rest()
    if "Authorization" in headers or query.get("signature") != SIGNATURE or file_id not in world.uploads:
        return Answer(b"<Error><Code>AccessDenied</Code></Error>", 403)
    begun = world.uploads[file_id]
    if not number:
        _keep(world, file_id, content)
        return Answer(b"", headers=(("ETag", '"1"'),))
    if headers.get("x-part") != number:
        return Answer(b"<Error><Code>SignatureDoesNotMatch</Code></Error>", 403)
    begun["sent"][int(number)] = content
    return Answer(b"", headers=(("ETag", f'"tag-{number}"'),))


def _give_address(world: World, form: dict[str, str]) -> Answer:
    if set(form) != _FORM or form["purpose"] != "fine-tune" or form["file_type"] != "jsonl":
        raise RefusalError(400, f"bad form: {sorted(form)}")
    begun = {file["checksum"]: file_id for file_id, file in world.uploads.items()}.get(form["checksum"])
    if begun is not None and (world.collides or begun in world.files):
        return Answer({"file_id": begun, "message": "File already exists"}, 409)
    file_id = begun or _begin(world, form)
    address = f"{world.address}{STORE}{file_id}?signature={SIGNATURE}"
    return Answer(b"", 302, (("Location", address), ("X-Together-File-Id", file_id)))


def _begin(world: World, about: Json) -> str:
    file_id = world.new_id("file-")
    world.uploads[file_id] = {"name": about["file_name"], "checksum": about["checksum"], "sent": {}, "status": None}
    return file_id


def _keep(world: World, file_id: str, content: bytes) -> None:
    path = world.folder / file_id
    path.write_bytes(content)
    size = len(content) - bool(world.wrong_bytes)
    world.wrong_bytes -= bool(world.wrong_bytes)
    world.files[file_id] = StoredFile(file_id, world.uploads[file_id]["name"], size, path, now())
    world.uploads[file_id]["status"] = "PENDING"


def _in_parts(world: World, step: str, asked: Json) -> Answer:
    if step == "initiate":
        if asked.keys() != {*_FORM, "file_size", "num_parts"}:
            raise RefusalError(400, f"bad request: {sorted(asked)}")
        if world.collides:
            return Answer({"file_id": "file-other", "message": "File already exists"}, 409)
        file_id = _begin(world, asked)
        world.uploads[file_id]["part"] = math.ceil(asked["file_size"] / asked["num_parts"])
        address = f"{world.address}{STORE}{file_id}/{{}}?signature={SIGNATURE}"
        parts = [
            {"PartNumber": number, "URL": address.format(number), "Headers": {"x-part": f"{number}"}}
            for number in range(1, asked["num_parts"] + 1)
        ]
        return Answer({"upload_id": "u/1", "file_id": file_id, "parts": parts})
    begun = world.uploads.get(asked["file_id"])
    if begun is None or asked["upload_id"] != "u/1":
        raise RefusalError(404, "no such upload")
    if step == "abort":
        del world.uploads[asked["file_id"]]
        return Answer({})
    tags = [{"part_number": number, "etag": f"tag-{number}"} for number in sorted(begun["sent"])]
    contents = [begun["sent"][number] for number in sorted(begun["sent"])]
    if asked["parts"] != tags or any(len(part) != begun["part"] for part in contents[:-1]):
        raise RefusalError(400, "parts are missing, or not of one size")
    content = b"".join(contents)
    if hashlib.sha256(content).hexdigest() != begun["checksum"]:
        raise RefusalError(400, "the checksum is wrong")
    _keep(world, asked["file_id"], content)
    return Answer({"file": _file(world, asked["file_id"])})


def _route_file(world: World, method: str, more: list[str]) -> Answer:
    if (method, more) == ("GET", []):
        return Answer({"data": [_file(world, file_id) for file_id in world.uploads]})
    file_id = more[0] if more else ""
    if file_id not in world.uploads:
        raise RefusalError(404, f"File {file_id} not found")
    match (method, *more[1:]):
        case ("GET",):
            shown = _file(world, file_id)
            if shown["processing_status"] == "QUEUED":
                world.uploads[file_id]["status"] = "COMPLETED"
            return Answer(shown)
        case ("POST", "preprocess"):
            if file_id not in world.files:
                raise RefusalError(400, "File was not uploaded")
            world.uploads[file_id]["status"] = "QUEUED"
            return Answer(_file(world, file_id))
        case ("DELETE",):
            del world.uploads[file_id]
            world.files.pop(file_id, None)
            return Answer({"id": file_id, "deleted": True})
    raise RefusalError(404, "Unknown request")


def _file(world: World, file_id: str) -> Json:
    begun, sent = world.uploads[file_id], world.files.get(file_id)
    shown: Json = {
        "id": file_id,
        "object": "file",
        "filename": begun["name"],
        "bytes": sent.bytes if sent else 0,
        "created_at": now(),
        "FileType": "jsonl",
        "purpose": "fine-tune",
        "processing_status": begun["status"],
    }
    if begun["status"] in {"COMPLETED", "INVALID_FORMAT"}:
        shown["validation_report"] = {"valid": begun["status"] == "COMPLETED", "error": begun.get("error")}
    return shown


def _estimate(world: World, asked: Json) -> Json:
    if unknown := asked.keys() - _PRICED:
        raise RefusalError(400, f"unknown fields: {sorted(unknown)}")
    if world.estimate is not None:
        return world.estimate
    if world.uploads[_known(world.uploads, asked["training_file"])]["status"] != "COMPLETED":
        return {"estimation_available": False, "unavailable_reason": "train_file_not_validated"}
    lines = world.content(asked["training_file"]).count(b"\n") * asked["n_epochs"]
    return {
        "estimation_available": True,
        "allowed_to_proceed": True,
        "estimated_total_price": lines * CENTS_PER_LINE / 100,
        "estimated_train_token_count": lines * 30.0,
        "estimated_eval_token_count": 0,
        "user_limit": 100.0,
    }


def _route_job(world: World, method: str, more: list[str], body: Body) -> Answer:
    match (method, *more):
        case ("POST",):
            return Answer(_job(_create(world, json.loads(body.rest()))))
        case ("GET",):
            return Answer({"data": [_job(job) for job in jobs.shown(world)][::-1]})
        case ("GET", name):
            shown = {**_job(world.jobs[_known(world.jobs, name)]), "progress": _PROGRESS}
            shown = {field: value for field, value in shown.items() if field not in _LISTED}
            jobs.get_job(world, name)  # it moves on
            _name_model(world, world.jobs[name])
            return Answer(shown)
        case ("POST", name, "cancel"):
            job = world.jobs[_known(world.jobs, name)]
            if job["status"] in jobs.FINAL:
                raise RefusalError(400, "job has ended")
            job["status"] = "cancelled"
            return Answer({**_job(job), "status": "cancel_requested"})
        case ("GET", name, "events"):
            return Answer({"data": _events(world, world.jobs[_known(world.jobs, name)])})
    raise RefusalError(404, "Unknown request")


def _create(world: World, asked: Json) -> Json:
    if unknown := asked.keys() - _FIELDS:
        raise RefusalError(400, f"unknown fields: {sorted(unknown)}")
    model = asked.get("from_checkpoint") or asked["model"]
    if model not in (MODEL, *world.models) or ("from_checkpoint" in asked) != (model != MODEL):
        raise RefusalError(400, f"model {model} cannot be trained")
    if len(asked.get("suffix") or "") > 40:
        raise RefusalError(400, "suffix is too long")
    if world.uploads[_known(world.uploads, asked["training_file"])]["status"] != "COMPLETED":
        raise RefusalError(400, "the training file was not validated")
    given = {name: asked.get(name) for name in ("training_file", "suffix")}
    job = jobs.add_job(world, {**given, "model": model, "seed": asked.get("random_seed")}, "ft-")
    job["sent"] = asked
    return job


def _name_model(world: World, job: Json) -> None:
    """Give the tune of a job that has succeeded the kind of name that it has there."""
    if job["status"] == "succeeded" and str(job["fine_tuned_model"]).startswith("ft:"):
        base = MODEL.rpartition("/")[2]
        job["fine_tuned_model"] = name = "-".join(filter(None, ["loopback/" + base, job["suffix"], job["id"][-8:]]))
        world.models[name] = None


def _job(job: Json) -> Json:
    sent, done = job["sent"], job["status"] == "succeeded"
    shown: Json = {
        "id": job["id"],
        "user_id": "user-loopback",
        "status": _STATUSES.get(job["status"], job["status"]),
        "created_at": datetime.fromtimestamp(job["created_at"], UTC).isoformat(),
        "updated_at": "2026-11-27T05:00:00Z",
        "model": MODEL,
        "token_count": 0,
        "total_price": 0,
        "random_seed": sent.get("random_seed", 42),
        **{name: sent.get(name) for name in ("training_file", "from_checkpoint", "n_epochs", "suffix", "n_evals")},
    }
    return {**shown, "model_output_name": job["fine_tuned_model"]} if done else shown


def _events(world: World, job: Json) -> list[Any]:
    """Return the events of a job, the oldest first; two of the same moment are of the same kind."""
    about = {"object": "fine-tune-event", "created_at": "2026-11-27T04:07:06Z", "level": "info"}
    rows: list[Any] = [{**about, "type": "job_pending", "message": "Fine tune request created"}]
    if world.ages[job["id"]] > 1:
        rows += [{**about, "type": "epoch_complete", "message": f"Epoch {n}", "step": 10 * n} for n in (1, 2)]
    if job["status"] == "failed":
        rows.append({**about, "level": "error", "type": "job_error", "message": job["error"]["message"]})
    return rows


def _complete(world: World, body: Body) -> Answer:
    """Answer a chat; a tune answers only if an endpoint was started for it, which is what puts it into the world's chats."""
    content = body.rest()
    model = json.loads(content)["model"]
    if model != MODEL and model not in world.chats:
        message = (
            f"Unable to access non-serverless model {model}. Create and start a new dedicated endpoint for the model."
        )
        raise RefusalError(400, message, "model_not_available", "model")
    return chat.complete(world, Body.of(content))


def _known(table: "dict[str, Json]", name: str) -> str:
    if name not in table:
        raise RefusalError(404, f"{name} not found")
    return name
