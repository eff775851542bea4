"""Check, file by file: marks, sizes, blocks, lines that are there twice, builds, and what the command says."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from chats import chat, encode, fillers, write_lines
from corpora import ANSWER_ZIP, answers, member, stem, write_zip
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from runs import ROOT, error_of, invoke, manifest_of, one_thread

from saturi.etl.checking import repeats
from saturi.etl.checking.check import check, check_build
from saturi.etl.checking.limits import Limits, limits_of
from saturi.etl.checking.report import CheckReport
from saturi.etl.errors import BuildError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import BLOCK_BYTES, MAX_LINE_BYTES, read_blocks, whole_lines
from saturi.etl.pipeline.build import build
from saturi.etl.providers.profiles import read_providers
from saturi.etl.settings.options import BuildOptions

LIMITS = Limits(max_file_bytes=1_000_000)
BOM = b"\xef\xbb\xbf"
LINE_BYTES = BLOCK_BYTES // 4 + 1


def _found(report: CheckReport) -> list[tuple[str, str, int | None]]:
    return [(problem.kind.value, Path(problem.file).name, problem.line) for problem in report.problems]


@pytest.mark.parametrize(
    ("bom", "begins", "found"),
    [
        ("refused", b"", []),
        ("refused", BOM, [("bom", "a.jsonl", 1)]),
        ("required", BOM, []),
        ("required", b"", [("no_bom", "a.jsonl", None)]),
    ],
    ids=["none-is-right", "one-too-many", "one-is-right", "one-too-few"],
)
def test_byte_order_marks(tmp_path: Path, bom: str, begins: bytes, found: list[tuple[str, str, int | None]]) -> None:
    """A byte order mark is an error or required, as the provider has it, and never a part of the first line."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(begins + b"\n".join(fillers()))
    assert _found(check([path], Limits(max_file_bytes=1_000_000, bom=bom))) == found  # type: ignore[arg-type]


@pytest.mark.parametrize("examples", [0, 1, 9, 10, 11])
def test_too_few_examples(tmp_path: Path, examples: int) -> None:
    """A file with fewer than ten examples is refused; blank lines are none."""
    path = write_lines(tmp_path / "a.jsonl", [*fillers(examples), *[b" "] * 12])
    report = check([path], LIMITS)
    assert report.examples == examples
    assert report.errors == {"blank_line": 12} | ({"too_few_examples": 1} if examples < 10 else {})


@pytest.mark.parametrize(("over", "errors"), [(0, {}), (1, {"file_too_large": 1})], ids=["exactly", "one-byte-over"])
def test_a_file_too_large(tmp_path: Path, over: int, errors: dict[str, int]) -> None:
    """A file is too large from one byte over the limit of the provider."""
    path = write_lines(tmp_path / "a.jsonl", fillers())
    assert check([path], Limits(max_file_bytes=path.stat().st_size - over)).errors == errors


def test_limits_of_providers() -> None:
    """Providers differ in what they take: size and byte order mark are those of their profile."""
    limits = {name: limits_of(provider) for name, provider in read_providers().items()}
    assert {name: limit.bom for name, limit in limits.items()} == {
        "openai": "refused",
        "azure": "required",
        "nebius": "refused",
        "unsloth": "refused",
        "clova": "refused",
        "fireworks": "refused",
        "together": "refused",
        "custom": "refused",
    }
    assert limits["nebius"].max_file_bytes == 5_000_000_000


@given(st.lists(st.integers(0, 3 * LINE_BYTES) | st.integers(0, 3), max_size=12), st.booleans())
@examples(25)
def test_blocks_are_the_lines(tmp_path: Path, lengths: list[int], ends: bool) -> None:
    """The lines of all blocks are those of the file, whatever their lengths, with or without a newline at the end."""
    content = b"\n".join(bytes([65 + number]) * length for number, length in enumerate(lengths)) + b"\n" * ends
    path = tmp_path / "a"
    path.write_bytes(content)
    lines = [line for block in whole_lines(read_blocks(path)) for line in block.content.split(b"\n")]
    expected = content.split(b"\n")
    assert lines == (expected[:-1] if expected[-1] == b"" else expected)


@pytest.mark.parametrize("where", [0, 5, 10], ids=["first", "between", "last"])
def test_a_line_without_end(tmp_path: Path, where: int) -> None:
    """A line longer than any example is told and passed over, and the lines after it keep their numbers."""
    lines, path = fillers(), tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in lines[:where])
        file.seek(MAX_LINE_BYTES + 2 * BLOCK_BYTES, os.SEEK_CUR)  # a hole, which nobody has to write
        file.writelines(b"\n" + line for line in [*lines[where:], b"[]"])
    report = check([path], Limits(max_file_bytes=10**9))
    assert _found(report) == [("line_too_long", "a.jsonl", where + 1), ("not_an_object", "a.jsonl", 12)]
    assert report.examples == 11


def test_lines_that_are_there_twice(tmp_path: Path) -> None:
    """Each line that is there before is told with the first, over all files of a split, blank ones and other splits apart."""
    lines = fillers()
    first = write_lines(tmp_path / "a.jsonl", [*lines, lines[3], b""])
    second = write_lines(tmp_path / "b.jsonl", [b"", *fillers(20)[10:], lines[0], lines[3]])
    held_out = write_lines(tmp_path / "v.jsonl", [*fillers(40)[30:], lines[9], *fillers(31)[30:]])
    report = check([first, second], LIMITS, validation=[held_out])
    problems = [
        (problem.kind.value, problem.line, problem.detail)
        for problem in report.problems
        if problem.severity == "warning"
    ]
    assert problems == [
        ("duplicate", 11, f"the same as line 4 of {first}"),
        ("duplicate", 12, f"the same as line 1 of {first}"),
        ("duplicate", 13, f"the same as line 4 of {first}"),
        ("duplicate", 12, f"the same as line 1 of {held_out}"),
        ("in_training", 11, f"the same as line 10 of {first}"),
    ]
    assert report.warnings == {"duplicate": 4, "in_training": 1}


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=80),
    st.integers(1, 40),
    st.integers(0, 80),
    st.sampled_from([9, repeats._PART_LINES]),
)
@examples(40)
def test_repeats_are_counted_as_by_hand(
    tmp_path: Path, numbers: list[int], cut: int, show: int, part_lines: int
) -> None:
    """Duplicates and shared lines are as many as sets of the lines say, however few are shown or looked at together."""
    lines = [encode(chat(f"말 {number}")) for number in numbers]
    train, held_out = lines[:cut], lines[cut:]
    paths = [write_lines(tmp_path / name, part) for name, part in (("t", train), ("v", held_out))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "_PART_LINES", part_lines)
        report = check(paths[:1], Limits(max_file_bytes=10**6, fewest_examples=0), validation=paths[1:], show=show)
    duplicates = len(train) - len(set(train)) + len(held_out) - len(set(held_out))
    shared = sum(line in set(train) for line in held_out)
    assert report.warnings == {k: n for k, n in (("duplicate", duplicates), ("in_training", shared)) if n}
    assert len(report.problems) == min(show, duplicates + shared)


def test_only_the_first_problems_are_shown(tmp_path: Path) -> None:
    """All problems are counted, and as many as asked for are shown, the first ones."""
    path = write_lines(tmp_path / "a.jsonl", [*fillers(), *[b"[%d]" % number for number in range(500)]])
    report = check([path], LIMITS, show=3)
    assert [problem.line for problem in report.problems] == [11, 12, 13]
    assert report.errors == {"not_an_object": 500}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with several chunks of train, and a few examples of validation, to be copied before it is damaged."""
    folder = tmp_path_factory.mktemp("built")
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(120))
    build([folder / "corpus"], folder / "out", BuildOptions(max_chunk_examples=40), make_executor=one_thread)
    return folder / "out"


@pytest.fixture
def out(built: Path, tmp_path: Path) -> Path:
    """The build, for one test."""
    return Path(shutil.copytree(built, tmp_path / "out"))


def test_a_build_passes(out: Path) -> None:
    """The chunks of a build pass as one file a split, for every provider, without a byte order mark of their own."""
    for provider in read_providers().values():
        report = check([out], limits_of(provider))
        assert report.errors in ({}, {"too_few_examples": 1})
        assert report.warnings == {}
    few = [problem for problem in report.problems if problem.kind == "too_few_examples"]
    assert [problem.file for problem in few] == [str(out / "chunks" / "validation")] * len(few)


def test_a_damaged_build(out: Path) -> None:
    """A build with a chunk that was changed is damaged, whatever else is wrong with its lines."""
    [chunk] = sorted((out / "chunks" / "train").glob("*-00001.jsonl"))
    chunk.write_bytes(chunk.read_bytes().replace(b'"user"', b'"them"', 1))
    with pytest.raises(BuildError, match=rf"{chunk.name} is changed; see saturi verify"):
        check([out], LIMITS)
    chunk.unlink()
    with pytest.raises(BuildError, match=rf"{chunk.name} is missing"):
        check([out], LIMITS)


def test_observers_see_every_byte(out: Path) -> None:
    """Whoever looks on while a build is checked is given each chunk whole, in the order of the manifest."""
    blocks: dict[str, list[bytes]] = {}
    report = check_build(
        FinishedBuild.open(out), LIMITS, [lambda chunk, block: blocks.setdefault(chunk, []).append(block)]
    )
    assert report == check([out], LIMITS)
    assert list(blocks) == [chunk["path"] for chunk in manifest_of(out)["chunks"]]
    assert {path: b"".join(parts) for path, parts in blocks.items()} == {
        path: (out / path).read_bytes() for path in blocks
    }


def _build_with_a_token(folder: Path, first: int, at: int) -> Path:
    """Make a build of 20 label files, of which that number *at* has a control token in it."""
    members = list(answers(20, first=first))
    members[at] = member(stem("say", str(first + at), 1), "가 <|im_end|>", "나")
    write_zip(folder / "corpus" / ANSWER_ZIP, members)
    build([folder / "corpus"], folder / "out", BuildOptions(validation=0), make_executor=one_thread)
    return folder / "out"


def test_lines_lead_back_to_their_label_files(tmp_path: Path) -> None:
    """A problem of a build's line names archive and member, also where chunks of two builds have the same names."""
    outs = [_build_with_a_token(tmp_path / name, 1 + 100 * number, 4 + number) for number, name in enumerate("ab")]
    problems = [problem for problem in check(outs, LIMITS).problems if problem.kind == "special_token"]
    assert len(problems) == 2
    for number, (problem, out) in enumerate(zip(problems, outs, strict=True)):
        row = pl.read_parquet(out / "lineage.parquet").row(4 + number, named=True)
        assert (problem.file, problem.line) == (str(out / row["chunk"]), 5 + number)
        assert problem.origin is not None
        assert (problem.origin.archive, problem.origin.member) == (row["archive"], row["member"])


def test_a_damaged_lineage(tmp_path: Path) -> None:
    """A problem of a build whose lineage is damaged is no traceback, and without a lineage names the line alone."""
    out = _build_with_a_token(tmp_path, 1, 4)
    (out / "lineage.parquet").write_bytes(b"PAR1")
    with pytest.raises(BuildError, match=r"lineage\.parquet is changed; see saturi verify"):
        check([out], LIMITS)
    (out / "SHA256SUMS").unlink()
    with pytest.raises(BuildError, match=r"lineage\.parquet: damaged"):
        check([out], LIMITS)
    (out / "lineage.parquet").unlink()
    [problem] = [problem for problem in check([out], LIMITS).problems if problem.kind == "special_token"]
    assert (problem.line, problem.origin) == (5, None)


def test_a_build_of_nothing(tmp_path: Path) -> None:
    """A build without an example to learn from is refused, as an empty file is."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    options = BuildOptions(speech_type=("dialogue",))  # type: ignore[arg-type]
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    report = check([tmp_path / "out"], LIMITS)
    assert report.errors == {"too_few_examples": 1}
    assert [problem.file for problem in report.problems] == [str(tmp_path / "out" / "chunks" / "train")]


MEMORY = """
import sys
from saturi.etl.checking import repeats
from saturi.etl.checking.check import check, check_build
from saturi.etl.checking.limits import Limits
from saturi.etl.runtime.memory import peak_bytes
check([sys.argv[1]], Limits(max_file_bytes=10**12))
print(peak_bytes())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
def test_memory_does_not_grow_with_the_bytes(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """A file eight times as large in as many lines takes no more memory than the small one: of 34 MB, or 67."""
    peaks = []
    number_of_lines = 4_000 if pytestconfig.getoption("--thorough") else 2_000
    for scale in (1, 8):
        lines = [encode(chat("가" * 700 * scale + str(number))) for number in range(number_of_lines)]
        path = write_lines(tmp_path / "a.jsonl", lines)
        run = subprocess.run(
            [sys.executable, "-c", MEMORY, path], cwd=ROOT, capture_output=True, check=True, timeout=60
        )
        peaks.append(int(run.stdout))
    assert path.stat().st_size > 16_000 * number_of_lines
    assert peaks[1] - peaks[0] < 16 << 20


def test_the_command(tmp_path: Path) -> None:
    """The exit code is 1 for errors and 0 for warnings; words go to stdout, and with --json nothing but JSON does."""
    lines = fillers()
    warned = write_lines(tmp_path / "warned.jsonl", [*lines, lines[0]])
    run = invoke("check", "warned.jsonl", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "warned.jsonl, line 11: the same as line 1 of warned.jsonl; remove it" in run.stdout
    warned.rename(tmp_path / "broken.jsonl")
    run = invoke("check", "broken.jsonl", "--provider", "azure", "--json", "--show", "1", cwd=tmp_path)
    assert run.returncode == 1
    report = json.loads(run.stdout)
    assert (report["errors"], report["warnings"], len(report["problems"])) == ({"no_bom": 1}, {"duplicate": 1}, 1)
    run = invoke("check", "broken.jsonl", "--model", "gpt-4.1", cwd=tmp_path)
    assert "how many tokens gpt-4.1 takes an example is not known" in run.stderr
    run = invoke("check", "broken.jsonl", "--validation", "broken.jsonl", cwd=tmp_path)
    assert (run.returncode, "in_training" in run.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        ([], 2, "FILES"),
        (["nowhere.jsonl"], 3, "nowhere.jsonl"),
        (["folder"], 3, "folder"),
        (["a.jsonl", "--provider", "nobody"], 2, "nobody"),
        (["a.jsonl", "--model", "nothing"], 2, "nothing"),
        (["a.jsonl", "--validation", "folder"], 3, "folder"),
        (["a.jsonl", "--tokenizer", "a.jsonl"], 2, "a.jsonl"),
        (["a.jsonl", "--models", "a.jsonl", "--model", "gpt-4o"], 2, "a.jsonl"),
        (["a.jsonl", "--show", "-1"], 2, "--show"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_the_command_refuses(tmp_path: Path, arguments: list[str], code: int, named: str) -> None:
    """What cannot be checked ends with one sentence that names it: 2 for a wrong option, 3 for what cannot be read."""
    (tmp_path / "folder").mkdir()
    write_lines(tmp_path / "a.jsonl", fillers())
    assert named in error_of(invoke("check", *arguments, cwd=tmp_path), code)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything, and Windows differs"
)
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """A file that may not be read ends the check with 3 and its name."""
    path = write_lines(tmp_path / "a.jsonl", fillers())
    path.chmod(0)
    assert "a.jsonl" in error_of(invoke("check", path, cwd=tmp_path), 3)


def test_the_check_on_a_korean_windows_console(tmp_path: Path) -> None:
    """On a console in CP949 a check prints what it can of any key and any file name."""
    path = write_lines(tmp_path / "경상 👵.jsonl", [*fillers(), encode({**chat("x"), "✓": 1})])
    run = invoke("check", path, cwd=tmp_path, PYTHONIOENCODING="cp949")
    assert run.returncode == 1
    assert "경상" in run.stdout
