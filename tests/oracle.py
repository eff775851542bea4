"""
The naive recipe as an oracle: unpack everything with `zipfile`, `json.load` each file, write a line for each pair.

Nothing of our own code is used, and nothing is mended: what the naive recipe cannot read is told by name.
"""

import io
import itertools
import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SYSTEM_PROMPT = "다음은 한국어를 소리 나는 대로 적은 것입니다. 만약 이것이 방언이라면 표준어로 바꾸세요."
_UTF8 = 0x800

Key = tuple[str, str]
"""The name of an archive in the corpus, and the path of a label file in it."""


class NaiveLines(NamedTuple):
    """A line for every pair of the label files that can be read, and the error for each of the others."""

    lines: list[tuple[Key, bytes]]
    unread: dict[Key, str]


def line_of(source: str, target: str) -> bytes:
    """Return the chat line for a pair."""
    contents = {"system": SYSTEM_PROMPT, "user": source, "assistant": target}
    messages = [{"role": role, "content": content} for role, content in contents.items()]
    return json.dumps({"messages": messages}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def archives_in(corpus: Path) -> Iterator[tuple[str, zipfile.ZipFile]]:
    """Yield the label archives below *corpus* by their paths in it, parts joined in the order of their offsets."""
    blobs = {path: path.read_bytes() for path in corpus.rglob("*.zip")}
    parts: dict[Path, dict[int, bytes]] = {}
    for path in corpus.rglob("*.zip.part*"):
        parts.setdefault(path.with_suffix(""), {})[int(path.suffix.removeprefix(".part"))] = path.read_bytes()
    blobs |= {path: b"".join(by_offset[offset] for offset in sorted(by_offset)) for path, by_offset in parts.items()}
    for path in sorted(blobs):
        if "원천데이터" not in str(path):
            yield _name(path, corpus), zipfile.ZipFile(io.BytesIO(blobs[path]))


def label_files(corpus: Path) -> Iterator[tuple[Key, bytes | Exception]]:
    """Yield every label file below *corpus*, packed or loose, with its bytes or the reason why it cannot be unpacked."""
    for name, archive in archives_in(corpus):
        for member in archive.infolist():
            if member.filename.endswith(".json") and not member.filename.startswith("__MACOSX/"):
                yield (name, _member_name(member)), _unpack(archive, member)
    for path in sorted(corpus.rglob("*.json")):
        yield (_name(path.parent, corpus), path.name), path.read_bytes()


def read_label(content: bytes | Exception) -> dict[str, Any]:
    """Return the transcription of a label file of 2022, as the naive recipe reads it; it knows no other generation."""
    if isinstance(content, Exception):
        raise content
    label: dict[str, Any] = json.load(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
    transcription: dict[str, Any] = label["transcription"]
    return transcription


def pairs_in(transcription: dict[str, Any], unit: str, source: str) -> list[tuple[int | None, str, str]]:
    """Return (number of the sentence, source, target) for each pair that is not blank."""
    units = [(None, transcription)] if unit == "file" else list(enumerate(transcription["sentences"], 1))
    pairs = [(number, one[source] or "", one["standard"] or "") for number, one in units]
    return [(number, spoken, meant) for number, spoken, meant in pairs if spoken.strip() and meant.strip()]


def pairs_of_label(label: dict[str, Any], unit: str, source: str) -> list[tuple[int | None, str, str]]:
    """Return `pairs_in` a label file of either generation; of 2020, sentences are utterances, and files are turns."""
    if "utterance" not in label:
        return pairs_in(label["transcription"], unit, source)
    return [
        (turn[0][0], " ".join(one[1] for one in turn), " ".join(one[2] for one in turn))
        for turn in _turns(label, unit)
        if all(one[1].strip() and one[2].strip() for one in turn)
    ]


def utterances_in(label: dict[str, Any], unit: str) -> int:
    """Return how many utterances a label file of either generation has, blank ones and all."""
    if "utterance" in label:
        return len(_turns(label, unit))
    return 1 if unit == "file" else len(label["transcription"]["sentences"])


def _turns(label: dict[str, Any], unit: str) -> list[list[tuple[int, str, str, str]]]:
    """Return (number, dialect, standard, speaker) of the utterances of a label file of 2020, those of one unit together."""
    spoken = [
        (number, one.get("dialect_form") or "", one["standard_form"] or "", one["speaker_id"] or f"nobody {number}")
        for number, one in enumerate(label["utterance"], 1)
    ]
    if unit == "sentence":
        return [[one] for one in spoken]
    return [list(turn) for _, turn in itertools.groupby(spoken, key=lambda one: one[3])]


def naive_lines(corpus: Path, unit: str = "file", source: str = "pronunciation") -> NaiveLines:
    """Return what the naive recipe makes of *corpus*."""
    lines: list[tuple[Key, bytes]] = []
    unread: dict[Key, str] = {}
    for key, content in label_files(corpus):
        try:
            pairs = pairs_in(read_label(content), unit, source)
        except (RuntimeError, zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
            unread[key] = type(error).__name__
            continue
        lines += [(key, line_of(spoken, meant)) for _, spoken, meant in pairs]
    return NaiveLines(lines, unread)


def mended(content: bytes) -> bytes:
    """Return a label file without byte order mark, NULs at the end, and commas that separate nothing."""
    return re.sub(rb",(?=\s*[,}\]])", b"", content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0"))


def _name(path: Path, corpus: Path) -> str:
    return unicodedata.normalize("NFC", path.relative_to(corpus).as_posix())


def _member_name(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _UTF8:
        return member.filename
    raw = member.filename.encode("cp437")  # what zipfile takes every name for that is not flagged as UTF-8
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp949")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | Exception:
    try:
        return archive.read(member)
    except (RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        return error
