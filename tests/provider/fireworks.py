"""
Fireworks' form of the API, and the store that its addresses lead to: what a world answers that is `fireworks`.

After fireworks-ai 1.2.30 and docs.fireworks.ai: datasets of files that are sent to signed addresses, each with its exact size in a
header, and validated; jobs under ids that the client chooses. That a second job of the same id collides (409) is how such APIs
are, and written nowhere.
"""

import json
from email.message import Message

from . import chat, jobs
from .answers import Answer, Json, RefusalError
from .multipart import Body
from .world import StoredFile, World, now

STORE = "/store/"
ACCOUNT = "saturi-loopback"
MODEL = "accounts/fireworks/models/qwen3-8b"
FEWEST = 3

_JOBS, _DATASETS = "supervisedFineTuningJobs", "datasets"
_STATES = {"validating_files": "VALIDATING", "queued": "PENDING", "succeeded": "COMPLETED"}
_FIELDS = {
    "dataset",
    "evaluationDataset",
    "baseModel",
    "warmStartFrom",
    "epochs",
    "displayName",
    "outputModel",
    "loraRank",
    "region",
}
_ROW = "accounts/{}/{}/{}"


def answer(world: World, method: str, path: str, query: dict[str, str], body: Body, content_type: str) -> Answer:
    """Answer a request to the API."""
    del content_type
    match (method, *path.strip("/").split("/")):
        case ("POST", "inference", "v1", "chat", "completions"):
            return chat.complete(world, body)
        case ("GET", "v1", "accounts", owner, "models", model):
            if f"accounts/{owner}/models/{model}" not in (MODEL, *world.models):
                raise RefusalError(404, "Model not found")
            return Answer({"name": f"accounts/{owner}/models/{model}", "state": "READY"})
        case (_, "v1", "accounts", owner, *_) if owner != ACCOUNT:
            raise RefusalError(403, f"no access to account {owner}")
        case ("POST", "v1", "accounts", _, "datasets", *name):
            return _change_dataset(world, "/".join(name), json.loads(body.rest()))
        case ("GET", "v1", "accounts", _, "datasets"):
            return _page([_dataset(world, name) for name in sorted(world.uploads)], _DATASETS, query)
        case ("GET", "v1", "accounts", _, "datasets", name):
            return Answer(_dataset(world, _known(world.uploads, name)))
        case ("DELETE", "v1", "accounts", _, "datasets", name):
            del world.uploads[_known(world.uploads, name)]
            world.files.pop(name, None)
            return Answer({})
        case (_, "v1", "accounts", _, "supervisedFineTuningJobs", *more):
            return _route_job(world, method, more, query, body)
    raise RefusalError(404, f"Unknown request: {method} {path}")


def refusal(refused: RefusalError) -> Answer:
    """Return *refused* as it is sent there."""
    status, message, *_ = refused.args
    return Answer({"code": {404: 5, 409: 6, 400: 3}.get(status, 2), "message": message, "details": []}, status)


def store(world: World, path: str, body: Body, headers: "Message[str, str]") -> Answer:
    """Answer a request to an address that was given out: no key comes with it, and exactly the bytes that were declared."""
    name, _, shard = path.removeprefix(STORE).partition("/")
    content = body.rest()
    sizes = world.uploads[name]["sizes"]
    exact = f"{sizes[shard]},{sizes[shard]}"
    if (
        "Authorization" in headers
        or headers.get("x-goog-content-length-range") != exact
        or len(content) != int(sizes[shard])
    ):
        return Answer(b"", 403)
    (world.folder / f"{name}-{shard}").write_bytes(content)
    world.uploads[name]["sent"][shard] = len(content) - bool(world.wrong_bytes)
    world.wrong_bytes -= bool(world.wrong_bytes)
    return Answer(b"")


def _change_dataset(world: World, name: str, asked: Json) -> Answer:
    """Create a dataset, give out the addresses of its files, or validate it."""
    if not name:
        dataset_id = asked["datasetId"]
        if dataset_id in world.uploads:
            raise RefusalError(409, "dataset already exists")
        if len(dataset_id) > 63 or int(asked["dataset"]["exampleCount"]) < FEWEST:
            raise RefusalError(400, "invalid dataset")
        world.uploads[dataset_id] = {"about": asked["dataset"], "sizes": {}, "sent": {}, "state": "UPLOADING"}
        return Answer(_dataset(world, dataset_id))
    name, _, verb = name.partition(":")
    dataset = world.uploads[_known(world.uploads, name)]
    if verb == "getUploadEndpoint":  # what was registered before is overwritten
        dataset.update(sizes=asked["filenameToSize"], sent={})
        return Answer(
            {"filenameToSignedUrls": {shard: f"{world.address}{STORE}{name}/{shard}" for shard in dataset["sizes"]}}
        )
    if {shard: str(size) for shard, size in dataset["sent"].items()} != dataset["sizes"]:
        raise RefusalError(400, "files are still landing")
    content = b"".join((world.folder / f"{name}-{shard}").read_bytes() for shard in sorted(dataset["sizes"]))
    if int(dataset["about"]["exampleCount"]) != content.count(b"\n"):
        raise RefusalError(400, "exampleCount is wrong")
    path = world.folder / name
    path.write_bytes(content)
    world.files[name] = StoredFile(name, name, len(content), path, now())
    dataset["state"] = "READY"
    return Answer({})


def _dataset(world: World, name: str) -> Json:
    dataset = world.uploads[name]
    return {
        "name": _ROW.format(ACCOUNT, _DATASETS, name),
        "state": dataset["state"],
        "status": {"code": "OK", "message": ""},
    }


def _route_job(world: World, method: str, more: list[str], query: dict[str, str], body: Body) -> Answer:
    match (method, *more):
        case ("POST",):
            return Answer(_create(world, query["supervisedFineTuningJobId"], json.loads(body.rest())))
        case ("GET",):
            return _page([_job(job) for job in jobs.shown(world)], _JOBS, query)
        case ("GET", name):
            shown = _job(world.jobs[_known(world.jobs, name)])
            jobs.get_job(world, name)  # it moves on
            if world.jobs[name]["status"] == "succeeded":
                world.jobs[name]["fine_tuned_model"] = model = f"accounts/{ACCOUNT}/models/{name}"
                world.models[model] = None
            return Answer(shown)
        case ("POST", name):
            job = world.jobs[_known(world.jobs, name.removesuffix(":cancel"))]
            if job["status"] in jobs.FINAL:
                raise RefusalError(400, "job has ended")
            job["status"] = "cancelled"
            return Answer({})
    raise RefusalError(404, "Unknown request")


def _create(world: World, name: str, asked: Json) -> Json:
    if name in world.jobs:
        raise RefusalError(409, "supervised fine-tuning job already exists")
    if len(name) > 63 or (unknown := asked.keys() - _FIELDS):
        raise RefusalError(400, f"invalid job: {sorted(unknown) if len(name) <= 63 else name}")
    model = asked.get("warmStartFrom") or asked["baseModel"]
    if model not in (MODEL, *world.models) or ("warmStartFrom" in asked) != (model != MODEL):
        raise RefusalError(400, f"model {model} cannot be trained")
    ids = {field: asked[field].rpartition("/")[2] for field in ("dataset", "evaluationDataset") if field in asked}
    for dataset_id in ids.values():
        if world.uploads[_known(world.uploads, dataset_id)]["state"] != "READY":
            raise RefusalError(400, "dataset is not ready")
    with world.lock:
        if name in world.jobs:
            raise RefusalError(409, "supervised fine-tuning job already exists")
        given = {"model": model, "training_file": ids["dataset"], "validation_file": ids.get("evaluationDataset")}
        job = jobs.add_job(world, {**given, "suffix": asked.get("displayName")}, "x")
        born = job["id"]
        world.jobs[name], world.ages[name], world.hidden[name] = job, 0, world.hidden.pop(born)
        world.events[name], world.checkpoints[name] = world.events.pop(born), []
        del world.jobs[born]
        job.update(id=name, sent=asked)
    return _job(job)


def _job(job: Json) -> Json:
    done = job["status"] == "succeeded"
    warm = job["model"] != MODEL
    shown: Json = {
        "name": _ROW.format(ACCOUNT, _JOBS, job["id"]),
        "state": "JOB_STATE_" + _STATES.get(job["status"], job["status"].upper()),
        "status": {"code": "OK", "message": ""},
        "dataset": _ROW.format(ACCOUNT, _DATASETS, job["training_file"]),
        "warmStartFrom" if warm else "baseModel": job["model"],
        "epochs": job["sent"]["epochs"],
        "outputModel": job["id"],
        "createTime": "2026-11-27T04:07:06.123456Z",
    }
    if job["validation_file"]:
        shown["evaluationDataset"] = _ROW.format(ACCOUNT, _DATASETS, job["validation_file"])
    if job["status"] == "running":
        shown["jobProgress"] = {"percent": 40, "epoch": 1, "inputTokens": 1_200}
    if job["status"] == "failed":
        shown["status"] = {"code": "INVALID_ARGUMENT", "message": job["error"]["message"]}
    return {**shown, "completedTime": "2026-11-27T05:00:00Z"} if done else shown


def _page(rows: list[Json], kind: str, query: dict[str, str]) -> Answer:
    """Return a page; its token is where the next one begins, and a list without rows is left out."""
    start, size = int(query.get("pageToken", 0)), min(int(query.get("pageSize", 50)), 200)
    shown = {kind: rows[start : start + size]} if rows[start : start + size] else {}
    return Answer(
        {**shown, "nextPageToken": str(start + size) if start + size < len(rows) else "", "totalSize": len(rows)}
    )


def _known(table: "dict[str, Json]", name: str) -> str:
    if name not in table:
        raise RefusalError(404, f"{name} not found")
    return name
