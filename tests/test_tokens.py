"""Tokens: of texts, of examples, and of every example of a build."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from corpora import ANSWER_ZIP, answers, member, stem, write_zip
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from runs import chunks_of, lines_in, manifest_of, one_thread

from saturi.etl.errors import OptionError
from saturi.etl.example.tokens import PairCounter, count_example, load_o200k, load_tokenizer
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import SYSTEM_PROMPT, BuildOptions
from saturi.schemas.model import Model

# tiktoken 0.14.0, o200k_base, disallowed_special=(): counted once and written down.
KNOWN = {
    "nothing": ("", 0),
    "letter": ("a", 1),
    "hello": ("hello world", 2),
    "hangul": ("안녕하세요", 2),
    "instruction": (SYSTEM_PROMPT, 31),
    "special-token": ("<|endoftext|>", 7),
    "other-special-token": ("<|im_start|>user", 7),
    "old-hangul": ("ᄒᆞᆫ저 옵서", 12),
    "spaces": (" " * 50, 1),
    "lines": ("가\n나\r\n다", 5),
    "emoji": ("👵🏽", 4),
}
# The name under which tiktoken looks for the vocabulary: SHA-1 of the address that it would download it from.
TIKTOKENS_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"


@pytest.mark.parametrize(("text", "tokens"), KNOWN.values(), ids=KNOWN)
def test_known_counts(text: str, tokens: int) -> None:
    """A text has as many tokens as are written down here."""
    assert load_o200k()(text) == tokens


@pytest.fixture(scope="module")
def tiktokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], int]]:
    """Tiktoken's own count; it takes the vocabulary from the wheel of bpe-openai after comparing its SHA-256."""
    folder = tmp_path_factory.mktemp("tiktoken")
    spec = find_spec("bpe_openai")
    assert spec is not None
    assert spec.submodule_search_locations
    packed = Path(spec.submodule_search_locations[0], "data", "o200k_base.tiktoken.gz")
    (folder / TIKTOKENS_NAME).write_bytes(gzip.decompress(packed.read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        import tiktoken  # noqa: PLC0415 - looks for the folder when it is first used

        encoding = tiktoken.get_encoding("o200k_base")
        yield lambda text: len(encoding.encode(text, disallowed_special=()))


KOREAN = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3) | st.sampled_from(" \n.,?ᆞㆍ~"), max_size=80)
TEXTS = st.one_of(
    KOREAN,
    st.text(max_size=80),
    st.text(st.characters(categories=["Cs", "L", "So"]), max_size=20),
    st.just("<|endoftext|>"),
)


@given(st.lists(TEXTS, max_size=5).map("".join))
@examples(300)
def test_agreement_with_tiktoken(tiktokens: Callable[[str], int], text: str) -> None:
    """Any text, with halves of surrogate pairs and special tokens in it, has as many tokens as tiktoken says."""
    assert load_o200k()(text) == tiktokens(text)


def test_an_example_costs_more_than_its_texts() -> None:
    """An example has 3 tokens, 3 for each message, and those of roles and contents."""
    count = load_o200k()
    assert count_example([], count) == 3
    assert count_example([("user", "안녕하세요")], count) == 3 + 3 + 1 + 2
    assert PairCounter().count(["", ""], ["안녕하세요", "가"], ["hello world", ""]) == [
        3 + 2 * (3 + 1) + 2 + 2,
        3 + 2 * (3 + 1) + 1,
    ]
    assert PairCounter().count([SYSTEM_PROMPT], ["가"], [""]) == [3 + 3 * (3 + 1) + 31 + 1]


@pytest.mark.parametrize("system_prompt", [SYSTEM_PROMPT, "", "<|endoftext|> 표준어로"], ids=["default", "none", "own"])
def test_tokens_of_a_build(tmp_path: Path, system_prompt: str) -> None:
    """Lineage, chunks and shards have the tokens that their lines have when these are read again."""
    odd = [
        member(stem("say", str(number), 3), text, f"{text}!")
        for number, text in enumerate(("<|im_end|>", "ᄒᆞᆫ저\u2028옵서"))
    ]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [*answers(40), *odd])
    options = BuildOptions(clean=False, system_prompt=system_prompt, max_chunk_examples=12, validation=0.25)
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    manifest = manifest_of(tmp_path / "out")
    lineage = pl.read_parquet(tmp_path / "out" / "lineage.parquet")
    for chunk in manifest["chunks"]:
        counted = [_tokens_of(line) for line in lines_in((tmp_path / "out" / chunk["path"]).read_bytes())]
        assert lineage.filter(pl.col("chunk") == chunk["path"]).sort("line")["tokens"].to_list() == counted
        assert chunk["tokens"] == sum(counted)
    assert len(manifest["chunks"]) > 3
    assert sum(shard["tokens"] for shard in manifest["shards"]) == sum(chunk["tokens"] for chunk in manifest["chunks"])


def test_a_build_without_tokens(here: Path) -> None:
    """With tokens off, the lines are the same, and manifest and lineage have null for every count."""
    for out, tokens in (("with", True), ("without", False)):
        build([here / "corpus"], here / out, BuildOptions(tokens=tokens), make_executor=one_thread)
    assert chunks_of(here / "with") == chunks_of(here / "without")
    manifest = manifest_of(here / "without")
    assert {row["tokens"] for row in manifest["chunks"] + manifest["shards"]} == {None}
    assert pl.read_parquet(here / "without" / "lineage.parquet")["tokens"].null_count() == 40


def test_which_counts_are_exact() -> None:
    """Counts by o200k_base are exact for models of that vocabulary and for none other."""
    facts = {"providers": ("openai",), "source": "here", "as_of": "2026-11-01"}
    known, other = (Model(name="m", tokenizer=name, **facts) for name in ("o200k_base", None))  # type: ignore[arg-type]
    assert [load_tokenizer(model).exact for model in (None, known, other)] == [True, True, False]


def test_a_tokenizer_of_ones_own(tmp_path: Path) -> None:
    """A tokenizer.json counts as its library does, without special tokens, and whatever is in a text."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"[UNK]": 0, "가": 1, "나": 2}, unk_token="[UNK]")  # noqa: S106 - a token of text
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = load_tokenizer(file=tmp_path / "tokenizer.json")
    assert (loaded.name, loaded.exact) == ("tokenizer.json", True)
    assert [loaded.count(text) for text in ("", "가 나", "가 \ud800 다라")] == [0, 2, 3]


def test_a_tokenizer_set_to_cut_and_to_fill(tmp_path: Path) -> None:
    """Truncation and padding, which many a tokenizer.json has for training, change no count."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=10)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    count = load_tokenizer(file=tmp_path / "tokenizer.json").count
    assert [count("가 " * words) for words in (0, 1, 5, 50)] == [0, 1, 5, 50]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes with names in folders")
def test_a_tokenizer_that_is_a_pipe(tmp_path: Path) -> None:
    """A named pipe is refused as a tokenizer, and nobody waits for it to be written."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OptionError, match="named pipe"):
        load_tokenizer(None, tmp_path / "pipe")


@pytest.mark.parametrize(
    "content",
    [None, b"{}", b"\xff", b"[]", b'{"model":{}}'],
    ids=["missing", "another-file", "no-text", "list", "model"],
)
def test_a_tokenizer_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    """A file that is no tokenizer is refused with the option and the file."""
    pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=r"--tokenizer: .*tokenizer\.json"):
        load_tokenizer(file=path)


def _tokens_of(line: bytes) -> int:
    count = load_o200k()
    return 3 + sum(3 + count(message["role"]) + count(message["content"]) for message in json.loads(line)["messages"])
