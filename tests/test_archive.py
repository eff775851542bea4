"""The members of archives: each way in which one is refused, its neighbours still read, and their batches."""

import io
import os
import struct
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.corpus.archive import Defect, Member, inflate, read_members
from saturi.etl.corpus.batches import BATCH_BYTES, BATCH_ENTRIES, Batch
from saturi.etl.corpus.discover import Archive, Form
from saturi.etl.corpus.mapped import MappedFile
from saturi.etl.corpus.names import Hints
from saturi.etl.corpus.scan import Scan, scan
from saturi.etl.errors import ArchiveError, EtlError, InputError
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import RejectReason

_MIB = 1 << 20
_LIMIT = BuildOptions().max_member_bytes
_FIRST, _MIDDLE, _LAST = "a.json", "b.json", "다.json"
_CONTENTS = {
    _FIRST: b'{"first": "' + b"x y z " * 40 + b'"}',
    _MIDDLE: '{"가운데": 2}'.encode() * 30,
    _LAST: b'{"last": [' + b"1.5,\n" * 90 + b"3]}",
}
_LOCAL = {"signature": (0, "<L"), "name_length": (26, "<H"), "extra_length": (28, "<H")}
_CENTRAL = {
    "flags": (8, "<H"),
    "method": (10, "<H"),
    "crc32": (16, "<L"),
    "packed": (20, "<L"),
    "size": (24, "<L"),
    "offset": (42, "<L"),
}


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


class _Patched:
    """A zip whose headers can be given values they should not have."""

    def __init__(self, content: bytes) -> None:
        self.bytes = bytearray(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.infos = {info.filename: info for info in archive.infolist()}
            at = archive.start_dir
        self.central = {}
        for name in self.infos:
            self.central[name] = at
            at += 46 + sum(struct.unpack_from("<HHH", content, at + 28))

    def set_local(self, name: str, **fields: int) -> "_Patched":
        for field, value in fields.items():
            place, form = _LOCAL[field]
            struct.pack_into(form, self.bytes, self.infos[name].header_offset + place, value)
        return self

    def set_central(self, name: str, **fields: int) -> "_Patched":
        for field, value in fields.items():
            place, form = _CENTRAL[field]
            struct.pack_into(form, self.bytes, self.central[name] + place, value)
        return self

    def with_extra(self, name: str, extra: bytes) -> bytes:
        """The zip with *extra* behind the name of a member in the directory."""
        at = self.central[name]
        [length] = struct.unpack_from("<H", self.bytes, at + 28)
        struct.pack_into("<H", self.bytes, at + 30, len(extra))
        end = len(self.bytes) - 22
        [size] = struct.unpack_from("<L", self.bytes, end + 12)
        struct.pack_into("<L", self.bytes, end + 12, size + len(extra))
        return bytes(self.bytes[: at + 46 + length] + extra + self.bytes[at + 46 + length :])

    def data_of(self, name: str) -> int:
        """Where the data of a member begins."""
        at = self.infos[name].header_offset
        return at + 30 + int(sum(struct.unpack_from("<HH", self.bytes, at + 26)))


def _scan(path: Path | list[Path], options: BuildOptions | None = None) -> Scan:
    paths = path if isinstance(path, list) else [path]
    form = Form.PARTS if len(paths) > 1 else Form.FOLDER if paths[0].is_dir() else Form.ZIP
    archive = Archive(name="x", form=form, paths=tuple(map(str, paths)), hints=Hints())
    return scan(archive, scan_rules(options or BuildOptions()))


def _members(path: Path | list[Path], options: BuildOptions | None = None) -> list[Member | None]:
    return [member for batch in _scan(path, options).batches for member in read_members(batch)]


def _contents(path: Path | list[Path], options: BuildOptions | None = None) -> dict[str, bytes | RejectReason]:
    """The bytes of every label file, or the reason why there are none."""
    members = [member for member in _members(path, options) if member is not None]
    return {
        member.path: member.content.reason if isinstance(member.content, Defect) else member.content
        for member in members
    }


def _write(folder: Path, content: bytes | bytearray) -> Path:
    path = folder / "x.zip"
    path.write_bytes(content)
    return path


def _streamed() -> bytes:
    """A zip written to a pipe: sizes and checksums stand behind the data of each member, and not before."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    buffer = Pipe()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _CONTENTS.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _with_extras() -> bytes:
    """A zip whose local headers hold fields that its directory does not know of."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _CONTENTS.items():
            info = zipfile.ZipInfo(name)
            info.extra = struct.pack("<HH", 0x7075, 60_000) + b"e" * 60_000
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
            info.extra = b""
    return buffer.getvalue()


def _wide(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A zip with ZIP64 fields for every size and offset."""
    buffer = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 0)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in _CONTENTS.items():
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_zip(_CONTENTS), id="deflated"),
        pytest.param(_zip(_CONTENTS, zipfile.ZIP_STORED), id="stored"),
        pytest.param(_zip(_CONTENTS, comment=b"c" * 65_535), id="comment"),
        pytest.param(b"junk" * 50_000 + _zip(_CONTENTS), id="something-in-front"),
        pytest.param(_streamed(), id="streamed"),
        pytest.param(_with_extras(), id="long-local-headers"),
    ],
)
def test_members_are_read(tmp_path: Path, content: bytes) -> None:
    """Every usual way to write a zip gives the bytes that went in."""
    assert _contents(_write(tmp_path, content)) == _CONTENTS


def test_zip64_members_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members with wide sizes and offsets give the bytes that went in, also behind other data."""
    wide = _wide(monkeypatch)
    assert _contents(_write(tmp_path, wide)) == _CONTENTS
    assert _contents(_write(tmp_path, b"junk" + wide)) == _CONTENTS


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, _MIB, _MIB + 1])
@pytest.mark.parametrize("method", [pytest.param(0, id="stored"), pytest.param(8, id="deflated")])
def test_sizes_do_not_matter(tmp_path: Path, size: int, method: int) -> None:
    """A member of any size comes out as it went in."""
    content = bytes(n * n % 251 for n in range(251)) * (size // 251 + 1)
    members = {"a.json": content[:size], "b.json": b"{}"}
    assert _contents(_write(tmp_path, _zip(members, method)), BuildOptions(max_ratio=2000)) == members


@given(st.binary(max_size=300), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
@examples(100)
def test_any_bytes_come_out_as_they_went_in(content: bytes, method: int) -> None:
    """What a member holds makes no difference to how it is read."""
    with tempfile.TemporaryDirectory() as folder:
        assert _contents(_write(Path(folder), _zip({"a.json": content}, method))) == {"a.json": content}


def test_bytes_that_somebody_holds_outlive_the_archive(tmp_path: Path) -> None:
    """An archive is closed although its bytes are held elsewhere, as by a profiler that holds the frames of a worker."""
    path = tmp_path / "a.zip"
    path.write_bytes(b"x" * 100)
    with MappedFile([str(path)]) as file:
        file.window(0, 100)
        held = file.slice(10, 20)
    assert bytes(held) == b"x" * 10


def test_members_tell_what_they_are(tmp_path: Path) -> None:
    """A label file comes with its number in the archive, its size and its CRC-32; other entries come as None."""
    members = _members(_write(tmp_path, _zip({"note.txt": b"x", **_CONTENTS, "__MACOSX/._a.json": b"x", "sub/": b""})))
    assert [members[0], *members[4:]] == [None, None, None]
    for number, (name, content) in enumerate(_CONTENTS.items(), 1):
        assert members[number] == Member(number, name, len(content), zlib.crc32(content), content)


# Each damages the member in the middle, or the last one, of three.
_PACKED = zlib.compress(_CONTENTS[_MIDDLE], wbits=-15)
_DAMAGE: list[tuple[str, str, RejectReason, dict[str, int], dict[str, int]]] = [
    ("encrypted", _MIDDLE, RejectReason.ENCRYPTED, {"flags": 0x1}, {}),
    ("strongly-encrypted", _MIDDLE, RejectReason.ENCRYPTED, {"flags": 0x41}, {}),
    ("bzip2", _MIDDLE, RejectReason.UNSUPPORTED_METHOD, {"method": 12}, {}),
    ("deflate64", _MIDDLE, RejectReason.UNSUPPORTED_METHOD, {"method": 9}, {}),
    ("declares-too-much", _MIDDLE, RejectReason.TOO_LARGE, {"size": _LIMIT + 1}, {}),
    ("declares-absurdly-much", _MIDDLE, RejectReason.TOO_LARGE, {"size": 0xFFFFFFFE}, {}),
    ("declares-a-bomb", _MIDDLE, RejectReason.RATIO, {"size": _LIMIT}, {}),
    ("bad-signature", _MIDDLE, RejectReason.BAD_HEADER, {}, {"signature": 0x02014B50}),
    ("offset-of-nothing", _LAST, RejectReason.BAD_HEADER, {"offset": -1}, {}),
    ("offset-in-the-directory", _LAST, RejectReason.TRUNCATED, {"offset": -2}, {}),
    ("offset-past-the-end", _LAST, RejectReason.TRUNCATED, {"offset": 0xFFFFFFF0}, {}),
    ("data-past-the-end", _LAST, RejectReason.TRUNCATED, {"packed": 5_000_000}, {}),
    ("header-past-the-end", _LAST, RejectReason.TRUNCATED, {}, {"extra_length": 0xFFFF}),
    ("one-packed-byte-less", _MIDDLE, RejectReason.TRUNCATED, {"packed": len(_PACKED) - 1}, {}),
    ("no-packed-byte", _MIDDLE, RejectReason.TRUNCATED, {"packed": 0}, {}),
    ("one-byte-more-declared", _MIDDLE, RejectReason.SIZE_MISMATCH, {"size": len(_CONTENTS[_MIDDLE]) + 1}, {}),
    ("one-byte-less-declared", _MIDDLE, RejectReason.SIZE_MISMATCH, {"size": len(_CONTENTS[_MIDDLE]) - 1}, {}),
    ("nothing-declared", _MIDDLE, RejectReason.SIZE_MISMATCH, {"size": 0}, {}),
    ("stored-and-not-deflated", _MIDDLE, RejectReason.SIZE_MISMATCH, {"method": 0}, {}),
    ("wrong-checksum", _MIDDLE, RejectReason.CRC_MISMATCH, {"crc32": 0}, {}),
    ("data-past-the-end-in-the-middle", _MIDDLE, RejectReason.TRUNCATED, {"packed": 5_000_000}, {}),
    ("same-place-as-the-first", _LAST, RejectReason.OVERLAP, {"offset": 0, "packed": 5}, {}),
]


@pytest.mark.parametrize(("name", "reason", "central", "local"), [pytest.param(*row[1:], id=row[0]) for row in _DAMAGE])
@pytest.mark.parametrize("junk", [pytest.param(b"", id="plain"), pytest.param(b"junk" * 2_000, id="shifted")])
def test_each_damage_has_its_reason(
    tmp_path: Path, name: str, reason: RejectReason, central: dict[str, int], local: dict[str, int], junk: bytes
) -> None:
    """A damaged member is refused for what is wrong with it, and those beside it are read."""
    patched = _Patched(_zip(_CONTENTS))
    if central.get("offset") == -1:
        central = {"offset": patched.infos[name].header_offset + 2}
    if central.get("offset") == -2:
        central = {"offset": patched.central[name]}
    patched.set_central(name, **central).set_local(name, **local)
    expected: dict[str, bytes | RejectReason] = {**_CONTENTS, name: reason}
    if reason is RejectReason.OVERLAP:
        expected[_FIRST] = reason  # which of the two has a right to the bytes cannot be told
    path = _write(tmp_path, junk + patched.bytes)
    assert _contents(path) == expected
    for member in _members(path):
        assert member is not None
        if isinstance(member.content, Defect) and member.path == name:
            offset = central.get("offset", patched.infos[name].header_offset)
            assert member.content.position == offset + len(junk)


def test_corrupt_streams_are_refused(tmp_path: Path) -> None:
    """Deflated data that cannot be is corrupt, and the members beside it are read."""
    patched = _Patched(_zip(_CONTENTS))
    patched.bytes[patched.data_of(_MIDDLE)] = 0xFF  # a block of the type that is reserved
    assert _contents(_write(tmp_path, patched.bytes)) == {**_CONTENTS, _MIDDLE: RejectReason.CORRUPT}


@pytest.mark.parametrize(
    ("packed", "size", "reason"),
    [
        pytest.param(b"\x07", 10, RejectReason.CORRUPT, id="reserved-block-type"),
        pytest.param(b"\x01\x01\x00\xfe\xfe", 1, RejectReason.CORRUPT, id="stored-block-with-a-wrong-length"),
        pytest.param(b"", 0, RejectReason.TRUNCATED, id="nothing"),
        pytest.param(_PACKED[:-1], len(_CONTENTS[_MIDDLE]), RejectReason.TRUNCATED, id="one-byte-short"),
        pytest.param(_PACKED[:1], len(_CONTENTS[_MIDDLE]), RejectReason.TRUNCATED, id="one-byte"),
        pytest.param(_PACKED, 0, RejectReason.SIZE_MISMATCH, id="nothing-declared"),
        pytest.param(_PACKED, len(_CONTENTS[_MIDDLE]) - 1, RejectReason.SIZE_MISMATCH, id="one-byte-over"),
    ],
)
def test_inflating_names_what_is_wrong(packed: bytes, size: int, reason: RejectReason) -> None:
    """Inflating gives never more than was declared, and tells damage from a cut."""
    outcome = inflate(packed, size, 77)
    assert isinstance(outcome, Defect)
    assert (outcome.reason, outcome.position) == (reason, 77)


@given(st.binary(max_size=200), st.integers(0, 1_000))
@examples(200)
def test_inflating_any_bytes_never_crashes(packed: bytes, size: int) -> None:
    """Whatever is inflated gives no more bytes than declared, or a defect."""
    outcome = inflate(packed, size, 0)
    assert isinstance(outcome, Defect) or len(outcome) <= size


@pytest.mark.parametrize(
    ("size", "allowed"),
    [
        pytest.param(_MIB, True, id="exactly-one-mebibyte"),
        pytest.param(_MIB + 1, False, id="one-byte-over"),
        pytest.param(_LIMIT, False, id="as-much-as-allowed"),
    ],
)
def test_bombs_are_refused_above_one_mebibyte(tmp_path: Path, size: int, allowed: bool) -> None:
    """A member that inflates a thousandfold is refused if it is over 1 MiB, and read if it is not."""
    path = _write(tmp_path, _zip({"big.json": b" " * size, **_CONTENTS}))
    expected: bytes | RejectReason = b" " * size if allowed else RejectReason.RATIO
    assert _contents(path) == {"big.json": expected, **_CONTENTS}


def test_the_ratio_is_exact(tmp_path: Path) -> None:
    """A member is refused only if it is more than `max_ratio` times as large as it is packed."""
    size = 2 * _MIB
    path = _write(tmp_path, _zip({"a.json": b" " * size}))
    packed = zipfile.ZipFile(path).infolist()[0].compress_size
    assert _contents(path, BuildOptions(max_ratio=size / packed)) == {"a.json": b" " * size}
    assert _contents(path, BuildOptions(max_ratio=size / packed - 0.01)) == {"a.json": RejectReason.RATIO}


@pytest.mark.parametrize("limit", [0, 1])
def test_the_size_limit_is_exact(tmp_path: Path, limit: int) -> None:
    """A label file of exactly `max_member_bytes` is read, and one byte more is too large, packed or loose."""
    content = b"{" + b" " * 98 + b"}"
    options = BuildOptions(max_member_bytes=99 + limit)
    expected = {"a.json": content if limit else RejectReason.TOO_LARGE}
    assert _contents(_write(tmp_path, _zip({"a.json": content})), options) == expected
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "a.json").write_bytes(content)
    assert _contents(tmp_path / "loose", options) == expected


def _quoting_bomb(layers: int) -> bytes:
    """A bomb after David Fifield: each member quotes the header of the next in a stored block, all end in a kernel."""
    kernel = zlib.compress(b"\0" * 1_000, wbits=-15)
    content = b"\0" * 1_000
    data, sizes = kernel, []
    names = [f"{number}.json".encode() for number in range(layers)]
    for name in reversed(names):
        head = struct.pack(
            "<4sHHHHHLLLHH", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(content), len(data), len(content), len(name), 0
        )
        sizes.append((zlib.crc32(content), len(data), len(content)))
        whole = head + name + data
        quote = struct.pack("<BHH", 0, len(head + name), len(head + name) ^ 0xFFFF)
        data, content = quote + whole, head + name + content
    sizes.reverse()
    body, directory, at = data[5:], b"", 0
    for name, (crc32, packed, size) in zip(names, sizes, strict=True):
        entry = struct.pack(
            "<4sHHHHHHLLLHHHHHLL", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc32, packed, size, len(name), *[0] * 5, at
        )
        directory += entry + name
        at += 30 + len(name) + 5
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, layers, layers, len(directory), len(body), 0)
    return body + directory + end


def test_quoting_bombs_are_refused(tmp_path: Path) -> None:
    """Members that are inside one another are all refused, although each by itself is in order."""
    bomb = _quoting_bomb(20)
    with zipfile.ZipFile(io.BytesIO(_quoting_bomb(1))) as archive:
        assert archive.testzip() is None  # the bomb is well made
    assert set(_contents(_write(tmp_path, bomb)).values()) == {RejectReason.OVERLAP}


def test_members_that_touch_do_not_overlap(tmp_path: Path) -> None:
    """A member may begin at the byte where another ends, and members may lie in any order."""
    contents = {f"{n}.json": b"x" * n for n in range(10)}
    patched = _Patched(_zip(contents, zipfile.ZIP_STORED))
    start, stop = min(patched.central.values()), len(patched.bytes) - 22
    entries = [bytes(patched.bytes[at : at + 46 + 6]) for at in patched.central.values()]
    patched.bytes[start:stop] = b"".join(reversed(entries))
    outcome = _contents(_write(tmp_path, patched.bytes))
    assert outcome == contents
    assert list(outcome) == list(reversed(contents))


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        pytest.param("too-short", RejectReason.BAD_HEADER, id="too-short"),
        pytest.param("empty", RejectReason.BAD_HEADER, id="empty"),
        pytest.param("missing", RejectReason.TOO_LARGE, id="missing"),
        pytest.param({"offset": 2**64 - 1}, None, id="largest-offset"),
        pytest.param({"offset": 2**63}, None, id="half-of-the-largest-offset"),
        pytest.param({"offset": 2**63 - 1}, None, id="largest-signed-offset"),
        pytest.param({"packed": 2**64 - 1}, None, id="largest-packed-size"),
        pytest.param({"packed": 2**63 - 1}, None, id="largest-signed-packed-size"),
        pytest.param({"size": 2**64 - 1}, None, id="largest-size"),
    ],
)
@pytest.mark.parametrize("name", [_FIRST, _MIDDLE, _LAST])
def test_damaged_zip64_fields_harm_only_their_member(
    tmp_path: Path, field: str | dict[str, int], reason: RejectReason | None, name: str
) -> None:
    """A member whose wide numbers are damaged or absurd is rejected, and those beside it are read."""
    patched = _Patched(_zip(_CONTENTS))
    info = patched.infos[name]
    numbers = {"size": info.file_size, "packed": info.compress_size, "offset": info.header_offset}
    wide = struct.pack("<HHQQQ", 1, 24, *(numbers | field).values()) if isinstance(field, dict) else b""
    extra = {"too-short": struct.pack("<HHL", 1, 4, 0), "empty": struct.pack("<HH", 1, 0)}.get(str(field), wide)
    patched.set_central(name, size=0xFFFFFFFF, packed=0xFFFFFFFF, offset=0xFFFFFFFF)
    outcome = _contents(_write(tmp_path, patched.with_extra(name, extra)))
    found = outcome.pop(name)
    assert isinstance(found, RejectReason)
    assert reason in (found, None)
    assert outcome == {other: content for other, content in _CONTENTS.items() if other != name}


def test_names_are_decoded(tmp_path: Path) -> None:
    """Members are found whatever their names are written in, and a name that cannot be read is shown as escapes."""
    patched = _Patched(_zip({"aaaa.json": b"1", "bbbb.json": b"2", "cccc.json": b"3"}))
    for name, raw in [
        ("aaaa.json", "방언".encode("cp949")),
        ("bbbb.json", b"\xff\xfe\xff\xfe"),
        ("cccc.json", "x말".encode()),
    ]:
        at = patched.central[name] + 46
        patched.bytes[at : at + 4] = raw
    assert _contents(_write(tmp_path, patched.bytes)) == {
        "방언.json": b"1",
        r"\xff\xfe\xff\xfe.json": b"2",
        "x말.json": b"3",
    }


def test_too_many_entries_refuse_the_archive(tmp_path: Path) -> None:
    """An archive with as many entries as allowed is read, one with one more is refused with the option to raise."""
    path = _write(tmp_path, _zip(_CONTENTS))
    assert _contents(path, BuildOptions(max_entries=3)) == _CONTENTS
    with pytest.raises(ArchiveError, match="more than 2 entries; raise --max-entries"):
        _scan(path, BuildOptions(max_entries=2))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(_zip(_CONTENTS)[:-30], "its central directory is missing", id="cut-off"),
        pytest.param(_zip({}), "nothing is in it", id="no-member"),
        pytest.param(
            _zip({"a.pdf": b"x", "__MACOSX/b.json": b"x", "._c.json": b"x"}), "no label file in it", id="no-label-file"
        ),
    ],
)
def test_bad_archives_are_an_error_unless_allowed(tmp_path: Path, content: bytes, problem: str) -> None:
    """An archive that is no zip or holds no label file is an error, or noted with its problem where that is allowed."""
    path = _write(tmp_path, content)
    with pytest.raises(ArchiveError, match=problem):
        _scan(path)
    noted = _scan(path, BuildOptions(allow_bad_archives=True))
    assert noted.batches == []
    assert noted.problem is not None
    assert problem in noted.problem


def test_left_over_parts_stand_in_for_a_broken_zip(tmp_path: Path) -> None:
    """Where a zip was not merged to its end, the parts beside it are read instead."""
    content = _zip(_CONTENTS)
    path = _write(tmp_path, content[:100])
    (tmp_path / "x.zip.part0").write_bytes(content[:100])
    (tmp_path / "x.zip.part100").write_bytes(content[100:])
    spare = (str(tmp_path / "x.zip.part0"), str(tmp_path / "x.zip.part100"))
    archive = Archive(name="x", form=Form.ZIP, paths=(str(path),), hints=Hints(), spare=spare)
    batches = scan(archive, scan_rules(BuildOptions())).batches
    found = {member.path: member.content for batch in batches for member in read_members(batch) if member is not None}
    assert found == _CONTENTS


_WHOLE = _zip(_CONTENTS)


@given(st.lists(st.integers(0, len(_WHOLE)), min_size=1, max_size=6))
@examples(100)
def test_cut_archives_give_the_members_of_the_whole(cuts: list[int]) -> None:
    """An archive cut into parts anywhere gives the members, and the fingerprint, of the whole."""
    borders = [0, *sorted(cuts), len(_WHOLE)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}" for number in range(len(cuts) + 1)]
        for path, start, stop in zip(paths, borders, borders[1:], strict=False):
            path.write_bytes(_WHOLE[start:stop])
        assert _contents(paths) == _CONTENTS
        assert _scan(paths).fingerprint == _scan(_write(Path(folder), _WHOLE)).fingerprint


@given(st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@examples(200)
def test_damaged_archives_never_crash(edits: list[tuple[int, int]]) -> None:
    """A zip with any bytes changed gives members, each whole or refused, or an error that is foreseen."""
    damaged = bytearray(_WHOLE)
    for at, value in edits:
        damaged[at] = value
    with tempfile.TemporaryDirectory() as folder:
        try:
            outcome = _contents(_write(Path(folder), damaged))
        except EtlError:
            return
        for name, content in outcome.items():
            if isinstance(content, bytes) and name in _CONTENTS:
                assert len(content) <= _LIMIT


@given(st.data())
@examples(200)
def test_damaged_headers_never_crash(data: st.DataObject) -> None:
    """A zip with any bytes of its directory changed never raises anything unforeseen."""
    start = min(_Patched(_WHOLE).central.values())
    damaged = bytearray(_WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(start, len(_WHOLE) - 1))] = data.draw(
            st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF])
        )
    with tempfile.TemporaryDirectory() as folder:
        try:
            members = _members(_write(Path(folder), damaged))
        except EtlError:
            return
        assert any(member is not None for member in members)


def _check_cover(found: Scan, entries: int) -> None:
    """Compare the batches of *found* with the entries they have to cover, each once and in order."""
    assert [batch.extent.first for batch in found.batches] == [
        sum(batch.extent.entries for batch in found.batches[:number]) for number in range(len(found.batches))
    ]
    assert sum(batch.extent.entries for batch in found.batches) == entries
    assert all(0 < batch.extent.entries <= BATCH_ENTRIES for batch in found.batches)
    assert len({batch.key for batch in found.batches}) == len(found.batches)


@pytest.mark.parametrize("count", [1, BATCH_ENTRIES - 1, BATCH_ENTRIES, BATCH_ENTRIES + 1, 2 * BATCH_ENTRIES + 7])
def test_batches_cover_every_entry_once(tmp_path: Path, count: int) -> None:
    """Batches cover all entries of an archive, each once and in order, and are full before the next begins."""
    members = {f"{n}.json" if n % 3 else f"{n}.txt": str(n).encode() for n in range(1, count + 1)}
    path = _write(tmp_path, _zip(members, zipfile.ZIP_STORED))
    found = _scan(path)
    _check_cover(found, count)
    assert [batch.extent.entries for batch in found.batches[:-1]] == [BATCH_ENTRIES] * (len(found.batches) - 1)
    labels = {name: content for name, content in members.items() if name.endswith(".json")}
    assert _contents(path) == labels
    assert found.label_files == len(labels)
    assert found.json_bytes == found.packed_bytes == sum(map(len, labels.values()))
    for batch in found.batches:
        read = [member for member in read_members(batch) if member is not None]
        assert len(read) == batch.extent.label_files


def test_batches_are_cut_by_bytes(tmp_path: Path) -> None:
    """A batch ends with the label file that fills it; one refused for its size does not count."""
    part = BATCH_BYTES // 32
    content = _zip({f"{n:02d}.json": b" " * part for n in range(66)})
    found = _scan(_write(tmp_path, content))
    _check_cover(found, 66)
    assert [batch.extent.json_bytes for batch in found.batches] == [BATCH_BYTES, BATCH_BYTES, 2 * part]
    patched = _Patched(content).set_central("00.json", size=0xFFFFFFF0)
    assert [batch.extent.entries for batch in _scan(_write(tmp_path, patched.bytes)).batches] == [33, 32, 1]


def test_large_label_files_are_few_in_a_batch(tmp_path: Path) -> None:
    """Label files above 1 MiB, which may be all text, fill a batch at 2 MiB, and one alone where it is as large."""
    members = {f"{n}.json": b" " * size for n, size in enumerate([_MIB + 1] * 5 + [_MIB] * 3 + [_LIMIT] * 2)}
    batches = _scan(_write(tmp_path, _zip(members))).batches
    assert [batch.extent.entries for batch in batches] == [2, 2, 5, 1]


def test_batches_depend_on_nothing_but_the_archive(tmp_path: Path) -> None:
    """The same archive gives the same batches wherever it lies; their keys name its bytes and the reading limits."""
    content = _zip({f"{n}.json": str(n).encode() for n in range(BATCH_ENTRIES + 1)})
    (tmp_path / "elsewhere").mkdir()
    here, there = _scan(_write(tmp_path, content)), _scan(_write(tmp_path / "elsewhere", content))
    assert (_facts(here), here.fingerprint) == (_facts(there), there.fingerprint)
    chunks = BuildOptions(max_chunk_bytes=5, region=("jeju",), unit="sentence")  # type: ignore[arg-type]  # plain strings are taken
    assert _facts(_scan(tmp_path / "x.zip", chunks)) == _facts(here)
    for options in (BuildOptions(max_member_bytes=9), BuildOptions(max_ratio=3)):
        assert {key for key, *_ in _facts(_scan(tmp_path / "x.zip", options))}.isdisjoint(
            key for key, *_ in _facts(here)
        )
    changed = _Patched(content).set_central("0.json", crc32=1)
    assert _scan(_write(tmp_path, changed.bytes)).fingerprint != here.fingerprint


def _facts(found: Scan) -> list[tuple[str, int, int, int]]:
    return [(batch.key, batch.extent.first, batch.extent.entries, batch.extent.label_files) for batch in found.batches]


def test_spared_members_are_not_touched(tmp_path: Path) -> None:
    """A member known to kill its reader is rejected for that, packed or loose, and the others are read."""
    [batch] = _scan(_write(tmp_path, _zip(_CONTENTS))).batches
    _check_spared(batch)
    for name, content in _CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    [batch] = _scan(tmp_path).batches
    _check_spared(batch)


def _check_spared(batch: Batch) -> None:
    first, second, third = (member for member in read_members(batch, frozenset({1})) if member is not None)
    assert (first.content, third.content) == (_CONTENTS[_FIRST], _CONTENTS[_LAST])
    assert isinstance(second.content, Defect)
    assert second.content.reason is RejectReason.WORKER_KILLED


def test_folders_give_their_label_files_by_name(tmp_path: Path) -> None:
    """A folder gives the label files directly in it, sorted by name, with size and CRC-32, and nothing else."""
    for name in ("나.json", "a.JSON", "b.json"):
        (tmp_path / name).write_bytes(name.encode())
    for name in ("note.txt", "._a.json", ".DS_Store"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.json").write_bytes(b"x")
    found = [member for member in _members(tmp_path) if member is not None]
    assert [(member.path, member.content) for member in found] == [
        (name, name.encode()) for name in ("a.JSON", "b.json", "나.json")
    ]
    assert all(member.crc32 == zlib.crc32(member.path.encode()) for member in found)
    assert all(member.json_bytes == len(member.path.encode()) for member in found)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a file without a size is one of Linux's")
def test_a_file_that_is_larger_than_it_says(tmp_path: Path) -> None:
    """A loose file that holds more than its size, as one that grows does, is read to its end, or refused above the limit."""
    (tmp_path / "a.json").symlink_to("/proc/self/status")
    [read] = _members(tmp_path)
    assert read is not None
    assert isinstance(read.content, bytes)
    assert read.content.startswith(b"Name:")
    assert read.json_bytes == len(read.content) > 200
    [refused] = _members(tmp_path, BuildOptions(max_member_bytes=100))
    assert refused is not None
    assert isinstance(refused.content, Defect)
    assert refused.content.reason is RejectReason.TOO_LARGE


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such file name")
def test_loose_files_may_have_cp949_names(tmp_path: Path) -> None:
    """A loose file whose name is no UTF-8 is read, and its name shown as CP949 or as escapes."""
    for raw, content in [("방언.json".encode("cp949"), b"1"), (b"\xff\xff.json", b"2")]:
        with open(os.path.join(os.fsencode(tmp_path), raw), "wb") as file:  # noqa: PTH118, PTH123 - a Path takes no bytes
            file.write(content)
    assert _contents(tmp_path) == {"방언.json": b"1", r"\xff\xff.json": b"2"}


def test_folders_of_many_files_are_cut_into_batches(tmp_path: Path) -> None:
    """A folder with more files than a batch takes is read in several, each file once."""
    for number in range(BATCH_ENTRIES + 1):
        (tmp_path / f"{number}.json").write_bytes(b"{}")
    found = _scan(tmp_path)
    _check_cover(found, BATCH_ENTRIES + 1)
    assert len(_contents(tmp_path)) == BATCH_ENTRIES + 1
    (tmp_path / "0.json").write_bytes(b"{ }")
    again = _scan(tmp_path).batches
    assert [batch.key for batch in again] == [batch.key for batch in found.batches]
    same = [after.witness == before.witness for after, before in zip(again, found.batches, strict=True)]
    assert same == [False, True]


def test_a_file_that_went_is_rejected(tmp_path: Path) -> None:
    """A loose file that goes while a build reads, and a link that leads nowhere, are rejected as unreadable."""
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").write_bytes(b"{}")
    (tmp_path / "c.json").symlink_to(tmp_path / "nowhere.json")
    [batch] = _scan(tmp_path).batches
    (tmp_path / "a.json").unlink()
    found = [member for member in read_members(batch) if member is not None]
    assert [member.path for member in found] == ["a.json", "b.json", "c.json"]
    outcomes = [member.content.reason if isinstance(member.content, Defect) else None for member in found]
    assert outcomes == [RejectReason.UNREADABLE, None, RejectReason.UNREADABLE]


def test_an_archive_that_went_stops_the_build(tmp_path: Path) -> None:
    """An archive that goes while a build reads is an error that names it."""
    path = _write(tmp_path, _zip(_CONTENTS))
    [batch] = _scan(path).batches
    path.unlink()
    with pytest.raises(InputError, match=r"x\.zip: cannot be opened"):
        list(read_members(batch))
