"""Where rows come from: a split of a finished build, or any chat file. Each is read as often as it is needed, and never held."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import structs

from saturi.etl.errors import BuildError, InputError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import BOM, read_blocks, whole_lines
from saturi.schemas.chat import Example, Message
from saturi.schemas.evaluation import TestRow
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.terms import Split

_EVERY = "all"
"""What a shard is called that is not apart by region, or by speech type."""

_FEWEST_MESSAGES = 2


class Rows(Protocol):
    """The rows of a test set, before any is chosen."""

    split: str | None
    """Name of the split, or None for a file."""

    manifest_sha256: str | None
    """Of the build."""

    file_sha256: str | None
    """Of the file."""

    def read(self) -> Iterator[TestRow]:
        """
        Yield every row, always in the same order.

        Raises:
            InputError: A file cannot be read, or is not what it should be.
        """

    def train_texts(self) -> Iterator[str] | None:
        """Yield every text of the train split that the rows are held against; None where there is no such split."""

    def locate(self, rows: Sequence[TestRow]) -> list[TestRow]:
        """Return *rows* with where they came from, as far as that is known."""


class BuildRows:
    """
    The rows of a split of *build*.

    Args:
        build: The build.
        split: `validation`, or `train` to see what a model has learnt by heart.
    """

    file_sha256: str | None = None

    def __init__(self, build: FinishedBuild, split: Split) -> None:
        self._build = build
        self.split: str | None = split.value
        self.manifest_sha256: str | None = build.manifest_sha256
        self._archives = {row.archive: row for row in build.manifest.corpus}

    def read(self) -> Iterator[TestRow]:
        """Yield every row, in the order of the chunks."""
        for chunk in self._build.manifest.chunks:
            if chunk.split != self.split:
                continue
            for line, example in enumerate(_examples(self._build, chunk), 1):
                yield TestRow(
                    key=f"{chunk.path}:{line}",
                    messages=example.messages[:-1],
                    reference=example.messages[-1].content,
                    region=chunk.region,
                    speech_type=chunk.speech_type,
                )

    def train_texts(self) -> Iterator[str] | None:
        """Yield every text of train; None for rows of train itself."""
        return train_texts(self._build) if self.split != Split.TRAIN else None

    def locate(self, rows: Sequence[TestRow]) -> list[TestRow]:
        """Return *rows* with archive, member and sentence; region and speech type of the archive where shards have none."""
        lines = [_line_of(row.key) for row in rows]
        origins = self._build.origins(lines)
        located = []
        for row, line in zip(rows, lines, strict=True):
            origin = origins.get(line)
            if origin is None:
                located.append(row)
                continue
            archive = self._archives.get(origin.archive)
            place = {"archive": origin.archive, "member": origin.member, "sentence": origin.sentence}
            for name in ("region", "speech_type"):
                if getattr(row, name) == _EVERY and archive is not None:
                    place[name] = getattr(archive, name) or _EVERY
            located.append(structs.replace(row, **place))
        return located


class FileRows:
    """
    The rows of the chat file at *path*: each line a conversation that ends with what should come.

    Args:
        path: The file.
        build: Whose train split the rows are held against; None for none.

    Raises:
        InputError: It cannot be read.
    """

    split: str | None = None
    manifest_sha256: str | None = None

    def __init__(self, path: Path, build: FinishedBuild | None) -> None:
        self._path, self._build = path, build
        digest = hashlib.sha256()
        for block in read_blocks(path):
            digest.update(block)
        self.file_sha256: str | None = digest.hexdigest()

    def read(self) -> Iterator[TestRow]:
        """Yield every row, in the order of the lines."""
        numbers = count(1)
        for block in whole_lines(read_blocks(self._path)):
            for line in block.content.split(b"\n"):
                number = next(numbers)
                content = line.removeprefix(BOM) if number == 1 else line
                messages = () if block.too_long else self._messages(content, number)
                if not _is_asked_and_answered(messages):
                    raise self._refusal(number, "no question of a user's with an answer after it")
                key = f"{self._path.name}:{number}"
                yield TestRow(key=key, messages=messages[:-1], reference=messages[-1].content)

    def train_texts(self) -> Iterator[str] | None:
        """Yield every text of the build's train split, if there is a build."""
        return None if self._build is None else train_texts(self._build)

    def locate(self, rows: Sequence[TestRow]) -> list[TestRow]:
        """Return *rows* as they are."""
        return list(rows)

    def _messages(self, line: bytes, number: int) -> tuple[Message, ...]:
        try:
            return msgspec.json.decode(line, type=Example).messages
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._refusal(number, f"no chat of texts ({error})") from error

    def _refusal(self, number: int, problem: str) -> InputError:
        return InputError(f"{self._path}, line {number}", problem, f"see `saturi check {self._path}`, and correct it")


def train_texts(build: FinishedBuild) -> Iterator[str]:
    """
    Yield source and target of every example of train.

    Raises:
        BuildError: A chunk is not as the manifest says.
    """
    for chunk in build.manifest.chunks:
        if chunk.split == Split.TRAIN:
            for example in _examples(build, chunk):
                yield from (message.content for message in example.messages[-_FEWEST_MESSAGES:])


_DECODE = msgspec.json.Decoder(Example).decode_lines


def _examples(build: FinishedBuild, chunk: ChunkRow) -> Iterator[Example]:
    """Yield the examples of *chunk*."""
    for block in whole_lines(build.read_chunk(chunk)):
        try:
            yield from _DECODE(block.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            where = str(build.folder / chunk.path)
            raise BuildError(where, f"damaged ({error})", "run `saturi verify`, and build again") from error


def _is_asked_and_answered(messages: Sequence[Message]) -> bool:
    return [message.role for message in messages[-_FEWEST_MESSAGES:]] == ["user", "assistant"]


def _line_of(key: str) -> tuple[str, int]:
    chunk, _, line = key.rpartition(":")
    return chunk, int(line)
