"""
The speed and the memory of a download from a server on loopback: `python -m benchmarks.download`.

The server, a process of its own, sends the tars of two archives as AI-Hub does: chunked, without a length, in parts. The
download is the command itself, in a folder of its own, with all that it does: two transfers, hash, directory, fsync.
"""

import argparse
import io
import os
import socket
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from benchmarks.lineup import ROOT
from benchmarks.measure import measure
from saturi.etl.settings.sizes import parse_bytes

ARCHIVES = 2
_PART_BYTES = 1 << 30
_PIECE = bytes(1 << 20)
_NUMBERS = range(1, ARCHIVES + 1)


class Download(Struct, frozen=True):
    """Bytes of all archives, seconds and CPU seconds of the command, and the peak memory of its process."""

    bytes: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def bytes_a_second(self) -> float:
        """The speed of both transfers together."""
        return self.bytes / self.seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or be the server."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.download", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--bytes", type=parse_bytes, default=1_000_000_000, help="of both archives (default: 1GB)")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where the download goes")
    parser.add_argument("--json", action="store_true", help="print the numbers for machines")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.serve:
        _serve(given.bytes // ARCHIVES)
        return
    download = _download(given.bytes, given.folder)
    print(msgspec.json.encode(download).decode() if given.json else _markdown(download))


def _markdown(download: Download) -> str:
    speed = f"{download.bytes_a_second / 1e6:,.0f} MB/s"
    took = f"{download.seconds:.1f} s, {download.cpu_seconds:.1f} s CPU, {download.peak_bytes / (1 << 20):.0f} MiB"
    return f"| download | measured |\n|---|--:|\n| {download.bytes:,} bytes in {ARCHIVES} archives | {speed}, {took} |"


def _download(size: int, folder: Path) -> Download:
    command = [sys.executable, "-m", "benchmarks.download", "--serve", "--bytes", str(size)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("AIHUB_APIKEY", "none")
    with server, TemporaryDirectory(dir=folder) as to:
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            cli = [sys.executable, str(ROOT / "cli.py"), "fetch", "71517", "--to", to]
            run = measure([*cli, "--accept-terms", "--base-url", address])
            total = sum(path.stat().st_size for path in Path(to).rglob("*.zip"))
        finally:
            server.kill()
    return Download(total, round(run.seconds, 3), round(run.cpu_seconds, 3), run.peak_bytes)


def _serve(size: int) -> None:
    """Answer every request as AI-Hub does, and print the address first."""
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        path = Path(folder) / "x.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive, archive.open("noise.bin", "w") as member:
            for _ in range(max(1, size // len(_PIECE))):
                member.write(_PIECE)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, path), daemon=True).start()


def _answer(connection: socket.socket, path: Path) -> None:
    with connection, connection.makefile("rwb") as stream:
        try:
            target = stream.readline().split()[1].decode()
            while stream.readline().strip():
                pass
            if target.startswith("/info/"):
                lines = [f"├─TL_{number}.zip | {path.stat().st_size / 2**30:.6f} GB | {number}" for number in _NUMBERS]
                _send(stream, 502, "\n".join(lines))
            elif target.startswith("/mcp/"):
                rows = [{"fileSn": number, "fileSize": path.stat().st_size} for number in _NUMBERS]
                _send(stream, 200, msgspec.json.encode({"data": {"파일 목록": {"fileList": rows}}}).decode())
            elif target.startswith("/down/"):
                stream.write(b"HTTP/1.1 302 Found\r\nLocation: /stream\r\nContent-Length: 0\r\n\r\n")
            else:
                stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for block in _tar(path):
                    stream.write(b"%x\r\n%b\r\n" % (len(block), block))
                stream.write(b"0\r\n\r\n")
            stream.flush()
        except OSError:  # the client has what it wants
            return


def _send(stream: io.BufferedRWPair, status: int, text: str) -> None:
    content = text.encode()
    stream.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(content), content))


def _tar(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        size = path.stat().st_size
        for at in range(0, size, _PART_BYTES):
            info = tarfile.TarInfo(f"{path.name}.part{at}")
            info.size = min(_PART_BYTES, size - at)
            yield info.tobuf()
            for place in range(0, info.size, len(_PIECE)):
                yield file.read(min(len(_PIECE), info.size - place))
            if info.size % tarfile.BLOCKSIZE:
                yield bytes(tarfile.BLOCKSIZE - info.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


if __name__ == "__main__":
    main()
