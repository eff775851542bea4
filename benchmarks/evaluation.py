"""
Speed and memory of an evaluation: `python -m benchmarks.evaluation`.

Asking is measured against a server of nothing but answers, in a process of its own, that takes 50 ms for each; scoring, without
resampling, on three systems and invented rows, in processes of their own for two numbers of rows.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import msgspec
from msgspec import Struct

from benchmarks.lineup import ROOT
from saturi.etl.evaluation.asking import AskPace, Outcome, Question, ask
from saturi.etl.evaluation.metrics import Scorer
from saturi.etl.evaluation.scores import Compared, score_systems, strata_of
from saturi.etl.evaluation.scoring import Answerer, count
from saturi.etl.providers.account import open_account
from saturi.etl.providers.openai_chat import OpenAIChat
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.profiles import find_provider, read_providers
from saturi.etl.runtime.memory import peak_bytes
from saturi.schemas.chat import Message
from saturi.schemas.evaluation import Answer, ChatRequest, TestRow

SYSTEMS = ("copy", "base", "tuned")
_ANSWER_SECONDS = 0.05
_SYLLABLES = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허"


class Asking(Struct, frozen=True):
    """Requests a second with so many in flight, and CPU milliseconds of the asking process for each."""

    in_flight: int
    requests_a_second: float
    cpu_milliseconds: float


class Scoring(Struct, frozen=True):
    """CPU seconds to score `rows` as three systems answer them, without resamples; and the peak memory of the process."""

    rows: int
    cpu_seconds: float
    peak_bytes: int


class Report(Struct, frozen=True):
    """All that was measured."""

    asking: list[Asking]
    scoring: list[Scoring]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or be the server, or the process that scores."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evaluation", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--requests", type=int, default=3_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--json", action="store_true", help="print the numbers for machines")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--score", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.serve:
        asyncio.run(_serve())
    elif given.score is not None:
        print(msgspec.json.encode(_score(given.score)).decode())
    else:
        report = Report(_ask_all(given.in_flight, given.requests), [_scored(rows) for rows in given.rows])
        print(msgspec.json.encode(report).decode() if given.json else _markdown(report))


def _markdown(report: Report) -> str:
    lines = ["| evaluation | measured |", "|---|--:|"]
    for asking in report.asking:
        speed = f"{asking.requests_a_second:,.0f}/s, {asking.cpu_milliseconds:.2f} ms CPU each"
        lines.append(
            f"| requests, {asking.in_flight} in flight, answers after {_ANSWER_SECONDS * 1000:.0f} ms | {speed} |"
        )
    for scoring in report.scoring:
        took = f"{scoring.cpu_seconds:.1f} s CPU, {scoring.peak_bytes / 1e6:.0f} MB"
        lines.append(f"| {scoring.rows:,} rows x {len(SYSTEMS)} systems scored | {took} |")
    return "\n".join(lines)


def _ask_all(in_flight: Sequence[int], requests: int) -> list[Asking]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.evaluation", "--serve"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with server:
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            return [_ask(address, number, requests) for number in in_flight]
        finally:
            server.kill()


def _ask(address: str, in_flight: int, requests: int) -> Asking:
    os.environ.setdefault("OPENAI_API_KEY", "none")
    chat = OpenAIChat(open_account(find_provider("custom", read_providers()), address), Pace())
    chat.complete(_request(-1))
    questions = (Question(str(number).encode(), _request(number)) for number in range(requests))
    outcomes: list[Outcome] = []
    began, cpu = time.monotonic(), time.process_time()
    ask(chat, address, questions, AskPace(in_flight, Pace()), outcomes.append)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    if sum(outcome.answer is not None for outcome in outcomes) != requests:
        sys.exit("not every request was answered")
    return Asking(in_flight, requests / seconds, cpu / requests * 1000)


def _request(number: int) -> ChatRequest:
    messages = (Message("system", "표준어로 바꾸세요."), Message("user", f"하마 밥 묵었나 {number}"))
    return ChatRequest(model="m", messages=messages, max_tokens=100, seed=0)


async def _serve() -> None:
    """Answer every request alike, and print the address first."""
    message = {"role": "assistant", "content": "벌써 밥 먹었니"}
    usage = {"prompt_tokens": 30, "completion_tokens": 8, "total_tokens": 38}
    body = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                [length] = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length))
                await asyncio.sleep(_ANSWER_SECONDS)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


def _scored(rows: int) -> Scoring:
    command = [sys.executable, "-m", "benchmarks.evaluation", "--score", str(rows)]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    return msgspec.json.decode(shown, type=Scoring)


def _score(rows: int) -> Scoring:
    """Score invented rows in this process."""
    scorer = Scorer()
    answers: dict[str, Answerer] = {"copy": _copied, "base": _Altering(0.4, 1), "tuned": _Altering(0.08, 2)}
    began = time.process_time()
    with TemporaryDirectory() as folder, TemporaryFile(dir=folder) as spool:
        counted = count(_rows(rows), rows, answers, scorer, Path(folder), spool)
        strata = strata_of(counted.labels)
        score_systems(counted.statistics, strata, scorer.metrics, Compared("copy", {"tuned": "base"}), resamples=0)
    return Scoring(rows, round(time.process_time() - began, 2), peak_bytes())


def _rows(count_of_rows: int) -> Iterator[TestRow]:
    """Yield rows of nine eojeol, three in ten of them altered."""
    rng, alter = random.Random(0), _Altering(0.3, 3)
    for number in range(count_of_rows):
        reference = " ".join("".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(9))
        asked = TestRow(key=f"{number}", messages=(Message("user", reference),), reference=reference)
        source = alter(asked).text
        region = f"region{number % 5}"
        yield TestRow(key=f"{number}", messages=(Message("user", source),), reference=reference, region=region)


def _copied(row: TestRow) -> Answer:
    return Answer(text=row.source)


class _Altering:
    """Answers with the reference, a *share* of whose eojeol have another syllable in front."""

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._rng = share, random.Random(seed)

    def __call__(self, row: TestRow) -> Answer:
        """Return the answer to *row*."""
        words = row.reference.split()
        rng = self._rng
        return Answer(
            text=" ".join(rng.choice(_SYLLABLES) + word[1:] if rng.random() < self._share else word for word in words)
        )


if __name__ == "__main__":
    main()
