"""A line of a chunk: byte for byte as promised, for any text."""

import json
from pathlib import Path

import msgspec
import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.example.render import render
from saturi.etl.settings.options import SYSTEM_PROMPT
from saturi.schemas.chat import Example

_ODD = [
    '"',
    '""',
    '\\"',
    "\\",
    "\\n",
    "\n",
    "\r",
    "\r\n",
    "\0",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1e",
    "\x7f",
    "\u0085",
    "\u2028",
    "\u2029",
]
_TEXTS = ["방언", "ᆞ", "🍊", "\ufeff", "\u200b", "é", "/", "<b>", "{}", "\\u2028", ""]

texts = st.text(max_size=30) | st.lists(st.sampled_from(_ODD + _TEXTS), max_size=6).map("".join)
pairs = st.lists(st.tuples(texts, texts), max_size=8)


@given(pairs, texts)
@examples(200)
def test_lines_give_their_texts_again(drawn: list[tuple[str, str]], prompt: str) -> None:
    """Whatever the texts, a line read as JSON holds exactly them, and the instruction only where there is one."""
    lines = render([source for source, _ in drawn], [target for _, target in drawn], prompt)
    assert len(lines) == len(drawn)
    for line, (source, target) in zip(lines, drawn, strict=True):
        system = [{"role": "system", "content": prompt}] if prompt else []
        turns = [{"role": "user", "content": source}, {"role": "assistant", "content": target}]
        assert json.loads(line) == {"messages": [*system, *turns]}
        msgspec.json.decode(line, type=Example)


@given(pairs, texts)
@examples(200)
def test_a_line_is_a_line_for_every_reader(drawn: list[tuple[str, str]], prompt: str) -> None:
    """A line ends with its only newline and holds nothing else that any reader splits at."""
    for line in render([source for source, _ in drawn], [target for _, target in drawn], prompt):
        assert line.endswith(b"}\n")
        assert line.splitlines(keepends=True) == [line]
        assert line.decode().splitlines(keepends=True) == [line.decode()]


@given(pairs, texts)
@examples(100)
def test_lines_are_those_of_the_standard_library(drawn: list[tuple[str, str]], prompt: str) -> None:
    """A line is compact JSON with Hangul as it is, as `json.dumps` writes it but for the three separators."""
    lines = render([source for source, _ in drawn], [target for _, target in drawn], prompt)
    for line in lines:
        text = json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":"))
        for separator in "\u2028\u2029\u0085":
            text = text.replace(separator, f"\\u{ord(separator):04x}")
        assert json.loads(line) == json.loads(text)
        assert len(line) == len(text.encode()) + 1
        assert line.lower() == text.encode().lower() + b"\n"


@pytest.mark.parametrize(
    ("source", "target", "prompt", "line"),
    [
        pytest.param(
            "혼저 옵서예",
            "어서 오세요",
            "표준어로 바꾸세요.",
            '{"messages":[{"role":"system","content":"표준어로 바꾸세요."},'
            '{"role":"user","content":"혼저 옵서예"},{"role":"assistant","content":"어서 오세요"}]}\n',
            id="with-instruction",
        ),
        pytest.param(
            "혼저",
            "어서",
            "",
            '{"messages":[{"role":"user","content":"혼저"},{"role":"assistant","content":"어서"}]}\n',
            id="without-instruction",
        ),
        pytest.param(
            "",
            "",
            "",
            '{"messages":[{"role":"user","content":""},{"role":"assistant","content":""}]}\n',
            id="empty-texts",
        ),
        pytest.param(
            'a"b\\c/d\te\nf',
            "\u2028\u2029\u0085\u0001",
            "",
            '{"messages":[{"role":"user","content":"a\\"b\\\\c/d\\te\\nf"},'
            '{"role":"assistant","content":"\\u2028\\u2029\\u0085\\u0001"}]}\n',
            id="signs-and-separators",
        ),
        pytest.param(
            " ᄒᆞᆫ저  🍊 ",
            "e\u0301 \u00e9",
            '""',
            '{"messages":[{"role":"system","content":"\\"\\""},'
            '{"role":"user","content":" ᄒᆞᆫ저  🍊 "},{"role":"assistant","content":"e\u0301 \u00e9"}]}\n',
            id="nothing-trimmed-or-normalised",
        ),
    ],
)
def test_lines_are_byte_for_byte_as_promised(source: str, target: str, prompt: str, line: str) -> None:
    """The bytes of a line are a contract: compact, keys in order, Hangul as it is, separators escaped, a newline."""
    assert render([source], [target], prompt) == [line.encode()]


def test_the_original_instruction_comes_first() -> None:
    """The default instruction is the first message of every line."""
    lines = render(["가", "나"], ["다", "라"], SYSTEM_PROMPT)
    assert [json.loads(line)["messages"][0] for line in lines] == [{"role": "system", "content": SYSTEM_PROMPT}] * 2


@pytest.mark.parametrize("count", [0, 1, 2, 1_000])
def test_there_is_a_line_for_every_pair(count: int) -> None:
    """Lines come in the order of their pairs, also from sources that can be read but once."""
    lines = render((f"가{n}" for n in range(count)), iter([f"나{n}" for n in range(count)]), "")
    assert [json.loads(line)["messages"][1]["content"] for line in lines] == [f"나{n}" for n in range(count)]


def test_lines_survive_a_file(tmp_path: Path) -> None:
    """Lines written one after the other are read again by `json` line by line, in text mode too."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"".join(render(_ODD, _ODD[::-1], "지시")))
    with path.open(encoding="utf-8") as file:
        turns = [json.loads(line)["messages"] for line in file]
    assert [(user["content"], assistant["content"]) for _, user, assistant in turns] == list(
        zip(_ODD, _ODD[::-1], strict=True)
    )
