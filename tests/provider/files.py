"""Files and uploads: what is sent goes to disk as it comes; sizes and MD5 are held against what was declared."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .answers import Answer, Json, RefusalError, page
from .multipart import BLOCK_BYTES, Body, Sink, read_form
from .world import StoredFile, World, now

MAX_FILE_BYTES = 512_000_000
MAX_PART_BYTES = 64 * 1024 * 1024
MAX_UPLOAD_BYTES = 8_000_000_000
_PART_LIMIT = "A part can be at most 64 MB"


def list_files(world: World, query: dict[str, str]) -> Answer:
    """Answer `GET /files`."""
    files = sorted(world.files.values(), key=lambda file: file.id, reverse=query.get("order", "desc") == "desc")
    wanted = query.get("purpose")
    return page([file.as_json() for file in files if wanted in (None, file.purpose)], query, 10_000)


def create_file(world: World, body: Body, content_type: str) -> Answer:
    """Answer `POST /files`."""
    file, fields = receive(world, body, content_type)
    if not fields.get("file", "").endswith(".jsonl"):
        raise RefusalError(400, "Invalid file format. Only .jsonl is supported", param="file")
    if fields.get("purpose") != "fine-tune":
        raise RefusalError(400, "purpose must be fine-tune here", param="purpose")
    if file.bytes > MAX_FILE_BYTES:
        raise RefusalError(413, f"The file is {file.bytes} bytes, at most {MAX_FILE_BYTES} are allowed")
    store(world, file)
    return Answer(file.as_json())


def receive(world: World, body: Body, content_type: str) -> tuple[StoredFile, dict[str, str]]:
    """Return the file that a form holds, which is on disk and not yet in *world*, and the form's fields."""
    file_id = world.new_id("file-")
    path = world.folder / file_id
    with _received(path) as open_file:
        fields = read_form(body, content_type, open_file)
    return StoredFile(file_id, fields.get("file", ""), path.stat().st_size, path, now()), fields


def store(world: World, file: StoredFile) -> None:
    """Put *file* into *world*."""
    with world.lock:
        file.bytes -= bool(world.wrong_bytes)
        world.wrong_bytes -= bool(world.wrong_bytes)
        world.files[file.id] = file


def get_file(world: World, file_id: str) -> Answer:
    """Answer `GET /files/{id}`."""
    return Answer(_file(world, file_id).as_json())


def get_content(world: World, file_id: str) -> Answer:
    """Answer `GET /files/{id}/content`."""
    return Answer(_file(world, file_id).path.read_bytes())


def delete_file(world: World, file_id: str) -> Answer:
    """Answer `DELETE /files/{id}`."""
    _file(world, file_id)
    del world.files[file_id]
    return Answer({"id": file_id, "object": "file", "deleted": True})


def create_upload(world: World, body: Body) -> Answer:
    """Answer `POST /uploads`."""
    asked = json.loads(body.rest())
    if not 0 < asked["bytes"] <= MAX_UPLOAD_BYTES:
        raise RefusalError(400, f"bytes must be from 1 to {MAX_UPLOAD_BYTES}", param="bytes")
    upload = {
        "id": world.new_id("upload_"),
        "object": "upload",
        "status": "pending",
        "created_at": now(),
        "expires_at": now() + world.upload_seconds,
        "file": None,
        **{name: asked[name] for name in ("bytes", "filename", "purpose")},
    }
    world.uploads[upload["id"]] = upload
    return Answer(upload)


def add_part(world: World, upload_id: str, body: Body, content_type: str) -> Answer:
    """Answer `POST /uploads/{id}/parts`."""
    _pending(world, upload_id)
    part_id = world.new_id("part_")
    path = world.folder / part_id
    with _received(path) as open_file:
        read_form(body, content_type, open_file)
    size = path.stat().st_size
    if size > MAX_PART_BYTES:
        raise RefusalError(413, _PART_LIMIT)
    with world.lock:
        _pending(world, upload_id)
        world.parts[part_id] = StoredFile(part_id, upload_id, size, path, now())
    return Answer({"id": part_id, "object": "upload.part", "upload_id": upload_id, "created_at": now()})


def complete_upload(world: World, upload_id: str, body: Body) -> Answer:
    """Answer `POST /uploads/{id}/complete`: the parts asked for, in that order, become a file."""
    upload, asked = _pending(world, upload_id), json.loads(body.rest())
    parts = [world.parts.get(part_id) for part_id in asked["part_ids"]]
    if any(part is None or part.filename != upload_id for part in parts):
        raise RefusalError(400, "There is no such part", param="part_ids")
    file_id = world.new_id("file-")
    path, digest, size = world.folder / file_id, hashlib.md5(usedforsecurity=False), 0
    with path.open("wb") as joined:
        for block in _blocks(part.path for part in parts if part is not None):
            joined.write(block)
            digest.update(block)
            size += len(block)
    if size != upload["bytes"]:
        raise RefusalError(400, f"{size} bytes were uploaded, {upload['bytes']} declared", param="part_ids")
    if asked.get("md5") not in (None, digest.hexdigest()):
        raise RefusalError(400, "The md5 does not match", param="md5")
    with world.lock:
        size -= bool(world.wrong_bytes)
        world.wrong_bytes -= bool(world.wrong_bytes)
        world.files[file_id] = StoredFile(file_id, upload["filename"], size, path, now())
        upload.update(status="completed", file=world.files[file_id].as_json())
    return Answer(upload)


def cancel_upload(world: World, upload_id: str) -> Answer:
    """Answer `POST /uploads/{id}/cancel`."""
    upload = _pending(world, upload_id)
    upload["status"] = "cancelled"
    return Answer(upload)


def _file(world: World, file_id: str) -> StoredFile:
    if file_id not in world.files:
        raise RefusalError(404, f"No such File object: {file_id}", param="id")
    return world.files[file_id]


def _pending(world: World, upload_id: str) -> Json:
    upload = world.uploads.get(upload_id)
    if upload is None:
        raise RefusalError(404, f"No such Upload object: {upload_id}", param="id")
    if upload["status"] == "pending" and upload["expires_at"] <= now():
        upload["status"] = "expired"
    if upload["status"] != "pending":
        raise RefusalError(400, f"Upload {upload_id} is {upload['status']}")
    return upload


@contextmanager
def _received(path: Path) -> Iterator[Callable[[str], Sink]]:
    """Yield what opens the sink of a file that is stored at *path*."""
    with path.open("wb") as file:
        yield lambda _name: file.write


def _blocks(paths: Iterator[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            yield from _all_of(file)


def _all_of(file: BinaryIO) -> Iterator[bytes]:
    yield from iter(lambda: file.read(BLOCK_BYTES), b"")
