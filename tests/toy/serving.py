"""
Run a command beside a chat server that is a program: `python -m tests.toy.serving PROGRAM FOLDER COMMAND…`.

PROGRAM is `transformers` of some environment, and serves the models that lie in FOLDER, by their names there. `{base_url}` in
COMMAND is replaced; its exit code is returned, and the server ended.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

_HOST = "127.0.0.1"
_START_SECONDS = 300.0
"""A loaded machine takes a minute to import torch."""


@contextmanager
def serving(program: Path, folder: Path) -> Iterator[str]:
    """Yield the address of a server of the models in *folder*; its log goes to `serve.log` there."""
    port = _free_port()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str((folder / "home").absolute())}
    command = [str(program.absolute()), "serve", "--host", _HOST, "--port", str(port), "--device", "cpu"]
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(server, f"http://{_HOST}:{port}/health")
            yield f"http://{_HOST}:{port}/v1"
        finally:
            server.terminate()
            server.wait()


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait(server: "subprocess.Popen[bytes]", address: str) -> None:
    """Return when *address* answers."""
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urlopen(address, timeout=5):  # noqa: S310 - loopback
            return
        time.sleep(0.2)
    sys.exit("the server does not start: see serve.log")


def main(program: str, folder: str, *command: str) -> int:
    """Serve, run *command*, and return its exit code."""
    with serving(Path(program), Path(folder)) as base_url:
        return subprocess.run([word.replace("{base_url}", base_url) for word in command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
