"""The Korean documents are twins of the English ones."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from saturi.etl.reports.words import Words

ROOT = Path(__file__).parents[1]
ENGLISH, KOREAN = ROOT / "docs", ROOT / "docs" / "ko"
ENGLISH_ONLY = {"api", "changelog", "contributing", "python", "speed"}
"""Pages without a Korean twin."""

TWINS = sorted(page.stem for page in KOREAN.glob("*.md") if page.stem not in ("index", "glossary"))
"""Pages of one structure in both languages; the Korean index lists pages, and the Korean glossary is one table."""

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)]+)\)")


class Section(NamedTuple):
    """What a section has in any language: the level of its heading, and what is not translated in it."""

    level: int
    spans: set[str]
    numbers: set[str]
    rows: list[list[set[str]]]
    links: Counter[str]


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _spans(text: str) -> set[str]:
    return {" ".join(span.split()) for span in _SPAN.findall(text)}


def _rows(text: str) -> list[list[set[str]]]:
    """Return the code in each cell of each row of the tables in *text*."""
    lines = re.findall(r"^\| ?(.*?) ?\|$", text, flags=re.MULTILINE)
    return [[_spans(cell) for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def _english(page: Path) -> Path | None:
    """Return the English twin of a Korean *page*, if it is one."""
    if page == ROOT / "README.ko.md":
        return ROOT / "README.md"
    return ENGLISH / page.name if page.parent == KOREAN else None


def _target(link: str, page: Path) -> str:
    """Return the English page, file or address that a *link* of *page* leads to."""
    path = link.partition("#")[0]
    if ":" in path:
        return path
    target = (page.parent / path).resolve() if path else page
    return str(_english(target) or target)


def _sections(page: Path) -> list[Section]:
    parts = re.split(r"^(#+)(?= )", _FENCE.sub("", _read(page)), flags=re.MULTILINE)
    return [
        Section(
            level=len(mark),
            spans=_spans(text),
            numbers=set(re.findall(r"\d(?:[\d,.]*\d)?", _LINK.sub("]", _SPAN.sub("", text)))),
            rows=_rows(text),
            links=Counter(_target(link, page) for link in _LINK.findall(text)),
        )
        for mark, text in zip(parts[1::2], parts[2::2], strict=True)
    ]


def _code(page: Path) -> list[str]:
    """Return the lines of the code blocks of *page* without comments; of trees of folders the paths."""
    return [
        line.split("   ")[0] if language == "text" else re.sub(r"(^|\s+)# .*", "", line)
        for language, block in _FENCE.findall(_read(page))
        for line in (block.replace("\n  ", "\n") if language == "text" else block).splitlines()
    ]


def test_every_page_has_a_korean_twin() -> None:
    """Every page is there in Korean, or is named here as one that is not, and no Korean page is without its English one."""
    assert {page.stem for page in ENGLISH.glob("*.md")} - ENGLISH_ONLY == {page.stem for page in KOREAN.glob("*.md")}


@pytest.mark.parametrize("name", TWINS)
def test_the_korean_page_says_what_the_english_page_says(name: str) -> None:
    """Both twins have the same headings by level, and in each section the same code, numbers, cells with code, and links."""
    english, korean = _sections(ENGLISH / f"{name}.md"), _sections(KOREAN / f"{name}.md")
    assert [section.level for section in korean] == [section.level for section in english]
    for ours, theirs in zip(korean, english, strict=True):
        assert ours.rows == theirs.rows
        assert ours.spans == theirs.spans
        assert ours.links == theirs.links
        # Korean has figures where English has words: `10분` is "ten minutes".
        assert theirs.numbers <= ours.numbers


@pytest.mark.parametrize("name", TWINS)
def test_the_korean_page_shows_the_same_code(name: str) -> None:
    """The code blocks of both twins are the same line by line, but for comments."""
    assert _code(KOREAN / f"{name}.md") == _code(ENGLISH / f"{name}.md")


@pytest.mark.parametrize("page", [ROOT / "README.ko.md", *sorted(KOREAN.glob("*.md"))], ids=lambda page: page.name)
def test_korean_pages_lead_to_korean_pages(page: Path) -> None:
    """A link from a Korean page leads to the Korean page where there is one, but for the link to its own English twin."""
    for link in _LINK.findall(_read(page)):
        target = (page.parent / link.partition("#")[0]).resolve()
        assert target == _english(page) or target.parent != ENGLISH or not (KOREAN / target.name).exists(), link


def _glossary(page: Path, columns: int) -> dict[str, list[str]]:
    """Return the other cells of the rows with so many *columns* by the term in the first one."""
    rows = [re.split(r" ?\| ?", line) for line in re.findall(r"^\| (.*?) ?\|$", _read(page), flags=re.MULTILINE)]
    return {row[0]: row[1:] for row in rows if len(row) == columns and row[0] not in ("term", "용어", "---")}


def test_the_korean_glossary_has_every_term() -> None:
    """The Korean glossary has each term of the English one, by the same Korean word where that has one."""
    english = {term: word for term, (_, word) in _glossary(ENGLISH / "glossary.md", 3).items() if "`" not in term}
    korean = {term: word for term, (word, _) in _glossary(KOREAN / "glossary.md", 3).items() if "`" not in term}
    assert list(korean) == list(english)
    assert all(korean.values())
    assert {term: word for term, word in english.items() if word} == {
        term: korean[term] for term, word in english.items() if word
    }


def test_the_korean_glossary_and_the_report_use_the_same_words() -> None:
    """Regions, reasons, rules and states are called in the Korean glossary what the Korean report calls them."""
    words = Words("ko")
    rows = re.findall(r"^\| `([a-z_]+)` \| (.*?) \| (.*?) \|$", _read(KOREAN / "glossary.md"), flags=re.MULTILINE)
    assert len(rows) > 80
    for term, word, meaning in rows:
        shown = words.rule(term) if meaning.startswith("정제 규칙") else words.term(term)
        assert word == shown or not re.search("[가-힣]", shown), term
