"""The estimate: its sums, its quantiles and its prices, against plain Python over the lines themselves."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from corpora import ANSWER_ZIP, REPEAT_ZIP, answers, member, stem, write_zip
from runs import ROOT, chunks_of, error_of, invoke, manifest_of, one_thread

from saturi import estimate, estimate_all
from saturi.etl.errors import BuildError, OptionError
from saturi.etl.example.tokens import load_o200k
from saturi.etl.pipeline.build import build
from saturi.etl.providers.models import read_models
from saturi.etl.settings.options import BuildOptions

LIMIT = 90
FACTS = f"""
["limited"]
providers = ["custom"]
tokenizer = "o200k_base"
max_example_tokens = {LIMIT}
usd_per_million_tokens = 7.5
source = "here"
as_of = 2026-11-02
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a build of two regions' shards in `out`, some of it duplicates, one without tokens, and a price list."""
    folder = tmp_path_factory.mktemp("estimate")
    members = [*answers(150), *answers(40, "할매가 마이 " * 20, 151), *answers(30)]
    read = [member(stem("st", str(number), number % 12), f"가 {number % 12}", "나") for number in range(1, 61)]
    write_zip(folder / "corpus" / ANSWER_ZIP, [(f"{n}/{name}", text) for n, (name, text) in enumerate(members)])
    write_zip(folder / "corpus" / REPEAT_ZIP, read)
    for out, tokens in (("out", True), ("plain", False)):
        options = BuildOptions(validation=0.25, tokens=tokens, max_chunk_examples=50)
        build([folder / "corpus"], folder / out, options, make_executor=one_thread)
    (folder / "models.toml").write_text(FACTS, encoding="utf-8")
    return folder


def _tokens_by_shard(out: Path) -> dict[tuple[str, str], list[int]]:
    """Return the tokens of every line by split and name of the shard, counted here."""
    count = load_o200k()
    shards: dict[tuple[str, str], list[int]] = {}
    for path, lines in chunks_of(out).items():
        _, split, name = path.split("/")
        for line in lines:
            texts = [(message["role"], message["content"]) for message in json.loads(line)["messages"]]
            tokens = 3 + sum(3 + count(role) + count(content) for role, content in texts)
            shards.setdefault((split, name.rpartition("-")[0]), []).append(tokens)
    return shards


def _quantile(values: list[int], share: float) -> int:
    return sorted(values)[int(share * (len(values) - 1))]


@pytest.mark.parametrize("out", ["out", "plain"])
@pytest.mark.parametrize("epochs", [None, 1, 7])
def test_every_number(folder: Path, out: str, epochs: int | None) -> None:
    """Counts, quantiles, billed tokens and prices are those of the lines, whether or not the build counted their tokens."""
    found = estimate(folder / out, "limited", epochs=epochs, models=read_models(folder / "models.toml"))
    shards = _tokens_by_shard(folder / out)
    assert {(shard.split, f"{shard.region}-{shard.speech_type}") for shard in found.shards} == shards.keys()
    train = [tokens for (split, _), values in shards.items() if split == "train" for tokens in values]
    expected_epochs = epochs or 3
    billed = 0
    for shard in [*found.shards, found.total]:
        values = train if shard.region is None else shards[shard.split, f"{shard.region}-{shard.speech_type}"]
        assert (shard.examples, shard.tokens, shard.max) == (len(values), sum(values), max(values))
        assert (shard.p50, shard.p95) == (_quantile(values, 0.5), _quantile(values, 0.95))
        assert shard.over_limit == sum(tokens > LIMIT for tokens in values)
        assert shard.epochs == (expected_epochs if shard.split == "train" else 0)
        assert shard.billed_tokens == sum(min(LIMIT, tokens) for tokens in values) * shard.epochs
        assert shard.price_usd == pytest.approx(shard.billed_tokens * 7.5 / 1e6, abs=1e-6)
        bins = [tokens // found.bin_tokens for tokens in values]
        assert shard.histogram == [bins.count(number) for number in range(len(shard.histogram))]
        billed += shard.billed_tokens if shard.region else 0
    assert found.total.over_limit > 0
    assert found.billed_tokens == found.total.billed_tokens == billed
    assert (found.price_usd, found.epochs_given) == (found.total.price_usd, epochs is not None)


def test_samples(folder: Path) -> None:
    """A sample costs its share of the whole with its own default epochs, and the whole is the last row."""
    found = estimate(folder / "out", sample=20)
    mean = found.total.tokens / found.total.examples
    assert [(sample.examples, sample.epochs) for sample in found.samples] == [(20, 5), (found.total.examples, 3)]
    assert found.samples[0].billed_tokens == pytest.approx(20 * mean * 5, abs=1)
    assert found.samples[-1].billed_tokens == found.billed_tokens
    assert {sample.epochs for sample in estimate(folder / "out", sample=20, epochs=2).samples} == {2}


def test_a_sample_of_more_than_there_is(folder: Path) -> None:
    """A sample larger than train costs what train costs, and the command says so on stderr."""
    assert estimate(folder / "out", sample=40_000) == estimate(folder / "out")
    examples = estimate(folder / "out").total.examples
    run = invoke("estimate", "out", "--sample", "40000", "--json", cwd=folder)
    assert (run.returncode, json.loads(run.stdout)["samples"][-1]["examples"]) == (0, examples)
    assert run.stderr == f"Note: train has {examples:,} examples, so a sample of 40,000 is all of them\n"
    assert invoke("estimate", "out", "--sample", str(examples), cwd=folder).stderr == ""


def test_what_deduplication_saved(folder: Path) -> None:
    """Duplicates dropped from train are counted, each at the mean of its shard."""
    found = estimate(folder / "out")
    rows = [row for row in manifest_of(folder / "out")["shards"] if row["split"] == "train"]
    dropped = {(row["region"], row["speech_type"]): row["dropped"].get("duplicate", 0) for row in rows}
    assert found.saved.duplicates == sum(dropped.values()) > 20
    means = {(s.region, s.speech_type): s.billed_tokens / s.examples for s in found.shards if s.split == "train"}
    assert found.saved.billed_tokens == round(sum(number * means.get(key, 0) for key, number in dropped.items()))


def test_deduplication_saves_nothing_in_a_sample(folder: Path, tmp_path: Path) -> None:
    """A sample has as many examples with duplicates as without them, so what was dropped of its shards is no saving."""
    for out, options in (
        ("sample", BuildOptions(sample=20)),
        ("balance", BuildOptions(balance="speech_type:3")),
    ):
        build([folder / "corpus"], tmp_path / out, options, make_executor=one_thread)
        assert manifest_of(tmp_path / out)["counts"]["dropped"]["duplicate"] > 20
        assert estimate(tmp_path / out).saved.duplicates == 0


def test_the_price_list(folder: Path) -> None:
    """An estimate names the price, its date and source, and when the model ends, as they are in the catalogue."""
    row = tomllib.loads((ROOT / "etl/providers/models.toml").read_text(encoding="utf-8"))["gpt-4o-mini"]
    found = estimate(folder / "out", "ft:gpt-4o-mini-2024-07-18:org::id")
    assert (found.model, found.usd_per_million_tokens) == ("gpt-4o-mini", row["usd_per_million_tokens"])
    assert (found.price_as_of, found.price_source) == (row["as_of"], row["source"])
    assert (found.shutdown_date, found.max_example_tokens) == (row["shutdown_date"], row["max_example_tokens"])
    assert (found.tokenizer, found.exact) == ("o200k_base", True)
    assert str(found.no_jobs_from) == "2027-01-06"


def test_another_tokenizer(folder: Path) -> None:
    """With a tokenizer.json tokens are counted anew with it; a model of another vocabulary without one is called an estimate."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    text = FACTS.replace('tokenizer = "o200k_base"', "").replace("limited", "open")
    (folder / "open.toml").write_text(text, encoding="utf-8")
    models = read_models(folder / "open.toml")
    found = estimate(folder / "out", "open", models=models, tokenizer_file=folder / "tokenizer.json")
    assert (found.tokenizer, found.exact) == ("tokenizer.json", True)
    lines = [json.loads(line)["messages"] for lines in chunks_of(folder / "out", "train").values() for line in lines]
    assert found.total.tokens == sum(3 + sum(4 + len(message["content"].split()) for message in line) for line in lines)
    assert not estimate(folder / "out", "open", models=models).exact


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epochs": 0}, "--epochs"),
        ({"epochs": 51}, "--epochs"),
        ({"sample": 0}, "--sample"),
        ({"sample": -1}, "--sample"),
        ({"rate": 0.0}, "--rate"),
        ({"rate": float("nan")}, "--rate"),
        ({"model": "nothing"}, "--model"),
    ],
    ids=str,
)
def test_what_is_out_of_range(folder: Path, options: dict[str, Any], named: str) -> None:
    """An option that is out of its range is refused by its name."""
    with pytest.raises(OptionError, match=named):
        estimate(folder / "out", **options)


def test_a_damaged_build(folder: Path, tmp_path: Path) -> None:
    """A chunk that is cut, or a lineage of another build, is refused, and not estimated from."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(40))
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=0), make_executor=one_thread)
    (tmp_path / "out" / "lineage.parquet").write_bytes((folder / "out" / "lineage.parquet").read_bytes())
    with pytest.raises(BuildError, match=r"lineage\.parquet is changed"):
        estimate(tmp_path / "out")
    (tmp_path / "out" / "SHA256SUMS").unlink()
    with pytest.raises(BuildError, match=r"lineage\.parquet: [\d,]+ examples, where the manifest has 40"):
        estimate(tmp_path / "out")
    (tmp_path / "out" / "lineage.parquet").write_bytes(b"PAR1")
    with pytest.raises(BuildError, match=r"lineage\.parquet: damaged"):
        estimate(tmp_path / "out")
    (tmp_path / "out" / "lineage.parquet").unlink()
    assert estimate(tmp_path / "out").total.examples == 40
    [chunk] = (tmp_path / "out" / "chunks" / "train").iterdir()
    chunk.write_bytes(chunk.read_bytes()[:-9])
    with pytest.raises(BuildError, match="is changed; see saturi verify"):
        estimate(tmp_path / "out")


def test_a_build_of_nothing(tmp_path: Path) -> None:
    """A build without an example is nothing to estimate, nor does `verify` say what comes next."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    options = BuildOptions(speech_type=("dialogue",))  # type: ignore[arg-type]
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    for run in (estimate, estimate_all):
        with pytest.raises(BuildError, match="out: no examples to train on; "):
            run(tmp_path / "out")
    assert "Next:" not in invoke("verify", "out", cwd=tmp_path).stdout


def test_the_command(folder: Path) -> None:
    """The command prints the estimate in words, or as JSON that is the library's, with won where a rate is given."""
    run = invoke("estimate", "out", "--json", "--rate", "1400", cwd=folder)
    assert (run.returncode, run.stderr) == (0, "")
    found, library = json.loads(run.stdout), estimate(folder / "out", rate=1400)
    assert (found["billed_tokens"], found["price_usd"]) == (library.billed_tokens, library.price_usd)
    assert found["price_krw"] == round(library.price_usd * 1400)
    assert len(found["shards"]) == len(library.shards)
    shown = invoke("estimate", "out", "--rate", "1400", "--sample", "20", cwd=folder).stdout
    assert f"{library.total.examples:,}" in shown
    assert f"₩{library.price_usd * 1400:,.0f}" in shown
    assert "as of 2026-05-01" in shown
    assert re.search(r"shut down on 2027-01-14: (\d+ days left|it is gone)\.", shown)
    assert "█" in shown
    assert "█" not in invoke("estimate", "out", cwd=folder, PYTHONIOENCODING="ascii").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["out", "--model", "o4-mini"], 7),
        (["out", "--model", "llama"], 2),
        (["corpus"], 3),
        (["out", "--epochs", "99"], 2),
    ],
    ids=["no-price", "no-model", "no-build", "no-range"],
)
def test_what_the_command_refuses(folder: Path, arguments: list[str], code: int) -> None:
    """An unknown price ends with 7, an unknown model or a wrong number with 2, a folder without a build with 3."""
    error_of(invoke("estimate", *arguments, cwd=folder), code)


def test_everywhere(folder: Path, tmp_path: Path) -> None:
    """The same build is priced at every provider: each row as its own estimate has it, unknown prices last, and won by the rate."""
    mine = tmp_path / "models.toml"
    mine.write_text(FACTS.replace('["custom"]', '["custom", "nebius"]'), encoding="utf-8")
    models = read_models(mine)
    offers = estimate_all(folder / "out", epochs=2, rate=1400, models=models)
    by_name = {(offer.provider, offer.model): offer for offer in offers}
    assert by_name.keys() >= {("nebius", "limited"), ("custom", "limited"), ("clova", "HCX-005"), ("unsloth", "any")}
    for (provider, model), offer in by_name.items():
        if offer.price_usd is None or provider == "unsloth":
            continue
        alone = estimate(folder / "out", model, epochs=2, rate=1400, models=models)
        assert (offer.billed_tokens, offer.price_usd, offer.price_krw) == (
            alone.billed_tokens,
            alone.price_usd,
            alone.price_krw,
        )
    assert (by_name["unsloth", "any"].price_usd, by_name["clova", "HCX-005"].price_usd) == (0, None)
    prices = [offer.price_usd for offer in offers]
    known = [price for price in prices if price is not None]
    assert prices == [*sorted(known), *[None] * (len(prices) - len(known))]


def test_everywhere_by_each_providers_rule(folder: Path) -> None:
    """Without a number of epochs each row has what its provider would choose; with one that a model does not take, no price."""
    by_model = {offer.model: offer for offer in estimate_all(folder / "out")}
    assert (by_model["HCX-005"].epochs, by_model["gpt-4.1"].epochs) == (8, 3)
    assert {offer.price_krw for offer in by_model.values()} == {None}
    for name, value in (("epochs", 0), ("epochs", 51), ("rate", 0)):
        with pytest.raises(OptionError, match=f"--{name}"):
            estimate_all(folder / "out", **{name: value})  # type: ignore[arg-type]  # a number


def test_the_table_of_everywhere(folder: Path) -> None:
    """The command shows a line a model at a provider, and refuses what it cannot heed."""
    shown = invoke("estimate", folder / "out", "--all", "--rate", "1400", cwd=folder, COLUMNS="160")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"unsloth any .*\$0\.00 +₩0", shown.stdout)
    assert re.search(r"clova HCX-005 +8 +~", shown.stdout)
    as_json = invoke("estimate", folder / "out", "--all", "--json", cwd=folder)
    assert {row["provider"] for row in json.loads(as_json.stdout)["offers"]} >= {"openai", "unsloth", "clova"}
    assert "--sample" in error_of(invoke("estimate", folder / "out", "--all", "--sample", "5", cwd=folder), 2)
