"""
A small synthetic corpus of both generations, with every oddity and defect that holders of the real archives have met.

It never writes among files that are not its own.
"""

import io
import json
import random
import unicodedata
import wave
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import msgspec

from saturi.etl.runtime.progress import Progress, Watcher
from saturi.etl.settings.checks import whole_number
from saturi.etl.settings.paths import path_of
from saturi.etl.synthetic.conversations import CONVERSATIONS, conversation_archives
from saturi.etl.synthetic.documents import F0Pool, label_document
from saturi.etl.synthetic.series import FIRST_DATA_SET, LabelName, Series, series_counts
from saturi.schemas.terms import Region, RejectReason, SpeechType, Split

MARKER = ".saturi-sample"
"""The file that says that a folder holds a sample, and which files are the sample's."""

_MOST_FILES = 20_000  # a sample is made in memory
_MOST_SEED = 2**31 - 1
_FIXED_DATE = (2022, 12, 1, 0, 0, 0)
_FEWEST_FILES = 200  # nine label files are broken; among fewer, they are over the 5 % at which a build complains
_STRAY_MEMBERS = {"__MACOSX/._x.json": b"\0\x05\x16\x07", ".DS_Store": b"\0\0\0\x01Bud1", "readme.txt": b"read me\n"}
_CP949_FOLDER = "충청도 녹음".encode("cp949")

_PARTS = (Split.TRAIN, Region.JEOLLA, SpeechType.REPEAT)
_LOOSE = (Split.TRAIN, Region.JEJU, SpeechType.DIALOGUE)
_CP949 = (Split.TRAIN, Region.CHUNGCHEONG, SpeechType.ANSWER)
_STORED = (Split.VALIDATION, Region.GANGWON, SpeechType.REPEAT)
_STRAYS = (Split.TRAIN, Region.GYEONGSANG, SpeechType.REPEAT)
_WRAPPED = ((Split.TRAIN, Region.JEJU, SpeechType.REPEAT), (Split.VALIDATION, Region.JEOLLA, SpeechType.ANSWER))


class SampleReport(msgspec.Struct, frozen=True):
    """
    Contents of a sample.

    `archives` counts zips, sets of parts and loose folders with label files in them, `broken` the label files that a
    reader should reject, by defect (see `DEFECTS`), `ignored` members of those archives that are no label files.
    """

    folder: Path
    archives: int
    label_files: int
    broken: dict[str, int]
    ignored: int


class Marker(msgspec.Struct, frozen=True):
    """Arguments of a sample, and the path of every file written, relative to the folder."""

    files: int
    seed: int
    paths: list[str]


class Defect(NamedTuple):
    """
    One way in which a label file is not what it should be.

    Args:
        reason: Why a reader should reject it; None if it should be read.
        edit: What becomes of a clean document.
        patch: What becomes of the zip; gets its bytes, and where the member's local and central headers begin.
    """

    reason: RejectReason | None
    edit: Callable[[bytes], bytes] = bytes
    patch: Callable[[bytearray, int, int], None] | None = None


def sample(folder: str | Path, files: int = 400, seed: int = 2022, *, watcher: Watcher | None = None) -> SampleReport:
    """
    Write a corpus of invented text to *folder*, and return what is in it; same arguments, same bytes.

    A sample that is there already is replaced; files beside it stay.

    Args:
        folder: Made if it is not there.
        files: Number of label files, 200 to 20,000, of about 44 KB each.
        seed: Decides names and texts.
        watcher: Called with the progress.

    Raises:
        FileExistsError: The folder holds something, but no sample.
        OptionError: A number is out of its range, or the path is empty.
    """
    whole_number("files", files, _FEWEST_FILES, _MOST_FILES)
    whole_number("seed", seed, 0, _MOST_SEED)
    folder = path_of(folder, "FOLDER")
    _refuse_foreign(folder)
    contents = _corpus(files, seed, watcher)
    _clear(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # The marker comes first: what a killed run leaves behind is known, and the next run replaces it.
    (folder / MARKER).write_bytes(msgspec.json.encode(Marker(files, seed, list(contents))))
    for path, content in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    placed = [name for names in _PLACES.values() for name in names]
    broken = {name: placed.count(name) for name in DEFECTS if DEFECTS[name].reason}
    conversations = conversation_archives(random.Random(seed))
    archives = len(series_counts(files - 1 - CONVERSATIONS)) + 1 + len(conversations)
    return SampleReport(folder, archives, files, broken, len(_STRAY_MEMBERS) + CONVERSATIONS)


def _corpus(files: int, seed: int, watcher: Watcher | None = None) -> dict[str, bytes]:
    """Return every file of the sample, by its path in the folder."""
    rng, f0 = random.Random(seed), _pool()
    contents: dict[str, bytes] = {}
    done = 0
    # One file is kept for the archive whose name, like that of its member, names no series, and some for those of 2020.
    for series, count in series_counts(files - 1 - CONVERSATIONS).items():
        names = [series.name(index, rng) for index in range(count)]
        contents |= _archive(series, {f"{name.stem}.json": label_document(name, f0, rng) for name in names})
        done += count
        if watcher is not None:
            watcher(Progress("invent", done, files))
    stray = LabelName(Region.GYEONGSANG, SpeechType.REPEAT, 1, "collectorgs1", ("speakergs1",), 1, None, 6)
    document = label_document(stray, f0, rng).replace(stray.stem.encode(), b"0007", 1)
    training = PurePosixPath(Series(Split.TRAIN, Region.GYEONGSANG, SpeechType.REPEAT, 1, 1).path).parent
    contents[f"{training}/TL_추가.zip"] = bytes(_zip({"0007.json": document}))
    sounds = {f"{stray.stem}_{index}.wav": _silence() for index in range(3)}
    audio = training.with_name("01.원천데이터") / "TS_02._경상도_01._1인발화_따라말하기.zip"
    contents[str(audio)] = bytes(_zip(sounds))
    return contents | {path: bytes(_zip(members)) for path, members in conversation_archives(rng).items()}


@lru_cache(maxsize=1)
def _pool() -> F0Pool:
    """Return the pitch values of every sample, which are the same for all."""
    return F0Pool(1 << 15)


def _archive(series: Series, documents: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files on disk that hold *documents*, in the form in which this series is delivered."""
    place, path = series[:3], series.path
    defects = dict(zip(list(documents)[1::3], _PLACES.get(place, ()), strict=False))
    for name, defect in defects.items():
        documents[name] = DEFECTS[defect].edit(documents[name])
    if place == _LOOSE:
        parent, _, name = path.removesuffix(".zip").rpartition("/")
        return {f"{parent}/{unicodedata.normalize('NFD', name)}/{member}": text for member, text in documents.items()}
    prefix = _prefix(series)
    members = {prefix + name: text for name, text in documents.items()}
    if place == _STRAYS:
        members |= _STRAY_MEMBERS
    blob = _zip(members, zipfile.ZIP_STORED if place == _STORED else zipfile.ZIP_DEFLATED)
    for name, defect in defects.items():
        patch, raw = DEFECTS[defect].patch, (prefix + name).encode()
        if patch:
            patch(blob, blob.index(raw) - 30, blob.rindex(raw) - 46)  # lengths of the headers before a name
    if place == _CP949:
        blob = blob.replace(b"@" * len(_CP949_FOLDER), _CP949_FOLDER)
    if place == _PARTS:
        cuts = (0, len(blob) * 2 // 7, len(blob) * 3 // 5, len(blob))
        return {f"{path}.part{start}": bytes(blob[start:end]) for start, end in pairwise(cuts)}
    if series.region in FIRST_DATA_SET and series.split is Split.VALIDATION:
        parent, _, name = path.rpartition("/")
        path = f"{parent}/{_as_downloaded(name)}"
    return {path: bytes(blob)}


def _prefix(series: Series) -> str:
    if series.region in FIRST_DATA_SET:
        return "/"
    if series[:3] in _WRAPPED:
        return f"{PurePosixPath(series.path).stem}/"
    # zipfile writes names in UTF-8 and flags them so; this one keeps room for the CP949 bytes that replace it.
    return "@" * len(_CP949_FOLDER) + "/" if series[:3] == _CP949 else ""


def _as_downloaded(name: str) -> str:
    """Return the name of an archive as a browser saves it: `TL_02. 경상도_01. 1인발화 따라말하기.zip`."""
    split, _, rest = name.partition("_")
    region, _, kind = rest.replace("._", ". ").partition("_")
    return f"{split}_{region}_{kind.replace('_', ' ')}"


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, _FIXED_DATE)
            member.compress_type = method
            member.create_system = 3  # Unix, on every system
            archive.writestr(member, content)
    return bytearray(file.getvalue())


def _silence() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(320))
    return file.getvalue()


def _refuse_foreign(folder: Path) -> None:
    if not (folder / MARKER).is_file() and folder.exists() and any(folder.iterdir()):
        msg = f"{folder}: holds files that are no sample; give an empty folder, or one that does not exist"
        raise FileExistsError(msg)


def _clear(folder: Path) -> None:
    """Remove the sample in *folder*, and nothing else."""
    _refuse_foreign(folder)
    marker = folder / MARKER
    if not marker.is_file():
        return
    paths = [PurePosixPath(path) for path in msgspec.json.decode(marker.read_bytes(), type=Marker).paths]
    own = [path for path in paths if not path.is_absolute() and ".." not in path.parts]
    for path in own:
        (folder / path).unlink(missing_ok=True)
    parents = {parent for path in own for parent in path.parents if parent.parts}
    for parent in sorted(parents, key=lambda path: -len(path.parts)):
        with suppress(OSError):  # another file is in there, or it was never made
            (folder / parent).rmdir()
    marker.unlink()


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Return an edit of a document as parsed."""

    def edit(document: bytes) -> bytes:
        label = json.loads(document)
        change(label)
        return json.dumps(label, indent="\t", ensure_ascii=False).encode()

    return edit


def _text(spelling: str, value: str | float | None) -> Callable[[bytes], bytes]:
    """Return an edit that sets one *spelling*, of the whole and of each sentence."""

    def change(label: dict[str, Any]) -> None:
        transcription = label["transcription"]
        for holder in (transcription, *transcription["sentences"]):
            holder[spelling] = value

    return _changed(change)


def _invalid_utf8(document: bytes) -> bytes:
    text = document.rindex(b'"standard": "') + len(b'"standard": "')
    return document[:text] + b"\xff" + document[text + 1 :]


def _wrong_crc(blob: bytearray, local: int, central: int) -> None:
    blob[local + 14] ^= 0xFF
    blob[central + 16] ^= 0xFF


def _damaged_stream(blob: bytearray, local: int, _central: int) -> None:
    name_bytes = int.from_bytes(blob[local + 26 : local + 28], "little")
    blob[local + 30 + name_bytes] |= 0b110  # block type 3, which deflate does not have


def _encrypted(blob: bytearray, local: int, central: int) -> None:
    blob[local + 6] |= 1
    blob[central + 8] |= 1


_AUDIO, _SENTENCES = b'\n\t},\n\t"audio"', b'"sentences"'
DEFECTS = {
    "doubled_comma": Defect(None, lambda text: text.replace(b",\n\t\t" + _SENTENCES, b",," + _SENTENCES)),
    "trailing_comma": Defect(None, lambda text: text.replace(_AUDIO, b"," + _AUDIO)),
    "byte_order_mark": Defect(None, lambda text: b"\xef\xbb\xbf" + text),
    "trailing_nuls": Defect(None, lambda text: text + bytes(16)),
    "empty_pronunciation": Defect(None, _text("pronunciation", "")),
    "blank_texts": Defect(None, lambda text: _text("standard", "\t ")(_text("pronunciation", "  ")(text))),
    "null_standard": Defect(None, _text("standard", None)),
    "truncated": Defect(RejectReason.INVALID_JSON, lambda text: text[: len(text) * 2 // 3]),
    "empty_file": Defect(RejectReason.INVALID_JSON, lambda _: b""),
    "invalid_utf8": Defect(RejectReason.INVALID_UTF8, _invalid_utf8),
    "top_level_array": Defect(RejectReason.WRONG_TOP_LEVEL, lambda text: b"[" + text + b"]"),
    "no_transcription": Defect(RejectReason.MISSING_TRANSCRIPTION, _changed(lambda label: label.pop("transcription"))),
    "number_for_text": Defect(RejectReason.TEXT_NOT_STRING, _text("standard", 5)),
    "wrong_crc": Defect(RejectReason.CRC_MISMATCH, patch=_wrong_crc),
    "damaged_stream": Defect(RejectReason.CORRUPT, patch=_damaged_stream),
    "encrypted": Defect(RejectReason.ENCRYPTED, patch=_encrypted),
}
"""Every defect a sample holds, one label file each."""

_PLACES: dict[tuple[Split, Region, SpeechType], tuple[str, ...]] = {
    (Split.TRAIN, Region.GANGWON, SpeechType.REPEAT): ("doubled_comma", "trailing_comma", "truncated"),
    (Split.TRAIN, Region.GANGWON, SpeechType.ANSWER): ("trailing_nuls", "damaged_stream"),
    (Split.TRAIN, Region.GYEONGSANG, SpeechType.REPEAT): ("byte_order_mark", "wrong_crc"),
    (Split.TRAIN, Region.GYEONGSANG, SpeechType.ANSWER): ("empty_pronunciation", "blank_texts", "null_standard"),
    (Split.TRAIN, Region.CHUNGCHEONG, SpeechType.REPEAT): ("invalid_utf8", "top_level_array"),
    (Split.TRAIN, Region.JEOLLA, SpeechType.REPEAT): ("empty_file", "encrypted"),
    (Split.TRAIN, Region.JEJU, SpeechType.REPEAT): ("no_transcription", "number_for_text"),
}
