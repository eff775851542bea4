"""Finding archives: every layout in which the corpus is met gives the same archives, and what is missing is named."""

import io
import os
import random
import sys
import unicodedata
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from saturi.etl.corpus.discover import Corpus, Form, discover
from saturi.etl.corpus.names import Hints
from saturi.etl.corpus.scan import scan
from saturi.etl.errors import ArchiveError, EmptyCorpusError, InputError, MissingPathError
from saturi.etl.output.files import MARKER
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Region, SpeechType, Split

_TRAIN = "Training/02.라벨링데이터/TL_02._경상도_01._1인발화_따라말하기.zip"
_HELD_OUT = "Validation/02.라벨링데이터/VL_03. 제주도_03. 2인발화.zip"


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.json", b"{}" * 200)
    return buffer.getvalue()


_ZIP = _zip()


def _write(folder: Path, *names: str, content: bytes = _ZIP) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _write_parts(folder: Path, name: str, *cuts: int) -> list[str]:
    """Write the zip in parts cut at *cuts*, and return their paths."""
    borders = [0, *cuts, len(_ZIP)]
    names = []
    for start, stop in pairwise(borders):
        _write(folder, f"{name}.part{start}", content=_ZIP[start:stop])
        names.append(str(folder / f"{name}.part{start}"))
    return names


def _names(corpus: Corpus) -> list[str]:
    return [archive.name for archive in corpus.archives]


def test_zips_are_found_at_any_depth(tmp_path: Path) -> None:
    """Zips lie anywhere below a folder, are named by their path in it, and are sorted by that name."""
    deep = "a/b/c/d/e/f/x.ZIP"
    found = discover([_write(tmp_path, _TRAIN, _HELD_OUT, deep, "x.zip")])
    assert _names(found) == [_TRAIN, _HELD_OUT, deep, "x.zip"]
    assert [archive.form for archive in found.archives] == [Form.ZIP] * 4
    assert [archive.paths for archive in found.archives] == [(str(tmp_path / name),) for name in _names(found)]
    assert (found.ignored_archives, found.ignored_files) == (0, 0)


def test_names_tell_what_archives_hold(tmp_path: Path) -> None:
    """Region, speech type and split of an archive come from its name and its folders, also those above the argument."""
    found = discover([_write(tmp_path, _TRAIN, _HELD_OUT, "Validation/제주도/x.zip")])
    assert [archive.hints for archive in found.archives] == [
        Hints(Region.GYEONGSANG, SpeechType.REPEAT, Split.TRAIN),
        Hints(Region.JEJU, SpeechType.DIALOGUE, Split.VALIDATION),
        Hints(Region.JEJU, None, Split.VALIDATION),
    ]
    [above] = discover([tmp_path / "Validation" / "제주도" / "x.zip"]).archives
    assert (above.name, above.hints) == ("x.zip", Hints(Region.JEJU, None, Split.VALIDATION))
    [above] = discover([tmp_path / "Validation" / "제주도"]).archives
    assert above.hints == Hints(Region.JEJU)


def test_the_order_of_the_arguments_does_not_matter(tmp_path: Path) -> None:
    """The same arguments in any order, some inside others and some named twice, give the same corpus."""
    _write(tmp_path, f"one/{_TRAIN}", f"two/{_TRAIN}", "two/sub/x.zip", "three.zip", "one/sub/x.zip")
    _write_parts(tmp_path / "four", "y.zip", 100)
    arguments = [tmp_path / name for name in ("one", "two", "two/sub", "three.zip", "four/y.zip.part100")]
    expected = discover(arguments)
    assert _names(expected) == [
        *(_TRAIN, f"{_TRAIN} (2)", "sub/x.zip", "sub/x.zip (2)", "three.zip", "y.zip"),
    ]
    rng = random.Random(7)
    for _ in range(10):
        rng.shuffle(arguments)
        assert discover(arguments) == expected
        assert discover([*arguments, *arguments]) == expected
        assert discover([os.path.relpath(path) for path in arguments]) == expected


def test_a_corpus_is_the_same_wherever_it_lies(tmp_path: Path) -> None:
    """A corpus that was moved has the same archives under the same names."""
    for place in ("here", "there/deep down"):
        _write(tmp_path / place / "corpus", _TRAIN, _HELD_OUT)
    here, there = (discover([tmp_path / place / "corpus"]) for place in ("here", "there/deep down"))
    assert [(archive.name, archive.hints) for archive in here.archives] == [
        (archive.name, archive.hints) for archive in there.archives
    ]


def test_every_archive_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Names stay apart even where a folder is called as an archive of the same name would be numbered."""
    _write(tmp_path, "one/x/a.json", "one/x (2)/a.json", "two/x/a.json")
    found = discover([tmp_path / "one", tmp_path / "two"])
    assert len(found.archives) == 3
    assert len(set(_names(found))) == 3


@pytest.mark.parametrize("cuts", [(), (1,), (90, 100), (2, 10, 100, 101)], ids=str)
def test_parts_are_one_archive(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    """Parts are one archive under the name of the zip, in the order of their offsets as numbers."""
    paths = _write_parts(tmp_path / "제주도", "x.zip", *cuts)
    for argument in (str(tmp_path / "제주도"), *paths):
        [archive] = discover([argument]).archives
        assert (archive.name, archive.form, list(archive.paths)) == ("x.zip", Form.PARTS, paths)
        assert archive.hints.region is Region.JEJU
        assert scan(archive, scan_rules(BuildOptions())).label_files == 1


@pytest.mark.parametrize(
    ("cuts", "lost", "missing"),
    [
        pytest.param((100,), 0, "x.zip.part0 is missing", id="first-of-two"),
        pytest.param((90, 100), 90, "x.zip.part90 is missing", id="middle-of-three"),
        pytest.param((90, 100), 0, "x.zip.part0 is missing", id="first-of-three"),
    ],
)
def test_a_missing_part_is_named(tmp_path: Path, cuts: tuple[int, ...], lost: int, missing: str) -> None:
    """A gap between parts is an error that names the part to download again."""
    _write_parts(tmp_path, "x.zip", *cuts)
    (tmp_path / f"x.zip.part{lost}").unlink()
    with pytest.raises(ArchiveError, match=f"{missing}.*; download the missing part again"):
        discover([tmp_path])


def test_a_part_that_is_cut_off_is_named(tmp_path: Path) -> None:
    """A part shorter than the offset of the next is an error."""
    _write_parts(tmp_path, "x.zip", 90, 100)
    (tmp_path / "x.zip.part90").write_bytes(b"short")
    with pytest.raises(ArchiveError, match=r"x\.zip\.part95 is missing or incomplete"):
        discover([tmp_path])


def test_parts_beside_a_zip_are_kept_for_need(tmp_path: Path) -> None:
    """Of a zip and its left-over parts the zip is read, the parts where it is broken, and none counts twice."""
    paths = _write_parts(tmp_path, "x.zip", 90, 100)
    _write(tmp_path, "x.zip")
    [archive] = discover([tmp_path]).archives
    assert (archive.form, archive.paths, list(archive.spare)) == (Form.ZIP, (str(tmp_path / "x.zip"),), paths)
    whole = scan(archive, scan_rules(BuildOptions()))
    for content in (b"", _ZIP[:90]):
        _write(tmp_path, "x.zip", content=content)
        found = discover([tmp_path])
        assert _names(found) == ["x.zip"]
        half = scan(found.archives[0], scan_rules(BuildOptions()))
        assert (half.fingerprint, half.label_files) == (whole.fingerprint, 1)


def test_incomplete_parts_beside_a_whole_zip_do_no_harm(tmp_path: Path) -> None:
    """Parts with a gap are no substitute, and no error either as long as the zip is there."""
    _write_parts(tmp_path, "x.zip", 90, 100)
    (tmp_path / "x.zip.part0").unlink()
    _write(tmp_path, "x.zip")
    [archive] = discover([tmp_path]).archives
    assert (archive.form, archive.spare) == (Form.ZIP, ())
    assert scan(archive, scan_rules(BuildOptions())).label_files == 1


def test_recordings_are_left_out_and_counted(tmp_path: Path) -> None:
    """Archives of recordings are ignored and counted, each set of parts as one, and never opened."""
    _write(tmp_path, _TRAIN)
    _write(tmp_path, "Training/01.원천데이터/TS_02.zip", "Training/01.원천데이터/x.zip", "VS_1.zip", content=b"no zip")
    _write(tmp_path, "TS_9.zip.part0", "TS_9.zip.part7", content=b"no zip")
    found = discover([tmp_path])
    assert _names(found) == [_TRAIN]
    assert (found.ignored_archives, found.ignored_files) == (4, 0)


def test_other_files_are_counted(tmp_path: Path) -> None:
    """What is neither a zip nor a label file is ignored and counted, once for each file."""
    _write(tmp_path, _TRAIN)
    _write(tmp_path, "readme.txt", "Training/.DS_Store", "Training/._x.zip", "._TL_1.zip.part0", "x.wav", "x.zip.tmp")
    found = discover([tmp_path, tmp_path / "Training"])
    assert _names(found) == [_TRAIN]
    assert (found.ignored_archives, found.ignored_files) == (0, 6)


def test_names_with_brackets_are_found(tmp_path: Path) -> None:
    """Square brackets, stars and question marks in names are letters like any other."""
    names = ["[라벨]경상도_학습데이터_1.zip", "[a-z]/x*.zip", "(비식별화완료)경상도_학습데이터_1.zip"]
    _write(tmp_path, *names)
    assert _names(discover([tmp_path])) == sorted(names)
    assert _names(discover([tmp_path / names[0]])) == [names[0]]
    paths = _write_parts(tmp_path / "[parts]", "[라벨]x.zip", 50)
    assert _names(discover([paths[1]])) == ["[라벨]x.zip"]


def test_decomposed_names_become_composed(tmp_path: Path) -> None:
    """Names as a Mac hands them out are the same as those of Windows, and the files are opened as they are called."""
    _write(tmp_path, *(unicodedata.normalize("NFD", name) for name in (_TRAIN, "제주도/가.json")))
    found = discover([tmp_path])
    assert _names(found) == [_TRAIN, "제주도"]
    assert [archive.hints.region for archive in found.archives] == [Region.GYEONGSANG, Region.JEJU]
    assert [scan(archive, scan_rules(BuildOptions())).label_files for archive in found.archives] == [1, 1]
    [alone] = discover([tmp_path / unicodedata.normalize("NFD", "제주도")]).archives
    assert alone.hints.region is Region.JEJU


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such file name")
def test_names_that_are_no_text_can_be_written_down(tmp_path: Path) -> None:
    """An archive whose name on disk is no UTF-8 has a name that can be printed and put into the manifest."""
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/" + "제주도".encode("cp949"))
    _write(Path(folder), "x.zip")
    for path in (tmp_path, folder):
        [archive] = discover([path]).archives
        archive.name.encode()
        assert scan(archive, scan_rules(BuildOptions())).label_files == 1


def test_loose_label_files_are_an_archive_a_folder(tmp_path: Path) -> None:
    """Every folder that directly holds label files is one archive, beside any zips, however many files it holds."""
    _write(tmp_path, "제주도/a.json", "제주도/b.JSON", "제주도/sub/c.json", "x.zip", "top.json", content=_ZIP)
    found = discover([tmp_path])
    assert [(archive.name, archive.form) for archive in found.archives] == [
        (".", Form.FOLDER),
        ("x.zip", Form.ZIP),
        ("제주도", Form.FOLDER),
        ("제주도/sub", Form.FOLDER),
    ]
    assert found.archives[2].paths == (str(tmp_path / "제주도"),)
    assert [scan(archive, scan_rules(BuildOptions())).label_files for archive in found.archives] == [1, 1, 2, 1]
    assert found.ignored_files == 0


def test_the_output_of_a_build_is_no_corpus(tmp_path: Path) -> None:
    """A folder that is marked as a build's is left out with all that is below it, wherever it lies."""
    _write(
        tmp_path, _TRAIN, "out/x.zip", "out/chunks/a.json", f"out/{MARKER}", "deep/stage/y.zip", f"deep/stage/{MARKER}"
    )
    found = discover([tmp_path])
    assert _names(found) == [_TRAIN]
    assert found.ignored_files == 0
    with pytest.raises(EmptyCorpusError):
        discover([tmp_path / "out"])


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A path that does not exist is an error, also beside one that does."""
    _write(tmp_path, "x.zip")
    with pytest.raises(MissingPathError, match=r"gone: there is no such file or folder; check the spelling"):
        discover([tmp_path, tmp_path / "gone"])
    with pytest.raises(MissingPathError):
        discover([tmp_path / "gone.zip"])


@pytest.mark.parametrize("name", ["readme.txt", "a.json", "zip", "x.zip.tmp", "x.zip.01"])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, name: str) -> None:
    """A file given by name has to be a zip, or a part of one."""
    with pytest.raises(InputError, match="neither a folder nor a zip"):
        discover([_write(tmp_path, name) / name])


def test_a_corpus_without_archives_is_refused(tmp_path: Path) -> None:
    """No path, an empty folder, and a folder of recordings are errors that say what to give instead."""
    with pytest.raises(EmptyCorpusError, match="no path was given"):
        discover([])
    with pytest.raises(EmptyCorpusError, match=r"nothing is in it; give the folder .*TL_"):
        discover([tmp_path])
    with pytest.raises(EmptyCorpusError, match=r"no label archive found among 2 files; give the folder .*TL_"):
        discover([_write(tmp_path / "texts", "a.txt", "b/c.txt")])
    with pytest.raises(EmptyCorpusError, match=r"among 1 file; download.tar: not read, since only zips are; unpack it"):
        discover([_write(tmp_path / "tar", "download.tar")])
    with pytest.raises(EmptyCorpusError, match="no label archive found beside 2 audio archives"):
        discover([_write(tmp_path / "audio", "TS_1.zip", "원천데이터/x.zip")])


def test_links_are_taken_at_their_word(tmp_path: Path) -> None:
    """A linked zip counts under the name of the link, and a link to a folder above does not go round for ever."""
    _write(tmp_path, "real/x.zip")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    try:
        (corpus / "제주도.zip").symlink_to(tmp_path / "real" / "x.zip")
        (corpus / "round").symlink_to(corpus, target_is_directory=True)
    except OSError:
        pytest.skip("this system allows no links")
    assert _names(discover([corpus])) == ["제주도.zip"]
