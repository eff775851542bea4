"""The central directory of a zip, in one file or in parts: where it lies, what it lists, and when it is refused."""

import io
import struct
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from saturi.etl.corpus.directory import UTF8, Directory, Entry, decode_name, find_directory, read_directory
from saturi.etl.corpus.mapped import MappedFile
from saturi.etl.errors import ArchiveError, EtlError, InputError

_MEMBERS = {f"st_set1_collectorgs1_speakergs{n}_79_8.json": f'{{"n": {n}}}'.encode() * n for n in range(5)}
_END_SIGNATURE = b"PK\5\6"


def _zip(members: dict[str, bytes], comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


def _zip64(members: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A zip that needs ZIP64 everywhere, since nothing may be larger than one byte without it."""
    buffer = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 1)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(content)
    return buffer.getvalue()


def _listed(folder: Path, content: bytes, cuts: tuple[int, ...] = ()) -> tuple[Directory, list[Entry]]:
    """What is found in *content*, cut into parts at *cuts*."""
    borders = [0, *sorted(cuts), len(content)]
    paths = []
    for number, (start, stop) in enumerate(pairwise(borders)):
        path = folder / f"x.zip.part{number}"
        path.write_bytes(content[start:stop])
        paths.append(str(path))
    with MappedFile(paths) as file:
        directory = find_directory(file, "x.zip")
        blocks = list(read_directory(file, directory, "x.zip"))
    assert sum(len(block.content) for block in blocks) == directory.stop - directory.start
    return directory, [entry for block in blocks for entry in block.entries]


def _facts(content: bytes, entries: list[Entry]) -> None:
    """Compare *entries* with what `zipfile` says of *content*."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        infos = archive.infolist()
    assert [decode_name(entry.name, entry.flags) for entry in entries] == [info.orig_filename for info in infos]
    for entry, info in zip(entries, infos, strict=True):
        expected = (
            info.flag_bits,
            info.compress_type,
            info.CRC,
            info.compress_size,
            info.file_size,
            info.header_offset,
        )
        assert (entry.flags, entry.method, entry.crc32, entry.packed_bytes, entry.json_bytes, entry.offset) == expected


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_zip({}), id="no-member"),
        pytest.param(_zip({"a.json": b"{}"}), id="one-member"),
        pytest.param(_zip(_MEMBERS), id="deflated"),
        pytest.param(_zip(_MEMBERS, method=zipfile.ZIP_STORED), id="stored"),
        pytest.param(_zip({"가나/다.json": b"{}", " ": b"", "/x.json": b"1"}), id="hangul-and-odd-names"),
        pytest.param(_zip(_MEMBERS, comment=b"x"), id="comment-of-one-byte"),
        pytest.param(_zip(_MEMBERS, comment=b"c" * 65_535), id="longest-comment"),
        pytest.param(b"junk" * 7 + _zip(_MEMBERS), id="something-in-front"),
        pytest.param(_zip({"inner.json": _zip(_MEMBERS)}, method=zipfile.ZIP_STORED), id="zip-in-a-zip"),
    ],
)
def test_directory_lists_what_zipfile_lists(tmp_path: Path, content: bytes) -> None:
    """Entries are those the standard library finds, in their order, with their offsets in the file as it lies there."""
    _facts(content, _listed(tmp_path, content)[1])


def test_more_members_than_16_bits_count(tmp_path: Path) -> None:
    """The directory of 65,536 members, which declares none in its 16 bits, is listed whole."""
    content = _zip({f"{n}.json": b"" for n in range(65_536)}, method=zipfile.ZIP_STORED)
    _facts(content, _listed(tmp_path, content)[1])


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param(_END_SIGNATURE, id="signature"),
        pytest.param(b"almost" + _END_SIGNATURE + b"\0" * 17, id="one-byte-short-of-a-record"),
        pytest.param(_END_SIGNATURE + b"\0" * 60, id="record-with-more-behind"),
    ],
)
def test_comments_are_not_taken_for_the_end(tmp_path: Path, comment: bytes) -> None:
    """An end record is the one whose comment reaches to the end of the file, whatever else looks like one."""
    assert _listed(tmp_path, _zip(_MEMBERS, comment)) == _listed(tmp_path, _zip(_MEMBERS))


@pytest.mark.parametrize("junk", [pytest.param(b"", id="plain"), pytest.param(b"MZ" * 999, id="something-in-front")])
@pytest.mark.parametrize("cut", [0, 1, 500])
def test_zip64_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junk: bytes, cut: int) -> None:
    """Wide sizes, offsets and end records give what narrow ones give, also behind other data and in parts."""
    wide = _zip64(_MEMBERS, monkeypatch)
    assert b"PK\6\6" in wide
    assert b"PK\6\7" in wide
    directory, entries = _listed(tmp_path, junk + wide, (cut,))
    _facts(wide, [structs.replace(entry, offset=entry.offset - len(junk)) for entry in entries])
    assert (directory.shift, directory.entries) == (len(junk), len(_MEMBERS))


def test_forced_zip64_headers_are_read(tmp_path: Path) -> None:
    """A member written with a wide local header is listed like any other."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("a.json", "w", force_zip64=True) as member:
        member.write(b'{"wide": true}')
    _facts(buffer.getvalue(), _listed(tmp_path, buffer.getvalue())[1])


@pytest.mark.parametrize("name_bytes", [76, 77, 1_000, 60_000])
def test_entries_over_the_border_of_a_block_are_whole(tmp_path: Path, name_bytes: int) -> None:
    """A directory of several mebibytes is read without losing an entry that lies on the border of two blocks."""
    count = 2_200_000 // (name_bytes + 46)
    members = {f"{n:0{name_bytes - 5}d}.json": b"" for n in range(count)}
    content = _zip(members, method=zipfile.ZIP_STORED)
    directory, entries = _listed(tmp_path, content)
    assert directory.stop - directory.start > 2 << 20
    assert [entry.name.decode() for entry in entries] == list(members)


@pytest.mark.parametrize("number", [0, 1, 3, 4])
def test_damage_in_the_directory_is_named_by_its_byte(tmp_path: Path, number: int) -> None:
    """A broken entry makes the whole archive unusable, and the message says at which byte of the file it lies."""
    content = bytearray(_zip(_MEMBERS))
    directory, entries = _listed(tmp_path, bytes(content))
    at = directory.start + sum(entry.length for entry in entries[:number])
    content[at] ^= 0xFF
    with pytest.raises(ArchiveError, match=f"central directory is damaged at byte {at:,}; download it again"):
        _listed(tmp_path, bytes(content))


def test_damage_behind_the_first_block_is_named_by_its_byte(tmp_path: Path) -> None:
    """The byte named counts from the start of the file, also where the directory is read in several blocks."""
    content = bytearray(_zip({f"{n:0995d}.json": b"" for n in range(3_000)}, method=zipfile.ZIP_STORED))
    directory, entries = _listed(tmp_path, bytes(content))
    at = directory.start + sum(entry.length for entry in entries[:2_500])
    content[at + 1] ^= 0xFF
    with pytest.raises(ArchiveError, match=f"damaged at byte {at:,};"):
        _listed(tmp_path, bytes(content))


def _with_count(count: int) -> bytes:
    content = bytearray(_zip(_MEMBERS))
    struct.pack_into("<HH", content, len(content) - 14, count, count)
    return bytes(content)


def _with_end(disk: int = 0, size: int | None = None, offset: int | None = None) -> bytes:
    content = bytearray(_zip(_MEMBERS))
    end = len(content) - 22
    struct.pack_into("<H", content, end + 4, disk)
    if size is not None:
        struct.pack_into("<L", content, end + 12, size)
    if offset is not None:
        struct.pack_into("<L", content, end + 16, offset)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"P", "its central directory is missing", id="one-byte"),
        pytest.param(b"\0" * 100_000, "its central directory is missing", id="zeros"),
        pytest.param(_zip(_MEMBERS)[:-1], "its central directory is missing", id="last-byte-missing"),
        pytest.param(_zip(_MEMBERS)[:-22], "its central directory is missing", id="end-record-missing"),
        pytest.param(_zip(_MEMBERS)[:200], "its central directory is missing", id="cut-off"),
        pytest.param(_zip(_MEMBERS)[200:], "contradicts the size of the file", id="beginning-missing"),
        pytest.param(_zip(_MEMBERS)[-22:], "contradicts the size of the file", id="only-the-end"),
        pytest.param(_with_count(4), "holds 5 entries and declares 4", id="one-entry-more"),
        pytest.param(_with_count(6), "holds 5 entries and declares 6", id="one-entry-less"),
        pytest.param(_with_count(0), "holds 5 entries and declares 0", id="no-entry-declared"),
        pytest.param(_with_end(size=0xFFFFFFFF), "contradicts the size of the file", id="directory-of-4-GiB"),
        pytest.param(_with_end(offset=0xFFFFFFFF), "contradicts the size of the file", id="offset-of-4-GiB"),
        pytest.param(_with_end(disk=3), "the last volume of a zip written in several", id="one-volume"),
    ],
)
def test_what_is_no_whole_zip_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    """A file that is empty, cut off, or contradicts itself is refused as a whole, with what is wrong and what to do."""
    with pytest.raises(ArchiveError, match=problem) as caught:
        _listed(tmp_path, content)
    where, _, advice = caught.value.args
    assert where == "x.zip"
    assert advice


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        pytest.param(b"a.json", 0, "a.json", id="ascii"),
        pytest.param("방언.json".encode(), UTF8, "방언.json", id="utf-8-flagged"),
        pytest.param("방언.json".encode(), 0, "방언.json", id="utf-8-unflagged"),
        pytest.param("방언.json".encode("cp949"), 0, "방언.json", id="cp949"),
        pytest.param("똠방각하.json".encode("cp949"), 0, "똠방각하.json", id="cp949-beyond-euc-kr"),
        pytest.param("방언.json".encode("cp949"), UTF8, "\\xb9\\xe6\\xbe\\xf0.json", id="cp949-flagged-as-utf-8"),
        pytest.param(b"\xff\xfe.json", 0, "\\xff\\xfe.json", id="neither"),
        pytest.param(b"a\\b\0.json", 0, "a\\b\0.json", id="backslash-and-NUL"),
        pytest.param(b"", 0, "", id="empty"),
    ],
)
def test_names_are_utf8_then_cp949(raw: bytes, flags: int, name: str) -> None:
    """A name is UTF-8 where that is said or fits, else CP949, and where neither fits its bytes are shown as escapes."""
    assert decode_name(raw, flags) == name


@given(st.binary(max_size=40), st.integers(0, 0xFFFF))
@examples(200)
def test_every_name_can_be_printed(raw: bytes, flags: int) -> None:
    """Whatever the bytes of a name, it becomes text that can be encoded again."""
    decode_name(raw, flags).encode()


_WHOLE = b"prefix" + _zip(_MEMBERS, comment="끝".encode())


@given(st.lists(st.integers(0, len(_WHOLE)), max_size=5), st.integers(0, len(_WHOLE)), st.integers(0, 400))
@examples(150)
def test_parts_read_like_the_whole(cuts: list[int], start: int, length: int) -> None:
    """Parts cut anywhere, empty ones among them, give the bytes and the entries of the file they were cut from."""
    with tempfile.TemporaryDirectory() as folder:
        whole = _listed(Path(folder), _WHOLE)
        assert _listed(Path(folder), _WHOLE, tuple(cuts)) == whole
        paths = [str(Path(folder) / f"x.zip.part{number}") for number in range(len(cuts) + 1)]
        with MappedFile(paths) as file:
            assert file.size == len(_WHOLE)
            assert file.read(start, length) == _WHOLE[start : start + length]
            file.window(start, start + length)
            half = length // 2
            assert bytes(file.slice(start, start + length)) == _WHOLE[start : start + length]
            assert bytes(file.slice(start + half, start + length)) == _WHOLE[start + half : start + length]


def test_windows_begin_between_pages(tmp_path: Path) -> None:
    """A window of a file of many pages gives its bytes, wherever it begins and even where it reaches past the end."""
    content = bytes(range(256)) * 1_024
    path = tmp_path / "pages"
    path.write_bytes(content)
    for start, stop in [
        (0, 10),
        (4_095, 4_097),
        (65_535, 65_537),
        (100_001, 262_144),
        (262_143, 300_000),
        (262_144, 300_000),
    ]:
        with MappedFile([str(path)]) as file:
            file.window(start, stop)
            assert bytes(file.slice(start, stop)) == content[start:stop]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """The first file that is not there is named, and no descriptor stays open."""
    here = tmp_path / "here"
    here.write_bytes(b"x")
    with pytest.raises(InputError, match=r"gone: cannot be opened \(No such file or directory\)"):
        MappedFile([str(here), str(tmp_path / "gone")])


_SMALL = _zip({"a.json": b"{}", "나.json": b"[]"}, comment=b"c")


@given(st.lists(st.tuples(st.integers(0, len(_SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@examples(200)
def test_damaged_directories_never_crash(edits: list[tuple[int, int]]) -> None:
    """A zip with any bytes changed is listed or refused, and raises nothing unforeseen."""
    damaged = bytearray(_SMALL)
    for at, value in edits:
        damaged[at] = value
    with tempfile.TemporaryDirectory() as folder:
        try:
            directory, entries = _listed(Path(folder), bytes(damaged))
        except EtlError:
            return
        assert (len(entries) - directory.entries) % 65_536 == 0
