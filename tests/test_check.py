"""Check, line by line: what is good passes, and what is broken is told for its reason and no other."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from chats import ERRORS, WARNINGS, Line, chat, encode, fillers, good_lines, write_lines
from coverings import examples
from hypothesis import given
from msgspec import structs

from saturi import check
from saturi.etl.checking.advice import ADVICE
from saturi.etl.checking.diagnosis import diagnose
from saturi.etl.checking.limits import Limits, limits_of
from saturi.etl.checking.report import CheckReport, Kind
from saturi.etl.example.tokens import Tokenizer
from saturi.etl.output.lines import BOM
from saturi.etl.providers.profiles import read_providers

LIMITS = Limits(max_file_bytes=10_000)
BROKEN = ERRORS | WARNINGS
OF_FILES = {
    "bom",
    "no_bom",
    "line_too_long",
    "too_few_examples",
    "file_too_large",
    "control_token",
    "too_many_tokens",
    "duplicate",
    "in_training",
}


def found_in(report: CheckReport) -> list[tuple[str, int | None, int | None]]:
    """Return kind, line and message of every problem shown."""
    return [(problem.kind.value, problem.line, problem.message) for problem in report.problems]


def test_every_kind_is_tried() -> None:
    """Each kind of problem has advice, and is either in a table of broken lines or a matter of whole files."""
    assert set(ADVICE) == set(Kind)
    assert {kind for kind, *_ in BROKEN.values()} | OF_FILES == {kind.value for kind in Kind}
    assert all(ADVICE[Kind(kind)].severity == "error" for kind, *_ in ERRORS.values())
    assert all(ADVICE[Kind(kind)].severity == "warning" for kind, *_ in WARNINGS.values())


@given(line=good_lines())
@examples(50)
def test_good_lines(tmp_path: Path, line: Line) -> None:
    """A good line of any form passes, with letters as they are or as escapes, and with CRLF at its end."""
    for content in (encode(line), encode(line, ascii_only=True), encode(line) + b"\r"):
        assert diagnose(content).findings == []
        report = check([write_lines(tmp_path / "a.jsonl", [*fillers(), content])], LIMITS)
        assert (report.errors, report.warnings, report.examples) == ({}, {}, 11)


@given(line=good_lines())
@examples(50)
def test_broken_lines(tmp_path: Path, line: Line) -> None:
    """A good line broken in any one way is told for that reason and no other, with its line and its message."""
    broken = [break_it(line) for _, _, break_it in BROKEN.values()]
    path = write_lines(tmp_path / "a.jsonl", [*fillers(), *broken, encode(chat("끝"))])
    report = check([path], Limits(max_file_bytes=10_000_000), show=2 * len(broken))
    assert found_in(report) == [
        (kind, number, len(json.loads(line_bytes)["messages"]) - 1 if message == -1 else message)
        for number, ((kind, message, _), line_bytes) in enumerate(zip(BROKEN.values(), broken, strict=True), 11)
    ]
    assert report.errors | report.warnings == Counter(kind for kind, *_ in BROKEN.values())


TOKENS = {
    "fim": ("나 <|fim_suffix|>", {"content": "나 <|fim_suffix|>"}, 1),
    "escaped": ("나", {"content": "\\u003c|endoftext|\\u003e"}, 1),
    "name": ("나", {"content": "나", "name": "<|im_start|>"}, 1),
    "arguments": ("나", {"content": "나", "function_call": {"name": "x", "arguments": "<|im_end|>"}}, 1),
}


@pytest.mark.parametrize(("target", "fields", "message"), TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    ("provider", "kind"),
    [("openai", "control_token"), ("azure", "control_token"), ("nebius", "special_token"), ("custom", "special_token")],
)
def test_control_tokens(
    tmp_path: Path, target: str, fields: dict[str, Any], message: int, provider: str, kind: str
) -> None:
    """A control token anywhere in a message is an error where jobs fail for it, and else one to warn of."""
    line = encode(chat("가", target, **fields)).replace(rb"\\u", rb"\u")
    limits = structs.replace(limits_of(read_providers()[provider]), bom="refused")
    report = check([write_lines(tmp_path / "a.jsonl", [*fillers(), line])], limits)
    assert found_in(report) == [(kind, 11, message)]


def test_other_marks_are_no_control_tokens(tmp_path: Path) -> None:
    """What only looks like a control token of OpenAI is one to warn of; both in one message are two problems."""
    limits = limits_of(read_providers()["openai"])
    lines = [encode(chat("가", text)) for text in ("<|laugh|>", "<|im_end|> <|laugh|> <|im_end|>", "< |im_end|>", "<|")]
    report = check([write_lines(tmp_path / "a.jsonl", [*fillers(), *lines])], limits)
    assert found_in(report) == [("special_token", 11, 1), ("control_token", 12, 1), ("special_token", 12, 1)]
    assert report.problems[1].detail == "<|im_end|>, 2 times"


@pytest.mark.parametrize("name", ["없는 열쇠", "speaker id", "x" * 41])
def test_a_report_holds_no_text(tmp_path: Path, name: str) -> None:
    """What a problem says quotes nothing that may be text: neither contents nor keys and roles that are no plain names."""
    hidden = "할매가 마이 묵었나"
    lines: list[Any] = [
        chat(hidden, id=hidden),
        {**chat(hidden), name: hidden},
        {"messages": [{"role": name, "content": hidden}]},
        hidden,
        {"messages": hidden},
        chat(hidden, weight=hidden),
        chat(hidden, tool_calls=hidden),
        {
            "messages": [
                {"role": "user", "content": [hidden]},
                {"role": "assistant", "content": hidden, "name": [hidden]},
            ]
        },
    ]
    path = write_lines(tmp_path / "a.jsonl", [encode(line) for line in lines] + [encode(chat(hidden))[:-9]])
    report = check([path], LIMITS, show=100)
    assert len(report.problems) > len(lines)
    for problem in report.problems:
        assert hidden not in problem.detail + problem.advice
        assert name not in problem.detail


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (BOM + b"{}", "Another byte order mark, as where files were joined, at letter 1"),
        (b'{"a":"\x01"}', "Invalid control character at letter 7"),
        (b"[" * 100_000, "brackets in brackets, too deep to be read"),
        (b"[NaN]", "a number that JSON does not have, or of too many digits"),
        (b"9" * 10_000, "a number that JSON does not have, or of too many digits"),
    ],
    ids=["mark-in-the-middle", "control-character", "deep", "not-a-number", "digits"],
)
def test_why_it_is_no_json(line: bytes, expected: str) -> None:
    """What is no JSON is told in words of what it is, not of how it is read."""
    assert [finding.detail for finding in diagnose(line).findings] == [expected]


def test_two_things_wrong_are_two_problems(tmp_path: Path) -> None:
    """Everything that is wrong with a line is told, not only the first."""
    line = {"messages": [{"role": "system", "content": ""}, {"role": "user", "content": 1, "x": 1}], "y": 1}
    report = check([write_lines(tmp_path / "a.jsonl", [*fillers(), encode(line)])], LIMITS)
    assert sorted(found_in(report), key=str) == [
        ("content_not_text", 11, 1),
        ("empty_content", 11, 0),
        ("no_assistant", 11, None),
        ("unknown_key", 11, 1),
        ("unknown_key", 11, None),
    ]


def _words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize(
    ("extra", "found"), [(0, []), (1, [("too_many_tokens", 11, None)])], ids=["exactly", "one-over"]
)
def test_the_limit_of_tokens(tmp_path: Path, extra: int, found: list[tuple[str, int | None, int | None]]) -> None:
    """An example is over the limit from one token more; a provider cuts it, so that is a warning."""
    limit = 200
    fixed = 3 + 2 * (3 + 1) + 1  # the example; two messages and their roles; the target
    line = encode(chat(" ".join(["말"] * (limit - fixed + extra))))
    assert len(line) > limit
    limits = Limits(max_file_bytes=10_000, max_example_tokens=limit)
    report = check(
        [write_lines(tmp_path / "a.jsonl", [*fillers(), line])], limits, tokenizer=Tokenizer("words", True, _words)
    )
    assert found_in(report) == found
    assert report.errors == {}


@pytest.mark.parametrize(
    ("exact", "expected"), [(True, "201 tokens"), (False, "about 201 tokens")], ids=["exact", "estimate"]
)
def test_an_estimate_is_called_one(tmp_path: Path, *, exact: bool, expected: str) -> None:
    """Where the count is not by the model's own tokenizer, a problem says "about"."""
    line = encode(chat(" ".join(["말"] * 189)))
    limits = Limits(max_file_bytes=10_000, max_example_tokens=200)
    path = write_lines(tmp_path / "a.jsonl", [*fillers(), line])
    [problem] = check([path], limits, tokenizer=Tokenizer("words", exact, _words)).problems
    assert problem.detail.startswith(expected)
