"""The server: a request to its world, its fault, its answer."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import chat, clova, files, fireworks, jobs, studio, together
from .answers import Answer, RefusalError
from .faults import Fault
from .multipart import Body
from .world import Sent, World

Route = Callable[[World, str, str, dict[str, str], Body, str], Answer]


class Server(ThreadingHTTPServer):
    """All worlds, behind one port of loopback; a world is made when it is first named."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder
        self._worlds: dict[str, World] = {}
        self._lock = threading.Lock()

    def world(self, name: str) -> World:
        """Return the world *name*."""
        with self._lock:
            if name not in self._worlds:
                folder = self.folder / name
                folder.mkdir(parents=True, exist_ok=True)
                self._worlds[name] = World(name, folder, address=self.base_url(name))
            return self._worlds[name]

    def base_url(self, name: str) -> str:
        """Return the base URL of the world *name*."""
        return f"http://127.0.0.1:{self.server_port}/{name}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that break: it is what they are made to do here."""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Yield a server that runs in a thread of this process."""
    server = Server(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Dripping(BufferedIOBase):
    """Writes a byte at a time to *file*, with *seconds* in between."""

    def __init__(self, file: BufferedIOBase, seconds: float) -> None:
        self._file, self._seconds = file, seconds

    def write(self, content: Any) -> int:  # as in the class above: whatever holds bytes
        """Write *content*."""
        for at in range(len(content)):
            self._file.write(content[at : at + 1])
            time.sleep(self._seconds)
        return len(content)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a request."""
        self._answer()

    do_POST = do_DELETE = do_PUT = do_HEAD = do_GET  # noqa: N815 - a name in the standard library

    def _answer(self) -> None:
        url = urlsplit(self.path)
        _, name, version, *rest = unquote(url.path).split("/")
        world, path = self.server.world(name), "/" + "/".join(rest)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        body = Body(self.rfile, int(self.headers.get("Content-Length", 0)))
        fault = world.fault_for(f"{self.command} {path}")
        try:
            answer = None if version == "v1" else Answer({"error": {"message": "not found"}}, 404)
            if fault is not None and fault.moment != "after":
                answer = self._go_wrong(fault, body)
            if answer is None:
                answer = self._carry_out(world, path, query, body)
            if fault is not None and fault.moment == "after":
                answer = self._go_wrong(fault, body) or answer
        except ConnectionError:
            self._reset()
            return
        if world.alter is not None:
            answer = world.alter(f"{self.command} {path}", answer)
        while body.left:  # a client that is refused early is still heard out, or it would never read the answer
            body.read(1 << 18)
        self._send(answer)

    def _go_wrong(self, fault: Fault, body: Body) -> Answer | None:
        """Do what *fault* says; an answer takes the place of the right one, None leaves that."""
        left_in_body = fault.body_bytes or 0
        while fault.moment == "body" and left_in_body > 0 and (block := body.read(min(left_in_body, 1 << 16))):
            left_in_body -= len(block)
        if fault.act is not None:
            fault.act()
        time.sleep(fault.stall_seconds)
        if fault.answer is None and not fault.proceeds:
            raise ConnectionResetError
        return fault.answer

    def _carry_out(self, world: World, path: str, query: dict[str, str], body: Body) -> Answer:
        content_type = self.headers.get("Content-Type", "")
        kept = b""
        if content_type.startswith("application/json"):
            kept = body.rest()
            body = Body.of(kept)
        world.requests.append(Sent(self.command, self.path, tuple(self.headers.items()), kept.decode()))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        answer, shape = _form_of(world)
        try:
            if world.clova and path.startswith(clova.STORE):
                return clova.store(world, self.command, path, query, body, self.headers)
            if world.fireworks and path.startswith(fireworks.STORE):
                return fireworks.store(world, path, body, self.headers)
            if world.together and path.startswith(together.STORE):
                return together.store(world, path, query, body, self.headers)
            if world.key not in (None, key):
                raise RefusalError(
                    401, f"Incorrect API key provided: {key}.", "invalid_api_key"
                )  # says it back, as some do
            return answer(world, self.command, path, query, body, content_type)
        except RefusalError as refusal:
            return shape(refusal)

    def _send(self, answer: Answer) -> None:
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        kind = "text/html" if content.startswith(b"<") else "application/json"
        own = {name.lower() for name, _ in answer.headers}
        for name, value in (*answer.headers, ("Content-Type", kind), ("x-request-id", "req-loopback")):
            if (name, value) in answer.headers or name.lower() not in own:
                self.send_header(name, value)
        if answer.declared:
            self.send_header("Content-Length", str(len(content)))
        else:
            self.close_connection = True
        real, dripping = self.wfile, Dripping(self.wfile, answer.drip_seconds)
        with suppress(ConnectionError):  # a client that has had enough
            self.wfile = dripping if answer.drip_head else real
            self.end_headers()
            self.wfile = dripping if answer.drip_seconds else real
            self.wfile.write(content)
        self.wfile = real

    def _reset(self) -> None:
        """Break the connection off, so that the client meets a reset and not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _form_of(world: World) -> tuple[Route, Callable[[RefusalError], Answer]]:
    """Return what answers in the form of *world*, and what makes of a refusal an answer in that form."""
    if world.studio:
        return studio.answer, studio.refusal
    if world.clova:
        return clova.answer, clova.refusal
    if world.fireworks:
        return fireworks.answer, fireworks.refusal
    return (together.answer if world.together else _route), lambda refusal: refusal.answer


def _route(  # noqa: PLR0911 - a row a request
    world: World, method: str, path: str, query: dict[str, str], body: Body, content_type: str
) -> Answer:
    match (method, *path.strip("/").split("/")):
        case ("GET", "files"):
            return files.list_files(world, query)
        case ("POST", "files"):
            return files.create_file(world, body, content_type)
        case ("GET", "files", file_id):
            return files.get_file(world, file_id)
        case ("GET", "files", file_id, "content"):
            return files.get_content(world, file_id)
        case ("DELETE", "files", file_id):
            return files.delete_file(world, file_id)
        case ("POST", "uploads", *more):
            return _route_upload(world, more, body, content_type)
        case ("POST", "chat", "completions"):
            return chat.complete(world, body)
        case ("GET", "models", *model):
            return _models(world, "/".join(model))
        case (_, "fine_tuning", "jobs", *more):
            return _route_job(world, method, more, query, body)
    raise RefusalError(404, f"Unknown request: {method} {path}")


def _route_upload(world: World, more: list[str], body: Body, content_type: str) -> Answer:
    match more:
        case []:
            return files.create_upload(world, body)
        case [upload_id, "parts"]:
            return files.add_part(world, upload_id, body, content_type)
        case [upload_id, "complete"]:
            return files.complete_upload(world, upload_id, body)
        case [upload_id, "cancel"]:
            return files.cancel_upload(world, upload_id)
    raise RefusalError(404, "Unknown request")


def _route_job(  # noqa: PLR0911 - a row a request
    world: World, method: str, more: list[str], query: dict[str, str], body: Body
) -> Answer:
    match (method, *more):
        case ("POST",):
            return jobs.create_job(world, body)
        case ("GET",):
            return jobs.list_jobs(world, query)
        case ("GET", job_id):
            return jobs.get_job(world, job_id)
        case ("POST", job_id, "cancel"):
            return jobs.cancel_job(world, job_id)
        case ("POST", job_id, "pause"):
            return jobs.pause_job(world, job_id)
        case ("POST", job_id, "resume"):
            return jobs.resume_job(world, job_id)
        case ("GET", job_id, "events"):
            return jobs.list_events(world, job_id, query)
        case ("GET", job_id, "checkpoints"):
            return jobs.list_checkpoints(world, job_id, query)
    raise RefusalError(404, "Unknown request")


def _models(world: World, model: str) -> Answer:
    rows = [
        {"id": name, "object": "model", "created": 1, "owned_by": "system", "shutdown_date": date}
        for name, date in world.models.items()
    ]
    if not model:
        return Answer({"object": "list", "data": rows})
    row = next((one for one in rows if one["id"] == model), None)
    if row is None:
        raise RefusalError(404, f"The model {model!r} does not exist", "model_not_found", "model")
    return Answer(row)
