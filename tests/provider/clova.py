"""
CLOVA Studio's form of the API, and a bucket of its storage: what a world answers that is `clova`.

After the published description (api.ncloud-docs.com: clovastudio-posttask, -gettask, -gettasks, -deletetask): a task has a name
and no metadata, names no file, has no events, and is deleted and not cancelled. The keys of the storage must be in its body.
What the description does not say is marked below.
"""

import csv
import hashlib
import io
import json
import re
from email.message import Message
from xml.sax.saxutils import escape, unescape

from . import chat, jobs
from .answers import Answer, Json, RefusalError
from .multipart import Body
from .world import StoredFile, World, now

STORE = "/s3/"
BUCKET, ACCESS, SECRET = "saturi-loopback", "ncp_iam_CANARYACCESS", "ncp_iam_CANARYSECRET0123456789"
MODEL = "HCX-005"
TASK = "POST /tuning/v2/tasks"
FEWEST_ROWS = 100

_COLUMNS = ["System_Prompt", "C_ID", "T_ID", "Text", "Completion"]
_STATUSES = {"queued": "WAIT", "running": "RUNNING", "succeeded": "SUCCEEDED", "failed": "FAILED"}
_FIELDS = {
    "name", "model", "tuningType", "trainEpochs", "learningRate", "validationSplitRatio", "loraR", "loraAlpha",
    "trainingDatasetFilePath", "trainingDatasetBucket", "trainingDatasetAccessKey", "trainingDatasetSecretKey",
}  # fmt: skip


def answer(world: World, method: str, path: str, query: dict[str, str], body: Body, content_type: str) -> Answer:
    """Answer a request to the API."""
    del content_type
    match (method, *path.strip("/").split("/")):
        case ("POST", "tuning", "v2", "tasks"):
            return _result(_create(world, body))
        case ("GET", "tuning", "v2", "tasks"):
            return _result(_list(world, int(query.get("page", 0)), int(query.get("size", 20))))
        case ("GET", "tuning", "v2", "tasks", task_id):
            shown = _task(_known(world, task_id))
            _move_on(world, world.jobs[task_id])
            return _result(shown)
        case ("DELETE", "tuning", "v2", "tasks", task_id):
            _known(world, task_id)
            del world.jobs[task_id]
            return Answer({"status": {"code": "20000", "message": "OK"}})
        case ("POST", "v3", "tasks", task_id, "chat-completions"):
            task = _known(world, task_id)
            if task["status"] != "succeeded":
                raise RefusalError(400, "The task has no model")
            return _result(_complete(world, task_id, body))
        case ("POST", "v3", "chat-completions", model):
            if model != MODEL:
                raise RefusalError(404, f"Model not found: {model}")
            return _result(_complete(world, model, body))
    raise RefusalError(404, f"Unknown request: {method} {path}")


def refusal(refused: RefusalError) -> Answer:
    """Return *refused* as it is sent there: the status, and two digits more."""
    status, message, *_ = refused.args
    return Answer({"status": {"code": f"{status}00", "message": message}, "result": None}, status)


def store(  # noqa: PLR0911 - a row a request
    world: World, method: str, path: str, query: dict[str, str], body: Body, headers: "Message[str, str]"
) -> Answer:
    """Answer a request to the storage: as much of S3's API as one needs who stores, lists, looks and deletes."""
    bucket, _, key = path.removeprefix(STORE).partition("/")
    content = body.rest()
    if f"Credential={ACCESS}/" not in headers.get("Authorization", ""):
        return _xml("<Error><Code>InvalidAccessKeyId</Code></Error>", 403)
    if bucket != BUCKET:
        return _xml("<Error><Code>NoSuchBucket</Code></Error>", 404)
    if hashlib.sha256(content).hexdigest() != headers.get("x-amz-content-sha256"):
        return _xml("<Error><Code>XAmzContentSHA256Mismatch</Code></Error>", 400)
    match method:
        case "GET":
            return _listing(world, query)
        case "HEAD":
            if key not in world.files:
                return Answer(b"", 404)
            size = ("Content-Length", str(world.files[key].bytes))
            return Answer(b"", headers=(size, ("ETag", '"1"'), _MODIFIED), declared=False)
        case "DELETE":
            world.files.pop(key, None)
            return Answer(b"", 204)
        case "PUT" if "partNumber" not in query:
            _keep(world, key, content)
            return Answer(b"", headers=(("ETag", '"1"'),))
    return _in_parts(world, method, key, query, content)


def _in_parts(world: World, method: str, key: str, query: dict[str, str], content: bytes) -> Answer:
    """Answer a request that belongs to an object in parts: it begins, has another part, is complete; or to several objects."""
    if "delete" in query:
        keys = re.findall("<Key>.*?</Key>", content.decode())
        for gone in keys:
            world.files.pop(unescape(gone[5:-6]), None)
        return _xml(f"<DeleteResult>{''.join(f'<Deleted>{gone}</Deleted>' for gone in keys)}</DeleteResult>")
    if "uploads" in query:
        world.uploads[key] = {}
        return _xml("<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
    if method == "PUT":
        world.uploads[key][query["partNumber"]] = content
        return Answer(b"", headers=(("ETag", '"1"'),))
    parts = world.uploads.pop(key)
    _keep(world, key, b"".join(parts[number] for number in sorted(parts, key=int)))
    return _xml('<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>')


_MODIFIED = ("Last-Modified", "Fri, 27 Nov 2026 00:00:00 GMT")


def _keep(world: World, key: str, content: bytes) -> None:
    path = world.folder / hashlib.sha256(key.encode()).hexdigest()
    path.write_bytes(content)
    size = len(content) - bool(world.wrong_bytes)
    world.wrong_bytes -= bool(world.wrong_bytes)
    world.files[key] = StoredFile(key, key.rpartition("/")[2], size, path, now())


def _listing(world: World, query: dict[str, str]) -> Answer:
    rows = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-27T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;1&quot;</ETag><Size>{file.bytes}</Size></Contents>"
        for key, file in sorted(world.files.items())
        if key.startswith(query.get("prefix", ""))
    )
    return _xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>")


def _xml(text: str, status: int = 200) -> Answer:
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), status)


def _create(world: World, body: Body) -> Json:
    asked = json.loads(body.rest())
    if unknown := sorted(asked.keys() - _FIELDS):
        raise RefusalError(400, f"Unknown fields: {', '.join(unknown)}")
    if asked["model"] != MODEL:
        raise RefusalError(400, f"Unsupported model: {asked['model']}")
    if not 1 <= int(asked["trainEpochs"]) <= 20:
        raise RefusalError(400, "trainEpochs must be from 1 to 20")
    if (asked["trainingDatasetAccessKey"], asked["trainingDatasetSecretKey"]) != (ACCESS, SECRET):
        # It says them back, which the description does not, and others do.
        keys = f"{asked['trainingDatasetAccessKey']} with {asked['trainingDatasetSecretKey']}"
        raise RefusalError(400, f"Object Storage access denied: {keys}")
    if asked["trainingDatasetBucket"] != BUCKET or asked["trainingDatasetFilePath"] not in world.files:
        raise RefusalError(400, "File not found")
    job = jobs.add_job(world, {"model": asked["model"], "training_file": asked["trainingDatasetFilePath"]}, "t")
    job["name"] = "renamed" if world.swallowed else asked.get("name")
    job["epochs"] = int(asked["trainEpochs"])
    job["sent"] = asked
    return _task(job)


def _list(world: World, page: int, size: int) -> Json:
    rows = jobs.shown(world)
    shown = [_task(job) for job in rows[page * size : (page + 1) * size]]
    # As in the documents' own example, in which the numbers are texts.
    return {
        "totalPages": f"{-(-len(rows) // size)},",
        "totalElements": len(rows),
        "size": size,
        "number": page,
        "content": shown,
    }


def _task(job: Json) -> Json:
    """Return *job* as a task."""
    moment = "2026-11-27T13:07:06+0900"
    info: Json = dict.fromkeys(
        ("label", "dataRows", "numOfTokens", "currStep", "totalTrainSteps", "currEpoch", "trainLoss")
    )
    info |= dict.fromkeys(
        ("totalTrainEpochs", "estimatedTime", "sendWeightSuccess", "failureReason", "message", "endDatetime")
    )
    if job["status"] == "running":
        info |= {"dataRows": 90, "numOfTokens": 2_700, "currStep": 7, "totalTrainSteps": 20, "trainLoss": 0.4}
        info |= {"currEpoch": 1, "totalTrainEpochs": job["epochs"]}
    if job["status"] == "failed":
        info |= dict(zip(("failureReason", "message"), job["failure"], strict=True))
    if job["status"] in {"succeeded", "failed"}:
        info["endDatetime"] = moment
    return {
        "id": job["id"],
        "name": job["name"],
        "model": job["model"],
        "trainEpochs": job["epochs"],
        "learningRate": 1.0e-4,
        "status": _STATUSES.get(job["status"], "WAIT"),
        "statusInfo": info,
        "createdClientType": "API",
        "createdDate": moment,
        "updatedDate": moment,
    }


def _move_on(world: World, job: Json) -> None:
    """Let *job* be one step further; it fails where its file is not as it must be, in the words of the description."""
    with world.lock:
        if job["status"] in jobs.FINAL:
            return
        world.ages[job["id"]] += 1
        job["status"] = world.steps[min(world.ages[job["id"]], len(world.steps) - 1)]
        failure = flaw_of(world.content(job["training_file"]))
        if failure is None and world.flagged:  # a line is named in no message of the description
            failure = ("file.format", f"Invalid dataset: Text, line {world.flagged[0]}")
        if failure is not None:
            job.update(status="failed", failure=failure)


def flaw_of(content: bytes) -> tuple[str, str] | None:
    """Return reason and message for which a file fails a task, or None."""
    if not content.startswith(b"\xef\xbb\xbf"):
        return "file.encoding", "Unsupported charset"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    if rows[0] != _COLUMNS:
        return "file.format", "Invalid dataset: column order"
    if len(rows) - 1 < FEWEST_ROWS:
        return "file.format", "Invalid dataset: rows"  # the guide has the number, and no message
    for number, (system, conversation, turn, text, completion) in enumerate(rows[1:]):
        if (conversation, turn) != (str(number), "0"):
            return "file.format", "Invalid dataset: C_ID"
        if not (system and text and completion):
            return "file.format", "Invalid dataset: required field empty. Text"
    return None


def examples_of(content: bytes) -> list[tuple[str, str, str]]:
    """Return system prompt, text and completion of every row of a file."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:]
    return [(system, text, completion) for system, _, _, text, completion in rows]


def _complete(world: World, model: str, body: Body) -> Json:
    asked = json.loads(body.rest())
    if not 0 < asked["maxTokens"] <= 4096:
        raise RefusalError(400, "Invalid parameter: maxTokens")
    speak = world.chats.get(model, chat.chatter)
    text = speak(asked["messages"][-1]["content"])
    usage = {"promptTokens": 30, "completionTokens": 20, "totalTokens": 50}
    return {"message": {"role": "assistant", "content": text}, "finishReason": "stop", "usage": usage}


def _known(world: World, task_id: str) -> Json:
    if task_id not in world.jobs:
        raise RefusalError(404, "Task not found")
    return world.jobs[task_id]


def _result(result: Json) -> Answer:
    return Answer({"status": {"code": "20000", "message": "OK"}, "result": result})
