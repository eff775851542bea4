"""The page of a report: one file that needs nothing, holds nothing personal, and takes every name for text."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from corpora import answers, write_zip
from evaluations import BASE, MODEL, garbled, standard
from msgspec import structs
from pages import Page
from provider import Server
from runs import ROOT, error_of, one_thread, saturi
from submissions import HASTE, KEY, hand_in

from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.inspection.survey import inspect
from saturi.etl.output.printable import printable
from saturi.etl.pipeline.build import build
from saturi.etl.read.segments import FILES, SENTENCES, read_files, read_sentences
from saturi.etl.reports.outline import outline
from saturi.etl.reports.page import make_page, write_page
from saturi.etl.reports.report import report, survey_report
from saturi.etl.reports.words import LANGUAGES, Language
from saturi.etl.settings.options import BuildOptions
from saturi.etl.submission.watch import watch
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.report import LossPoint, Report, TrainingJob
from saturi.schemas.terms import Region

MOST_BYTES = 300_000


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
def test_a_page_needs_nothing_else(known: Report, language: Language) -> None:
    """A page has no script and no address, is small, and says its language."""
    html = make_page(known, language)
    assert_needs_nothing(html)
    assert len(html.encode()) <= MOST_BYTES
    page = Page(html)
    assert [element.attributes["lang"] for element in page.all("html")] == [language]
    assert len(sections_of(page)) == 8
    has_hangul = re.search("[가-힣]", "".join(section.title for section in outline(known, language))) is not None
    assert has_hangul == (language == "ko")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chart_has_title_description_and_table(known: Report, language: Language) -> None:
    """A chart is named by its title and its description, and its numbers stand in a table beside it."""
    html = make_page(known, language)
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


@pytest.mark.parametrize("text", [False, True], ids=["without-text", "with-text"])
def test_nothing_personal(full: Path, *, text: bool) -> None:
    """No text of the corpus, no name of a label file and no speaker is on a page; with --text there are words, and no more."""
    shown = Page(make_page(report(full, text=text), "ko")).text
    segments = segments_of(full)
    files = pl.concat([read_files(path, FILES.names()) for path in segments])
    sentences = pl.concat([read_sentences(path, SENTENCES.names()) for path in segments])
    members = {name for member in files["member"] for name in (member, member.rpartition("/")[2], Path(member).stem)}
    speakers = {name for names in files["speakers"].drop_nulls() for name in re.split("[\n\x1f]", names)}
    spellings = ("pronunciation", "dialect", "standard")
    texts = {value for frame in (files, sentences) for name in spellings for value in frame[name].drop_nulls()}
    secrets = [value for value in members | speakers | texts if len(value.split()) > 1 or len(value) > 5]
    assert len(secrets) > 1_000
    assert [value for value in secrets if value in shown] == []
    words = {word for value in texts if value.count(" ") for word in value.split() if len(word) > 3}
    changed = [word for word in report(full, text=True).texts.words if word.source in words]  # type: ignore[union-attr]
    assert changed
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
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_stays_text(known: Report, tmp_path: Path, name: str) -> None:
    """Whatever an archive, a job, a model, a system or an evaluation is called, is text on the page, and looks like what it is."""
    write_zip(tmp_path / name / f"{name}.zip", answers(3))
    first = survey_report(inspect(tmp_path / name, workers=1, make_executor=one_thread)).corpus
    assert first is not None
    assert known.corpus is not None
    [job] = known.jobs
    [evaluation] = known.evaluations.values()
    systems = [structs.replace(system, name=f"{name}{place}") for place, system in enumerate(evaluation.systems)]
    altered = structs.replace(
        known,
        corpus=structs.replace(known.corpus, archives=[*known.corpus.archives, *first.archives]),
        jobs=[structs.replace(job, title=name, model=name, status=name)],
        evaluations={name: structs.replace(evaluation, systems=systems)},
    )
    plain, hostile = Page(make_page(known, "en")), Page(make_page(altered, "en"))
    assert {element.name for element in hostile.elements} == {element.name for element in plain.elements}
    attributes = [{key for element in page.elements for key in element.attributes} for page in (hostile, plain)]
    assert attributes[0] == attributes[1]
    assert printable(f"{name}.zip") in hostile.text
    assert hostile.text.count(printable(name)) > 5


def test_sums_are_visible(known: Report) -> None:
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
    labels = re.findall(r'aria-label="([^"]*: [\d,]+)"', make_page(known, "en"))
    for name, number in rows:
        if name.startswith("−"):
            assert f"{name.partition(': ')[2]}: {number:,}" in labels


def test_the_page_of_the_largest_build(known: Report) -> None:
    """Any number of archives, shards, jobs, steps, evaluations, systems, options and chunks makes no page over 300 kB."""
    assert known.corpus is not None
    assert known.estimate is not None
    assert known.record is not None
    archive = structs.replace(known.corpus.archives[0], archive="가" * 250)
    losses = [LossPoint(step=step, train=1 / step, validation=2 / step) for step in range(1, 20_001)]
    job = TrainingJob(
        title="나" * 60, model="m" * 60, status="succeeded", epochs=3, examples=9, trained_tokens=9, losses=losses
    )
    [evaluation] = known.evaluations.values()
    system = evaluation.systems[-1]
    systems = [evaluation.systems[0], *(structs.replace(system, name=f"ft:{'x' * 60}{place}") for place in range(30))]
    shards = [structs.replace(known.estimate.shards[0], region=f"r{place}") for place in range(200)]
    altered = structs.replace(
        known,
        corpus=structs.replace(known.corpus, archives=[archive] * 20_000, sets={f"{place}": 1 for place in range(500)}),
        jobs=[job] * 50,
        estimate=structs.replace(known.estimate, shards=shards),
        evaluations={f"{place}": structs.replace(evaluation, systems=systems) for place in range(3)},
        record=structs.replace(
            known.record,
            sums={f"chunks/{place}": "0" * 64 for place in range(20_000)},
            command="saturi " + "가" * 90_000,
            options=dict.fromkeys(known.record.options, "나" * 9_000),
        ),
    )
    html = make_page(altered, "ko")
    assert len(html.encode()) <= MOST_BYTES
    assert "외 19,960개" in html


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
    html = make_page(known, "en")
    assert len(sections_of(Page(html))) == sections
    assert html.count('<p class="note">') == len(missing)
    assert str(tmp_path) not in html


def test_a_damaged_build_is_refused(full: Path, tmp_path: Path) -> None:
    """A chunk that is not as it was written makes no report, and no page."""
    out = Path(shutil.copytree(full, tmp_path / "out"))
    chunk = next((out / "chunks").rglob("*.jsonl"))
    chunk.write_bytes(chunk.read_bytes().replace(b"user", b"usor", 1))
    error_of(saturi("report", out, cwd=tmp_path), 3)
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
    built = saturi("build", "corpus", "--out", "out", "--workers", "1", "--report", cwd=here, LC_ALL="ko_KR.UTF-8")
    assert f"Report: {Path('out', 'report.html')}" in built.stderr
    page = (here / "out" / "report.html").read_bytes()
    assert b'lang="ko"' in page
    shown = saturi("report", "out", "--to", "again.html", cwd=here, LC_ALL="", LC_MESSAGES="", LANG="ko_KR.UTF-8")
    assert (shown.stdout, (here / "again.html").read_bytes()) == ("", page)
    saturi("evaluate", "out", "--report", cwd=here, LC_ALL="C")
    assert b"Evaluation: validation" in (here / "out" / "report.html").read_bytes()
    saturi("inspect", "corpus", "--report", "corpus.html", "--workers", "1", cwd=here, LC_ALL="C")
    first = (here / "corpus.html").read_text(encoding="utf-8")
    assert_needs_nothing(first)
    assert sections_of(Page(first)) == ["1"]


def test_the_terminal_has_the_same_facts(full: Path, known: Report) -> None:
    """Every number of the page is in the terminal, too, in either language, and nothing is written."""
    before = set(full.rglob("*"))
    for language in LANGUAGES:
        shown = saturi("report", full, "--terminal", "--lang", language, cwd=full)
        for section in outline(known, language):
            assert section.title in shown.stdout
            cells = [cell for figure in section.figures for row in figure.table.rows for cell in row]
            numbers = filter(re.compile(r"[\d,.]+").fullmatch, cells)
            assert [number for number in numbers if number not in shown.stdout] == []
    assert set(full.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["report", "out", "--terminal", "--to", "x.html"], "--to: with --terminal no page is written"),
        (["report", "out", "--to", ""], "the path is empty"),
        (["build", "corpus", "--out", "new", "--dry-run", "--report"], "--report: nothing is built with --dry-run"),
        (["evaluate", "--file", "x.jsonl", "--report"], "--report: a report is of a build"),
        (["report", "out", "--model", "nobody"], "nobody"),
    ],
)
def test_options_that_do_not_fit(here: Path, arguments: list[str], sentence: str) -> None:
    """Options that exclude each other are refused before anything is done."""
    build([here / "corpus"], here / "out", make_executor=one_thread, workers=1)
    assert sentence in error_of(saturi(*arguments, cwd=here), 2)
    assert not (here / "new").exists()


@pytest.mark.parametrize("library", ["jinja2", "vl_convert"])
def test_the_libraries_are_not_installed(here: Path, library: str) -> None:
    """Without the extra, the sentence says how to get it, before a build begins; the terminal needs none of it."""
    build([here / "corpus"], here / "out", make_executor=one_thread, workers=1)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = "from saturi.__main__ import main; main()"
        code = f"import sys; sys.modules[{library!r}] = None; sys.argv[1:] = {arguments!r}; {command}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(
            [sys.executable, "-c", code], cwd=here, env=environment, capture_output=True, encoding="utf-8", check=False
        )

    for arguments in (
        ["report", "out"],
        ["build", "corpus", "--out", "new", "--report"],
        ["inspect", "corpus", "--report", "x"],
    ):
        sentence = error_of(run(*arguments), 2)
        assert f"the package {library} is not installed; run `pip install 'saturi[report]'`" in sentence
    assert not (here / "new").exists()
    assert run("report", "out", "--terminal").returncode == 0


def test_a_folder_that_takes_no_page(full: Path, tmp_path: Path) -> None:
    """A page that cannot be written ends with 5, and leaves nothing."""
    (tmp_path / "file").write_bytes(b"")
    error_of(saturi("report", full, "--to", tmp_path / "file" / "page.html", cwd=tmp_path), 5)
    with pytest.raises(ValueError, match="'fr' is none of en, ko"):
        write_page(report(full), tmp_path / "page.html", "fr")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
