"""The page of a report: one file that needs nothing, holds nothing personal, and takes every name for text."""

import os
import re
import shutil
import stat
import sys
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path

import forked
import polars as pl
import pytest
from corpora import answers, write_zip
from evaluations import BASE, MODEL, garbled, standard
from msgspec import structs
from pages import Page
from provider import Server
from rich.cells import cell_len
from rich.console import Console
from runs import error_of, invoke, one_thread
from submissions import HASTE, KEY, hand_in

from saturi.etl.console.screens.report import show_report
from saturi.etl.errors import OptionError, StorageError
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.inspection.survey import inspect
from saturi.etl.pipeline.build import build
from saturi.etl.read.segments import FILES, SENTENCES, read_files, read_sentences
from saturi.etl.reports.outline import notes, outline
from saturi.etl.reports.page import MOST_BYTES, make_page, require_page, write_page
from saturi.etl.reports.report import report, survey_report
from saturi.etl.reports.shown_names import short
from saturi.etl.reports.words import LANGUAGES, Language
from saturi.etl.settings.options import BuildOptions
from saturi.etl.submission.watch import watch
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.report import LossPoint, Report, TrainingJob
from saturi.schemas.terms import Region


@pytest.fixture(scope="module")
def full(sample: SampleReport, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the sample with all that may lie beside one: stage, ledger with losses, an evaluation."""
    out = tmp_path_factory.mktemp("full") / "out"
    build([sample.folder], out, BuildOptions(validation=0.2), make_executor=one_thread, workers=1)
    world = server.world("report")
    world.chats |= {BASE: garbled, MODEL: standard}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        hand_in(out, server, world)
        watch(out, pace=HASTE)
        options = EvaluateOptions(
            model=(BASE, MODEL), provider="custom", base_url=server.base_url(world.name), sample=20
        )
        evaluate(out, options, pace=HASTE)
    return out


@pytest.fixture(scope="module")
def known(full: Path) -> Report:
    """The report of it."""
    return report(full)


@pytest.fixture(scope="module")
def pages(known: Report) -> dict[Language, str]:
    """Its pages."""
    return {language: make_page(known, language) for language in LANGUAGES}


def segments_of(out: Path) -> list[Path]:
    """Return the files of the segments of a build."""
    return sorted((out / "stage").rglob("*.segment"))


def sections_of(page: Page) -> list[str]:
    """Return the ids of the sections of a page."""
    return [element.attributes["id"] for element in page.all("section")]


def assert_needs_nothing(html: str) -> None:
    """Check that nothing in a page runs, and that nothing leads out of it."""
    page = Page(html)
    names = {element.name for element in page.elements}
    assert not names & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "image",
        "foreignobject",
        "base",
    }
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on")], element
        for name in ("href", "xlink:href", "src", "action", "data", "srcset", "poster"):
            assert element.attributes.get(name, "#").startswith("#"), element
    assert re.findall(r"https?:|//[a-z]|url\(|@import|javascript:", html.lower()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_needs_nothing_else(known: Report, pages: dict[Language, str], language: Language) -> None:
    """A page has no script and no address, is small, and says its language."""
    html = pages[language]
    assert_needs_nothing(html)
    assert len(html.encode()) <= MOST_BYTES == 300_000
    page = Page(html)
    assert [element.attributes["lang"] for element in page.all("html")] == [language]
    assert len(sections_of(page)) == 8
    has_hangul = re.search("[가-힣]", "".join(section.title for section in outline(known, language))) is not None
    assert has_hangul == (language == "ko")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chart_has_title_description_and_table(
    known: Report, pages: dict[Language, str], language: Language
) -> None:
    """A chart is named by its title and its description, and its numbers stand in a table beside it."""
    html = pages[language]
    page = Page(html)
    charts = page.all("svg")
    assert len(charts) == 13
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for chart in charts:
        assert chart.attributes["role"] == "graphics-document"
        assert all(name in ids for name in chart.attributes["aria-labelledby"].split())
    for figure in re.findall(r"<figure.*?</figure>", html, flags=re.DOTALL):
        assert figure.count("<caption>") == figure.count("<table>") == 1
        assert '<th scope="col"' in figure
        if "<svg" in figure:
            assert re.search(r"<title id=\S+>[^<]+</title><desc id=\S+>[^<]+</desc>", figure)
    assert all(
        figure.description and figure.table.rows for section in outline(known, language) for figure in section.figures
    )


def test_nothing_personal(full: Path, pages: dict[Language, str]) -> None:
    """No text of the corpus, no name of a label file and no speaker is on a page; with --text there are words, and no more."""
    with_text = report(full, text=True)
    assert with_text.texts is not None
    plain, worded = (Page(page).text for page in (pages["ko"], make_page(with_text, "ko")))
    segments = segments_of(full)
    files = pl.concat([read_files(path, FILES.names()) for path in segments])
    sentences = pl.concat([read_sentences(path, SENTENCES.names()) for path in segments])
    members = {name for member in files["member"] for name in (member, member.rpartition("/")[2], Path(member).stem)}
    speakers = {name for names in files["speakers"].drop_nulls() for name in re.split("[\n\x1f]", names)}
    spellings = ("pronunciation", "dialect", "standard")
    texts = {value for frame in (files, sentences) for name in spellings for value in frame[name].drop_nulls()}
    secrets = [value for value in members | speakers | texts if len(value.split()) > 1 or len(value) > 5]
    assert len(secrets) > 1_000
    assert [value for value in secrets if value in plain or value in worded] == []
    words = {word for value in texts if value.count(" ") for word in value.split() if len(word) > 3}
    changed = [word for word in with_text.texts.words if word.source in words]
    assert changed
    for shown, text in ((plain, False), (worded, True)):
        assert any(f"\n{word.source}\n" in shown for word in changed) == text


HOSTILE = {
    "element": "<script>alert(1)<",
    "attribute": "\"' onmouseover='alert(1)' x=\"",
    "style": "<style>*{display:none}",
    "template": "{{ 7 * 7 }}{% raw %}",
    "entity": "&lt;b&gt;&#60;b&#62;",
    "comment": "<!-- ",
    "direction": "\u202egnp.\u2066",
    "controls": "\x1b[2J\r\n\t",
    "address": "https:evil.example",
    "cdata": "]]><![CDATA[",
    "noncharacter": "\ufffe",
    "large-signs-that-are-cut": "a" * 17 + "\U0001f389" * 30,
    "bytes": os.fsdecode(b"\xb0\xad\xff"),
}


def test_a_hostile_name_stays_text(known: Report, pages: dict[Language, str], tmp_path: Path) -> None:
    """Whatever an archive, a job, a model, a system or an evaluation is called, is text on the page, and looks like what it is."""
    names = list(HOSTILE.values())
    for name in names:
        write_zip(tmp_path / "corpus" / f"{name}.zip", answers(1))
    first = survey_report(inspect(tmp_path / "corpus", workers=1, make_executor=one_thread)).corpus
    assert first is not None
    [job] = known.jobs
    [evaluation] = known.evaluations.values()
    altered = structs.replace(
        known,
        corpus=first,
        jobs=[structs.replace(job, title=name, model=name, status=name) for name in reversed(names)],
        evaluations={
            names[at]: structs.replace(
                evaluation,
                systems=[
                    evaluation.systems[0],
                    *(structs.replace(evaluation.systems[-1], name=name) for name in names[at : at + 4]),
                ],
            )
            for at in (0, 4, 8)
        },
    )
    plain, hostile = Page(pages["en"]), Page(make_page(altered, "en"))
    assert {element.name for element in hostile.elements} == {element.name for element in plain.elements}
    attributes = [{key for element in page.elements for key in element.attributes} for page in (hostile, plain)]
    assert attributes[0] == attributes[1]
    assert [row.archive for row in first.archives if short(row.archive, 120) not in hostile.text] == []
    assert [name for name in names if hostile.text.count(short(name)) < 3] == []


def test_names_that_are_alike_stay_apart(known: Report) -> None:
    """Two tunes whose names differ at their end, or only where they are cut, have columns and points of their own."""
    [evaluation] = known.evaluations.values()
    tune = evaluation.systems[-1]
    alike = [f"ft:gpt-4.1-mini-2025-04-14:organisation:{'saturi' * 5}:{end}" for end in ("AbCdEf12", "XyZ98765")]
    systems = [
        evaluation.systems[0],
        *(structs.replace(tune, name=name) for name in [*alike, alike[0].replace("ri", "ru", 1)]),
    ]
    shown = structs.replace(known, evaluations={"v": structs.replace(evaluation, systems=systems)})
    [section] = [section for section in outline(shown, "en") if section.key == "evaluation-v"]
    for figure in section.figures:
        columns = figure.table.header[-3:]
        assert len(set(columns)) == 3
        assert columns[0].endswith("AbCdEf12")
        assert columns[1].endswith("XyZ98765")
    points = section.figures[0].chart
    assert points is not None
    assert len({row["name"] for row in points["data"]["values"]}) == 4


def test_what_is_left_out_is_said(known: Report) -> None:
    """Systems, jobs, steps and evaluations that have no room on a page are counted on it."""
    [evaluation], [job] = known.evaluations.values(), known.jobs
    systems = [evaluation.systems[0], *(structs.replace(evaluation.systems[-1], name=f"m{n}") for n in range(7))]
    losses = [
        LossPoint(step=step, train=1 / step, validation=2 / step if step % 10 == 0 else None) for step in range(1, 331)
    ]
    losses[6] = LossPoint(step=7, train=float("inf"), validation=None)
    shown = structs.replace(
        known,
        jobs=[structs.replace(job, losses=losses)] * 5,
        evaluations={"v": structs.replace(evaluation, systems=systems)},
        earlier_evaluations=2,
    )
    sections = {section.key: section for section in outline(shown, "en")}
    assert "The first 5 of 8 systems are shown." in sections["evaluation-v"].sentences
    assert sections["training"].sentences == ["Losses are shown of the first 3 of 5 jobs that have any."]
    assert notes(shown, "en") == ["2 earlier evaluations are not shown."]
    figure = sections["training"].figures[1]
    assert figure.description.endswith("32 of 330 steps.")
    rows = {step: (train, validation) for step, train, validation in figure.table.rows}
    assert rows.keys() >= {"1", "10", "329", "330"}
    assert sum(validation != "–" for _, validation in rows.values()) == 16
    assert figure.chart is not None
    assert float("inf") not in [row["number"] for row in figure.chart["data"]["values"]]


def test_sums_are_visible(known: Report, pages: dict[Language, str]) -> None:
    """In the table of the flow, label files less the rejects are those that were read, and so on to the examples."""
    [flow] = [section for section in outline(known, "en") if section.key == "flow"]
    rows = [(name, int(number.replace(",", ""))) for name, number, _ in flow.figures[0].table.rows]
    left, checked = 0, 0
    for name, number in rows:
        if name.startswith("−"):
            left -= number
        elif name.startswith("="):
            assert left == number
            checked += 1
        elif not name.startswith(" "):
            left = number
    assert checked == 2
    labels = re.findall(r'aria-label="([^"]*: [\d,]+)"', pages["en"])
    for name, number in rows:
        if name.startswith("−"):
            assert f"{name.partition(': ')[2]}: {number:,}" in labels


def test_the_page_of_the_largest_build(known: Report) -> None:
    """Any number of archives, shards, jobs, steps, evaluations, systems, options and chunks makes no page over 300 kB."""
    assert known.corpus is not None
    assert known.estimate is not None
    assert known.record is not None
    quotes = '"' * 9_000  # the longest in HTML
    archive = structs.replace(known.corpus.archives[0], archive=quotes)
    losses = [LossPoint(step=step, train=1 / step, validation=2 / step) for step in range(1, 2_001)]
    job = TrainingJob(title=quotes, model=quotes, status=quotes, epochs=3, examples=9, trained_tokens=9, losses=losses)
    [evaluation] = known.evaluations.values()
    system = evaluation.systems[-1]
    systems = [evaluation.systems[0], *(structs.replace(system, name=f"{quotes}{place}") for place in range(30))]
    shards = [structs.replace(known.estimate.shards[0], region=f"r{place}") for place in range(200)]
    altered = structs.replace(
        known,
        corpus=structs.replace(known.corpus, archives=[archive] * 2_000, sets={f"{place}": 1 for place in range(500)}),
        jobs=[job] * 50,
        estimate=structs.replace(known.estimate, shards=shards),
        evaluations={f"{place}{quotes}": structs.replace(evaluation, systems=systems) for place in range(3)},
        record=structs.replace(
            known.record,
            sums={f"chunks/{place}": "0" * 64 for place in range(2_000)},
            command="saturi " + quotes,
            options=dict.fromkeys(known.record.options, quotes),
        ),
    )
    html = make_page(altered, "ko")
    assert len(html.encode()) <= MOST_BYTES
    assert "외 1,960개" in html


PARTS: dict[str, tuple[Callable[[Path], object], list[str], int]] = {
    "stage": (lambda out: shutil.rmtree(out / "stage"), ["stage"], 8),
    "a-segment": (lambda out: segments_of(out)[0].unlink(), ["stage"], 8),
    "ledger": (lambda out: (out / "ledger.sqlite").unlink(), [], 7),
    "damaged-ledger": (lambda out: (out / "ledger.sqlite").write_bytes(b"no ledger" * 99), ["ledger"], 7),
    "evaluation": (lambda out: shutil.rmtree(out / "evaluation"), [], 7),
    "damaged-evaluation": (
        lambda out: (out / "evaluation/validation/scores.json").write_bytes(b"{"),
        ["evaluation"],
        7,
    ),
    "times": (lambda out: (out / "build.json").unlink(), [], 8),
    "rejects": (lambda out: (out / "rejects.jsonl").unlink(), [], 8),
    "lineage": (lambda out: (out / "lineage.parquet").unlink(), [], 8),
    "decisions": (lambda out: (out / "decisions.parquet").unlink(), ["stage"], 8),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_not_there(full: Path, tmp_path: Path, part: str) -> None:
    """What is missing or damaged beside the chunks leaves its part out, which the page says; the others stay."""
    out = Path(shutil.copytree(full, tmp_path / "out"))
    remove, missing, sections = PARTS[part]
    remove(out)
    known = report(out)
    assert known.missing == missing
    shown = outline(known, "en")
    assert len(shown) == sections
    assert len(notes(known, "en")) == len(missing)
    assert str(tmp_path) not in f"{shown} {notes(known, 'en')}"


def test_a_damaged_build_is_refused(full: Path, tmp_path: Path) -> None:
    """A chunk that is not as it was written makes no report, and no page."""
    out = Path(shutil.copytree(full, tmp_path / "out"))
    chunk = next((out / "chunks").rglob("*.jsonl"))
    chunk.write_bytes(chunk.read_bytes().replace(b"user", b"usor", 1))
    error_of(invoke("report", out, cwd=tmp_path), 3)
    assert not (out / "report.html").exists()


def test_a_build_without_an_example(tmp_path: Path) -> None:
    """A build that has dropped everything has a report, too."""
    write_zip(tmp_path / "corpus" / "a.zip", answers(3))
    build(
        [tmp_path / "corpus"],
        tmp_path / "out",
        BuildOptions(region=(Region.JEJU,)),
        make_executor=one_thread,
        workers=1,
    )
    assert_needs_nothing(make_page(report(tmp_path / "out"), "ko"))


def test_the_commands_write_the_same_page(here: Path) -> None:
    """`report`, `build --report` and `evaluate --report` write OUT/report.html; `inspect --report` its first part to a file."""
    built = invoke("build", "corpus", "--out", "out", "--workers", "1", "--report", cwd=here, LC_ALL="ko_KR.UTF-8")
    assert f"Report: {Path('out', 'report.html')}" in built.stderr
    page = (here / "out" / "report.html").read_bytes()
    assert b'lang="ko"' in page
    shown = invoke("report", "out", "--to", "again.html", cwd=here, LC_ALL="", LC_MESSAGES="", LANG="ko_KR.UTF-8")
    assert (shown.stdout, (here / "again.html").read_bytes()) == ("Next: open again.html in a browser\n", page)
    invoke("evaluate", "out", "--report", cwd=here, LC_ALL="C")
    assert b"Evaluation: validation" in (here / "out" / "report.html").read_bytes()
    invoke("inspect", "corpus", "--report", "corpus.html", "--workers", "1", cwd=here, LC_ALL="C")
    first = (here / "corpus.html").read_text(encoding="utf-8")
    assert_needs_nothing(first)
    assert sections_of(Page(first)) == ["1"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [60, 120])
def test_the_terminal_has_the_same_facts(known: Report, language: Language, width: int) -> None:
    """Every number of the page is in the terminal, too, in either language, and only a command or a word is wider than it."""
    screen = StringIO()
    console = Console(file=screen, width=width)
    show_report(console, known, language)
    shown = screen.getvalue()
    for section in outline(known, language):
        assert section.title in shown
        cells = [cell for figure in section.figures for row in figure.table.rows for cell in row]
        numbers = filter(re.compile(r"[\d,.]+").fullmatch, cells)
        assert [number for number in numbers if number not in shown] == []
    wide = [line for line in shown.splitlines() if cell_len(line) > width and "saturi build" not in line]
    assert [line for line in wide if len(line.split()) > 1] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["report", "out", "--terminal", "--to", "x.html"], "--to: with --terminal no page is written"),
        (["build", "corpus", "--out", "new", "--dry-run", "--report"], "--report: nothing is built with --dry-run"),
        (["evaluate", "--file", "x.jsonl", "--report"], "--report: a report is of a build"),
        (["report", "out", "--model", "nobody"], "nobody"),
    ],
)
def test_options_that_do_not_fit(full: Path, arguments: list[str], sentence: str) -> None:
    """Options that exclude each other are refused before anything is done."""
    assert sentence in error_of(invoke(*arguments, cwd=full.parent), 2)
    assert not (full.parent / "new").exists()


@pytest.mark.parametrize("library", ["jinja2", "vl_convert"])
def test_the_libraries_are_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str) -> None:
    """Without the extra, the sentence says how to get it."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        OptionError, match=rf"the package {library} is not installed; run `pip install 'saturi\[report\]'`"
    ):
        require_page(tmp_path / "page.html")


def test_the_terminal_needs_no_extra(full: Path, here: Path) -> None:
    """Where the extra is not installed, a build that wants a page does not begin, and the terminal has the report."""
    script = here / "without.py"
    script.write_text("import sys; sys.modules['vl_convert'] = None; import cli; cli.main()", encoding="utf-8")
    run = partial(forked.run, script, cwd=here)
    error_of(run("build", "corpus", "--out", "new", "--report"), 2)
    assert not (here / "new").exists()
    before = set(full.rglob("*"))
    assert run("report", full, "--terminal").returncode == 0
    assert set(full.rglob("*")) == before


def test_only_a_page_is_overwritten(known: Report, tmp_path: Path) -> None:
    """A page takes the place of none, of an empty file, of a page, or of one that a link leads to; of nothing else."""
    page = tmp_path / "page.html"
    page.touch()
    link = tmp_path / "link.html"
    link.symlink_to(page)
    corpus = structs.replace(Report(version="1"), corpus=known.corpus)
    for path in (page, page, link):
        write_page(corpus, path)
    assert link.is_symlink()
    written = page.read_bytes()
    thesis, pipe = tmp_path / "thesis.html", tmp_path / "pipe"
    thesis.write_text("<!DOCTYPE html>\n<p>saturi", encoding="utf-8")
    os.mkfifo(pipe)
    for path in (thesis, pipe, tmp_path, Path("/dev/null")):
        with pytest.raises(StorageError, match="name another file"):
            write_page(corpus, path)
        with pytest.raises(StorageError):
            require_page(path)
    for name in ("", "-"):
        with pytest.raises(OptionError):
            require_page(name)
    assert (thesis.read_bytes(), page.read_bytes()) == (b"<!DOCTYPE html>\n<p>saturi", written)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_folder_that_takes_no_page(known: Report, tmp_path: Path) -> None:
    """A page that cannot be written leaves nothing."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        write_page(structs.replace(Report(version="1"), corpus=known.corpus), tmp_path / "file" / "page.html")
    with pytest.raises(ValueError, match="'fr' is none of en, ko"):
        write_page(known, tmp_path / "page.html", "fr")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
