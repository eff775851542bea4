"""Every defect that holders of the archives have met, in one archive: rejected with its reason and place, or mended."""

import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from corpora import ANSWER_ZIP, document, stem, zip_bytes
from runs import counts_of, lines_of, manifest_of, one_thread, pairs_of, rejects_of

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.conversations import CONVERSATIONS
from saturi.etl.synthetic.corpus import DEFECTS, SampleReport
from saturi.schemas.terms import Dedup, RejectReason, SpeechType

MAX_MEMBER_BYTES = 3 << 20
LOCAL, CENTRAL = 30, 46  # bytes before the name in the two headers of a member
TEXT = "말"

Patch = Callable[[bytearray, int, int], None]


def _whole(number: int) -> bytes:
    return document(stem("say", str(number), 1), f"{TEXT} {number}", f"뜻 {number}")


def _transcription(**changed: object) -> bytes:
    texts = {"pronunciation": TEXT, "dialect": TEXT, "standard": TEXT, "sentences": []}
    return json.dumps({"transcription": texts | changed}, ensure_ascii=False).encode()


def _xor(local_at: int | None, central_at: int | None, bits: int = 1) -> Patch:
    """Return a patch that flips *bits* of one byte of the local header, of the central one, or of both."""

    def patch(blob: bytearray, local: int, central: int) -> None:
        if local_at is not None:
            blob[local + local_at] ^= bits
        if central_at is not None:
            blob[central + central_at] ^= bits

    return patch


def _add(central_at: int, number: int) -> Patch:
    """Return a patch that adds *number* to a field of four bytes of the central header."""

    def patch(blob: bytearray, _: int, central: int) -> None:
        field = slice(central + central_at, central + central_at + 4)
        blob[field] = (int.from_bytes(blob[field], "little") + number).to_bytes(4, "little")

    return patch


def _in_data(offset: int, bits: int) -> Patch:
    """Return a patch that flips *bits* of one byte of the packed data."""

    def patch(blob: bytearray, local: int, _: int) -> None:
        name_bytes = int.from_bytes(blob[local + 26 : local + 28], "little")
        blob[local + LOCAL + name_bytes + offset] ^= bits

    return patch


class Broken(NamedTuple):
    """A label file, what is done to its zip, why it is rejected, and where: a byte of it, or "member" for its own place."""

    content: bytes
    reason: RejectReason
    position: int | str | None
    patch: Patch | None = None


WHOLE = _whole(1)
JSON, TYPE, TEXT_TYPE = RejectReason.INVALID_JSON, RejectReason.WRONG_TYPE, RejectReason.TEXT_NOT_STRING
BROKEN = {
    "encrypted": Broken(WHOLE, RejectReason.ENCRYPTED, "member", _xor(6, 8)),
    "method": Broken(WHOLE, RejectReason.UNSUPPORTED_METHOD, "member", _xor(8, 10, 4)),
    "too-large": Broken(b" " * (MAX_MEMBER_BYTES + 1), RejectReason.TOO_LARGE, "member"),
    "too-large-as-declared": Broken(WHOLE, RejectReason.TOO_LARGE, "member", _add(24, 1 << 30)),
    "bomb": Broken(b" " * MAX_MEMBER_BYTES, RejectReason.RATIO, "member"),
    "no-local-header": Broken(WHOLE, RejectReason.BAD_HEADER, "member", _xor(0, None)),
    "cut-stream": Broken(WHOLE, RejectReason.TRUNCATED, "member", _add(20, -5)),
    "damaged-stream": Broken(WHOLE, RejectReason.CORRUPT, "member", _in_data(0, 0b110)),
    "longer-than-declared": Broken(WHOLE, RejectReason.SIZE_MISMATCH, "member", _add(24, -1)),
    "shorter-than-declared": Broken(WHOLE, RejectReason.SIZE_MISMATCH, "member", _add(24, 1)),
    "wrong-crc": Broken(WHOLE, RejectReason.CRC_MISMATCH, "member", _xor(14, 16)),
    "invalid-utf8": Broken(WHOLE[:-9] + b"\xff" + WHOLE[-9:], RejectReason.INVALID_UTF8, len(WHOLE) - 9),
    "cp949": Broken(WHOLE.decode().encode("cp949"), RejectReason.INVALID_UTF8, WHOLE.index(TEXT.encode())),
    "utf-16": Broken(WHOLE.decode().encode("utf-16"), RejectReason.INVALID_UTF8, 0),
    "empty": Broken(b"", JSON, None),
    "only-nuls": Broken(bytes(99), JSON, None),
    "only-bom": Broken(b"\xef\xbb\xbf", JSON, None),
    "cut-document": Broken(WHOLE[:-4], JSON, None),
    "no-json": Broken(b"%PDF-1.4", JSON, 0),
    "bad-value": Broken(b'{"transcription": ?}', JSON, 18),
    "bad-value-after-bom": Broken(b'\xef\xbb\xbf{"transcription": ?}', JSON, 21),
    "control-character-in-text": Broken(b'{"transcription": {"standard": "\0"}}', JSON, 32),
    "quote-in-text": Broken(b'{"transcription": {"standard": "a"b"}}', JSON, 34),
    "lone-surrogate": Broken(b'{"transcription": {"standard": "\\ud800"}}', JSON, None),
    "half-a-comma": Broken(b'{"transcription": {"standard": "a" "dialect": "b"}}', JSON, 35),
    "comma-in-front": Broken(b',{"transcription": {}}', JSON, 0),
    "two-documents": Broken(_transcription() * 2, JSON, len(_transcription())),
    "array": Broken(b"[" + WHOLE + b"]", RejectReason.WRONG_TOP_LEVEL, 0),
    "text": Broken(b'"transcription"', RejectReason.WRONG_TOP_LEVEL, 0),
    "null": Broken(b"null", RejectReason.WRONG_TOP_LEVEL, 0),
    "no-transcription": Broken(b'{"fileName": "a"}', RejectReason.MISSING_TRANSCRIPTION, None),
    "null-transcription": Broken(b'{"transcription": null}', RejectReason.MISSING_TRANSCRIPTION, None),
    "null-utterance": Broken(b'{"id": "a", "utterance": null}', RejectReason.MISSING_TRANSCRIPTION, None),
    "number-for-text": Broken(_transcription(standard=5), TEXT_TYPE, None),
    "list-for-text": Broken(_transcription(dialect=[TEXT]), TEXT_TYPE, None),
    "number-for-text-of-a-sentence": Broken(_transcription(sentences=[{"pronunciation": 5}]), TEXT_TYPE, None),
    "text-for-transcription": Broken(b'{"transcription": "a"}', TYPE, None),
    "text-for-sentences": Broken(_transcription(sentences=TEXT), TYPE, None),
    "no-text": Broken(_transcription(pronunciation=None, dialect="", standard=" "), RejectReason.EMPTY_LABEL, None),
    "no-utterance": Broken(b'{"utterance": []}', RejectReason.EMPTY_LABEL, None),
}

LABEL = json.loads(_whole(0))
MENDED = {
    "doubled-comma": WHOLE.replace(b'], "sentences"', b'],, "sentences"'),
    "newline-in-text": WHOLE.replace(b"{", b'{"note": "a\n\tb",', 1),
    "trailing-comma": WHOLE[:-1] + b",\n}",
    "not-a-number": WHOLE.replace(b"{", b'{"endTime": NaN, "startTime": -Infinity,', 1),
    "many-commas": WHOLE.replace(b'"segments": []', b'"segments": [1,,2, ,]').replace(b", ", b",\t,", 1),
}
TOLERATED = {
    "byte-order-mark": b"\xef\xbb\xbf" + WHOLE,
    "nuls-at-the-end": WHOLE + bytes(16),
    "nul-and-newline": WHOLE + b"\0\n",
    "stray-spaces": b" \r\n\t" + WHOLE.replace(b":", b" : ") + b"\n\n",
    "escaped": json.dumps(json.loads(WHOLE)).encode(),
    "numbers-as-text": document(
        stem("say", "1", 1), TEXT, TEXT, script={"scriptId": "1"}, speaker=[{"speakerId": 7.0}]
    ),
    "nulls": document(stem("say", "1", 1), TEXT, TEXT, script=None, speaker=[None], fileName=None),
    "text-for-speakers": document(stem("say", "1", 1), TEXT, TEXT, speaker=TEXT),
    "object-for-speakers": document(stem("say", "1", 1), TEXT, TEXT, speaker={"speakerId": "a"}),
    "list-for-script": document(stem("say", "1", 1), TEXT, TEXT, script=[{"scriptId": 1}]),
    "unknown-keys": document(
        stem("say", "1", 1), TEXT, TEXT, categoryName={"a": [1]}, filename=None, audio={"records": [None]}
    ),
    "only-a-transcription": _transcription(),
    "null-sentences": _transcription(sentences=None),
    "invalid-utf8-that-is-not-read": b'{"note": "\xff",' + WHOLE[1:],
    "broken-pitch": _transcription(
        sentences=[{"intonations": [1, None, "a"], "standard": TEXT, "pronunciation": TEXT}]
    ),
}


def _build(corpus: Path, out: Path) -> None:
    options = BuildOptions(
        max_member_bytes=MAX_MEMBER_BYTES, max_rejects=1, max_unknown=1, validation=0, dedup=Dedup.NONE
    )
    build([corpus], out, options, make_executor=one_thread)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of an archive with a label file for each defect, broken and not, between whole ones."""
    folder = tmp_path_factory.mktemp("defects")
    contents = {name: broken.content for name, broken in BROKEN.items()} | MENDED | TOLERATED
    members = [(f"say_{name}.json", content) for name, content in contents.items()]
    blob = bytearray(zip_bytes([("first.json", _whole(1)), *members, ("last.json", _whole(2))]))
    for name, broken in BROKEN.items():
        raw = f"say_{name}.json".encode()
        if broken.patch:
            broken.patch(blob, blob.index(raw) - LOCAL, blob.rindex(raw) - CENTRAL)
    (folder / "corpus").mkdir()
    (folder / "corpus" / ANSWER_ZIP).write_bytes(blob)
    _build(folder / "corpus", folder / "out")
    return folder / "out"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_label_file_is_rejected(built: Path, name: str) -> None:
    """A label file that cannot be read is in rejects.jsonl with its archive, its path, why, and where."""
    broken = BROKEN[name]
    [row] = [row for row in rejects_of(built) if row["member"] == f"say_{name}.json"]
    content = (built.parent / "corpus" / ANSWER_ZIP).read_bytes()
    place = content.index(f"say_{name}.json".encode()) - LOCAL if broken.position == "member" else broken.position
    assert row.pop("detail")
    assert row == {"archive": ANSWER_ZIP, "member": f"say_{name}.json", "reason": broken.reason, "position": place}


def test_nothing_else_is_rejected(built: Path) -> None:
    """What can be read or mended is decoded, and only mended commas and strings count as repairs."""
    assert {row["member"] for row in rejects_of(built)} == {f"say_{name}.json" for name in BROKEN}
    counts = counts_of(built)
    assert counts["rejected"] == Counter(broken.reason for broken in BROKEN.values())
    assert counts["repaired"] == len(MENDED)
    assert counts["oddities"] == {"odd_field": 3, "sentences_only": 0, "whole_only": 2}
    assert counts["decoded"] == counts["examples"] == len(MENDED) + len(TOLERATED) + 2
    assert sum(TEXT in source for source, _ in pairs_of(built)) == counts["examples"]


def test_every_reason_is_met(built: Path) -> None:
    """The table has every reason of the closed list but those of overlaps, loose files and killed workers."""
    elsewhere = {RejectReason.OVERLAP, RejectReason.UNREADABLE, RejectReason.WORKER_KILLED}
    assert set(counts_of(built)["rejected"]) == set(RejectReason) - elsewhere


def test_overlapping_members(tmp_path: Path) -> None:
    """Members that share bytes are rejected, all of them, and those beside them are not."""
    blob = bytearray(zip_bytes([(f"say_{number}.json", _whole(number)) for number in range(5)], zipfile.ZIP_STORED))
    central = blob.rindex(b"say_3.json") - CENTRAL
    blob[central + 42 : central + 46] = (blob.index(b"say_1.json") - LOCAL).to_bytes(4, "little")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / ANSWER_ZIP).write_bytes(blob)
    _build(tmp_path / "corpus", tmp_path / "out")
    rejects = {(row["member"], row["reason"]) for row in rejects_of(tmp_path / "out")}
    assert rejects == {("say_1.json", "overlap"), ("say_3.json", "overlap")}
    assert len(lines_of(tmp_path / "out")) == 3


def test_loose_files(tmp_path: Path) -> None:
    """A loose file that is too large, empty, or fails to be read is rejected by name, and the rest is not."""
    folder = tmp_path / "corpus" / ANSWER_ZIP.removesuffix(".zip")
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"say_{number}.json").write_bytes(_whole(number))
    (folder / "empty.json").touch()
    (folder / "huge.json").write_bytes(b" " * (MAX_MEMBER_BYTES + 1))
    expected = {"empty.json": "invalid_json", "huge.json": "too_large"}
    if Path("/proc/self/mem").exists():
        (folder / "unreadable.json").symlink_to("/proc/self/mem")  # opens, and fails at the first byte, for root too
        expected["unreadable.json"] = "unreadable"
    _build(tmp_path / "corpus", tmp_path / "out")
    assert {row["member"]: row["reason"] for row in rejects_of(tmp_path / "out")} == expected
    assert len(lines_of(tmp_path / "out")) == 3


def test_names_of_members(tmp_path: Path) -> None:
    """Names with a slash in front, dots, capitals, or twice the same are label files; debris is none; nothing is unpacked."""
    good = ["/a.json", "../../b.json", "C:\\c.json", "d/e.json", "F.JSON", "twice.json", "한글.json", "__MACOSX.json"]
    debris = ["__MACOSX/._a.json", "folder/._b.json", ".DS_Store", "readme.txt", "a.json.txt", "folder/", "sound.wav"]
    with pytest.warns(UserWarning, match="Duplicate name"):
        blob = zip_bytes([(name, _whole(i)) for i, name in enumerate([*good, "twice.json", *debris])])
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / ANSWER_ZIP).write_bytes(blob)
    before = sorted(path.name for path in tmp_path.iterdir())
    _build(tmp_path / "corpus", tmp_path / "out")
    counts = counts_of(tmp_path / "out")
    assert (counts["label_files"], counts["examples"], counts["ignored"]) == (9, 9, 7)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*before, "out"]


def test_a_name_in_cp949(tmp_path: Path) -> None:
    """A name without the flag for UTF-8 is read as UTF-8 where that fits, else as CP949, and else shown with escapes."""
    names = {"한글".encode(): "한글", "경상도".encode("cp949"): "경상도", b"\xff\xfe\x80": "\\xff\\xfe\\x80"}
    blob = zip_bytes([(f"{'@' * len(raw)}{number}.json", b"{}") for number, raw in enumerate(names)])
    for number, raw in enumerate(names):
        blob = blob.replace(b"@" * len(raw) + b"%d.json" % number, raw + b"%d.json" % number)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / ANSWER_ZIP).write_bytes(blob)
    _build(tmp_path / "corpus", tmp_path / "out")
    assert [row["member"] for row in rejects_of(tmp_path / "out")] == [
        f"{name}{i}.json" for i, name in enumerate(names.values())
    ]


def test_the_defects_of_the_sample(sample: SampleReport, tmp_path: Path) -> None:
    """A build of the sample rejects what its table of defects says, mends three files, and finds texts blank."""
    options = BuildOptions(validation=0, dedup=Dedup.NONE, speech_type=tuple(SpeechType))
    build([sample.folder], tmp_path / "out", options, make_executor=one_thread)
    expected = Counter[str]()
    for name, number in sample.broken.items():
        reason = DEFECTS[name].reason
        assert reason is not None
        expected[reason] += number
    counts = counts_of(tmp_path / "out")
    assert counts["rejected"] == expected
    assert counts["repaired"] == sum(name.endswith("_comma") for name in DEFECTS) + 1  # and raw line ends of 2020
    assert counts["dropped"].items() >= {"empty_source": 2 + CONVERSATIONS, "empty_target": 1 + CONVERSATIONS}.items()
    assert counts["dropped"].keys() == {"empty_source", "empty_target", "personal_data", "unclear"}
    assert sum(row["ignored"] for row in manifest_of(tmp_path / "out")["corpus"]) == sample.ignored
    assert (counts["label_files"], len(manifest_of(tmp_path / "out")["corpus"])) == (
        sample.label_files,
        sample.archives,
    )
    assert counts["ignored_archives"] == 1
