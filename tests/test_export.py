"""Exports: what is written, that it is the same every time, and that `datasets` loads it."""

import ast
import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import chunks_of, error_of, invoke, manifest_of, one_thread, tree_of
from trainers import commands_of

from saturi import export
from saturi.etl.errors import BuildError, ForeignFolderError, LockedError, OptionError
from saturi.etl.exports.base_models import batch_tokens, find_base_model, read_base_models, training_gigabytes
from saturi.etl.exports.export import write_export
from saturi.etl.exports.trainers import Trainer
from saturi.etl.output.holding import claimed
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.base_model import BaseModel


def _build(folder: Path, **options: Any) -> Path:
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(150))
    build([folder / "corpus"], folder / "out", BuildOptions(max_chunk_examples=40, **options), make_executor=one_thread)
    return folder / "out"


@pytest.fixture(scope="module")
def unexported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with several chunks of train and some validation, to be copied before it is exported."""
    return _build(tmp_path_factory.mktemp("unexported"), validation=0.25)


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the same corpus that holds nothing out, to be copied before it is exported."""
    return _build(tmp_path_factory.mktemp("trained-on"), validation=0)


@pytest.fixture(scope="module")
def out(unexported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build with some validation, and all exports of it."""
    out = Path(shutil.copytree(unexported, tmp_path_factory.mktemp("export") / "out"))
    for trainer in Trainer:
        export(out, trainer)
    return out


@pytest.fixture
def built(unexported: Path, tmp_path: Path) -> Path:
    """The build with some validation, for one test."""
    return Path(shutil.copytree(unexported, tmp_path / "out"))


def _replace(built: Path, other: Path) -> None:
    """Put the build *other* in the place of *built*, and leave what is beside it there."""
    shutil.rmtree(built / "chunks")
    shutil.copytree(other, built, dirs_exist_ok=True)


def _lines(out: Path, split: str) -> list[Any]:
    return [json.loads(line) for lines in chunks_of(out, split).values() for line in lines]


LOADER = """\
import json, os, runpy, sys, types
from datasets import load_dataset
tokenizer = types.SimpleNamespace(apply_chat_template=lambda messages, tokenize: json.dumps(messages))
for line in sys.stdin:
    folder, arguments, options = json.loads(line)
    os.chdir(folder)
    if "script" in options:
        texts = runpy.run_path(options["script"], run_name="script")["load_texts"](tokenizer)
        loaded = {split: list(rows["text"]) for split, rows in texts.items()}
    else:
        loaded = {split: list(rows) for split, rows in load_dataset(*arguments, **options).items()}
    print(json.dumps(loaded), flush=True)
"""


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, list[Any]]]]:
    """Load a dataset by `datasets`, or by a script, offline, in another process that runs in *cwd* then: its rows by split."""
    home = tmp_path_factory.mktemp("hf")
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
    with (
        (home / "errors").open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-c", LOADER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        ) as loader,
    ):
        assert loader.stdin is not None
        assert loader.stdout is not None
        asked, loaded = loader.stdin, loader.stdout

        def run(cwd: Path, *arguments: Any, **options: Any) -> dict[str, list[Any]]:
            print(json.dumps([str(cwd), arguments, options]), file=asked, flush=True)
            line = loaded.readline()
            assert line, (home / "errors").read_text(encoding="utf-8")
            rows: dict[str, list[Any]] = json.loads(line)
            return rows

        yield run
        asked.close()


def test_the_dataset_folder_loads(out: Path, load: Callable[..., dict[str, list[Any]]]) -> None:
    """`datasets` finds both splits of the dataset folder by its card, with every line."""
    rows = load(out.parent, str(out / "export" / "hf"))
    assert rows == {split: _lines(out, split) for split in ("train", "validation")}


def test_the_chunks_load_from_an_export(out: Path, load: Callable[..., dict[str, list[Any]]]) -> None:
    """`datasets` finds both splits in the folder of chunks that Axolotl and Unsloth are pointed to, from where they run."""
    text = (out / "export" / "axolotl" / "axolotl.yaml").read_text(encoding="utf-8")
    assert "  - path: ../../chunks" in text.splitlines()
    rows = load(out / "export" / "axolotl", "../../chunks")
    assert rows == {split: _lines(out, split) for split in ("train", "validation")}


def _prompted(lines: list[Any]) -> list[Any]:
    return [{"prompt": line["messages"][:-1], "completion": line["messages"][-1:]} for line in lines]


def test_what_trl_loads(out: Path, load: Callable[..., dict[str, list[Any]]]) -> None:
    """`datasets` finds both splits in the data that TRL is pointed to, each answer apart from what comes before it."""
    folder = out / "export" / "trl"
    assert "dataset_name: ./data" in (folder / "sft.yaml").read_text(encoding="utf-8").splitlines()
    rows = load(folder, "./data")
    assert rows == {split: _prompted(_lines(out, split)) for split in ("train", "validation")}


def test_what_llama_factory_loads(out: Path, load: Callable[..., dict[str, list[Any]]]) -> None:
    """Each folder that dataset_info.json names, joined as its loader does, holds the lines of one split and nothing else."""
    folder = out / "export" / "llama-factory"
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    assert info.keys() == {"saturi_train", "saturi_validation"}
    for name, row in info.items():
        path = Path(row["file_name"])  # in "dataset_dir: .", which is where it runs
        files = [str(path / file.name) for file in sorted((folder / path).iterdir())]
        rows = load(folder, "json", data_files=files)["train"]
        split = name.removeprefix("saturi_")
        assert rows == _lines(out, split)
        tags, column = row["tags"], row["columns"]["messages"]
        for message in rows[0][column]:
            assert message.keys() == {tags["role_tag"], tags["content_tag"]}
            assert message[tags["role_tag"]] in {tags["system_tag"], tags["user_tag"], tags["assistant_tag"]}


def test_parquet(out: Path, load: Callable[..., dict[str, list[Any]]]) -> None:
    """`datasets`, DuckDB, pandas and Polars read the same rows from the Parquet files: the lines, each with its shard."""
    duckdb, pandas = map(importlib.import_module, ("duckdb", "pandas"))  # here, since they take half a second
    folder = out / "export" / "parquet"
    rows = load(out.parent, str(folder))
    for split in ("train", "validation"):
        path = folder / f"{split}.parquet"
        expected = [
            {"messages": json.loads(line)["messages"], "region": "gyeongsang", "speech_type": "answer"}
            for lines in chunks_of(out, split).values()
            for line in lines
        ]
        assert rows[split] == pl.read_parquet(path).to_dicts() == expected
        by_pandas = pandas.read_parquet(path)
        assert [list(messages) for messages in by_pandas["messages"]] == [row["messages"] for row in expected]
        by_duckdb = duckdb.read_parquet(str(path)).project("messages[-1].content, region")
        assert by_duckdb.fetchall() == [(row["messages"][-1]["content"], row["region"]) for row in expected]


def test_parquet_without_an_instruction(tmp_path: Path) -> None:
    """Where examples have no instruction, a conversation has two messages."""
    folder = export(_build(tmp_path, validation=0.25, system_prompt=""), "parquet")
    messages = pl.read_parquet(folder / "train.parquet")["messages"].to_list()
    assert {tuple(message["role"] for message in row) for row in messages} == {("user", "assistant")}


def test_what_mlx_loads(out: Path) -> None:
    """The data of mlx-lm are the lines of a split in one file, in the order of the chunks."""
    for split, name in (("train", "train"), ("validation", "valid")):
        data = (out / "export" / "mlx" / "data" / f"{name}.jsonl").read_bytes()
        assert data == b"".join(line for lines in chunks_of(out, split).values() for line in lines)


def test_a_split_of_one_chunk_is_linked(tmp_path: Path) -> None:
    """Where a split is one chunk, mlx-lm reads the chunk itself."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(40))
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=0), make_executor=one_thread)
    data = export(tmp_path / "out", "mlx") / "data"
    [chunk] = (tmp_path / "out" / "chunks" / "train").iterdir()
    assert [path.name for path in data.iterdir()] == ["train.jsonl"]
    assert (data / "train.jsonl").samefile(chunk)


@pytest.mark.parametrize("model", read_base_models().values(), ids=lambda model: model.name)
def test_base_models(tmp_path: Path, out: Path, model: BaseModel) -> None:
    """The short name of a base model is its name on the Hub, and both tell its licence and the memory it takes."""
    shutil.copytree(out, tmp_path / "out", ignore=shutil.ignore_patterns("export"))
    exported = write_export(tmp_path / "out", "trl", model.name)
    first = tree_of(exported.folder)
    assert f'model_name_or_path: "{model.id}"'.encode() in (first["sft.yaml"] or b"")
    write_export(tmp_path / "out", "trl", model.id)
    assert tree_of(exported.folder) == first
    notes = " ".join(exported.notes)
    assert all(word in notes for word in (model.licence, model.id, str(model.as_of), "GB to train it"))
    card = (first["README.md"] or b"").decode()
    assert all(note in card for note in exported.notes)
    assert all(step.command in card for step in exported.steps)


def test_memory() -> None:
    """More weights, longer examples and a larger vocabulary take more memory, and a model in four bits takes less."""
    small, large = find_base_model("qwen2.5-1.5b"), find_base_model("Qwen/Qwen3-4B-Instruct-2507")
    assert small is not None
    assert large is not None
    assert training_gigabytes(small, 200, quantized=False) < training_gigabytes(large, 200, quantized=False)
    assert training_gigabytes(small, 200, quantized=False) < training_gigabytes(small, 300, quantized=False)
    assert training_gigabytes(small, 200, quantized=True) < training_gigabytes(small, 200, quantized=False)
    assert 4 < training_gigabytes(small, 0, quantized=False) < 5  # 1.54 weights x 2.16 bytes, and 1
    assert (batch_tokens(None), batch_tokens(100), batch_tokens(1e6)) == (512, 200, 2048)
    assert find_base_model("my/model") is None


def test_an_unknown_base_model(built: Path) -> None:
    """Of a model that is not in the catalogue the formula is told, and no licence."""
    exported = write_export(built, "unsloth", "my/model")
    [note] = exported.notes
    assert "0.6 bytes a weight" in note
    assert "the size of my/model is not known here" in note


@pytest.mark.parametrize("trainer", Trainer)
def test_only_answers_are_learnt(out: Path, trainer: Trainer) -> None:
    """Every configuration says, in the words of its trainer, that the loss is that of the answers."""
    words = {
        Trainer.TRL: "completion_only_loss: true",
        Trainer.AXOLOTL: 'roles_to_train: ["assistant"]',
        Trainer.LLAMA_FACTORY: "train_on_prompt: false",
        Trainer.UNSLOTH: "train_on_responses_only(trainer)",
        Trainer.MLX: "mask_prompt: true",
    }
    if trainer in words:
        assert words[trainer] in (out / "export" / trainer / NAMES[trainer]).read_text(encoding="utf-8")
    else:
        assert trainer in {Trainer.HF, Trainer.PARQUET}


def test_the_unsloth_script(out: Path, load: Callable[..., dict[str, list[Any]]]) -> None:
    """The script is Python, and renders each conversation by the template of the tokenizer it is given."""
    path = out / "export" / "unsloth" / "train.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["load_texts", "main"]
    rendered = load(out.parent, script=str(path))
    assert rendered.keys() == {"train", "validation"}
    for split, texts in rendered.items():
        assert [json.loads(text) for text in texts] == [line["messages"] for line in _lines(out, split)]


@pytest.mark.parametrize("trainer", Trainer)
def test_the_card(out: Path, trainer: Trainer) -> None:
    """Every export has a card with the counts of the build, the terms of the data and its source."""
    card = (out / "export" / trainer / "README.md").read_text(encoding="utf-8")
    for shard in manifest_of(out)["shards"]:
        assert f"| {shard['split']} | {shard['region']} | {shard['speech_type']} | {shard['examples']:,} |" in card
        assert f"{shard['tokens']:,}" in card
    for word in (
        "71517",
        "71558",
        "NIA",
        "may not leave Korea",
        "한국지능정보사회진흥원의 지원을 받아 구축된",
        "aihub.or.kr",
    ):
        assert word in card


def test_the_card_says_what_the_build_is(tmp_path: Path, out: Path) -> None:
    """The card has the direction of the build, and an instruction only where examples have one."""
    card = (out / "export" / "hf" / "README.md").read_text(encoding="utf-8")
    assert "# Korean dialect to standard Korean\n" in card
    assert "conversations: an instruction, the source" in card
    other = export(_build(tmp_path, direction="to-dialect", system_prompt=""), "hf")
    card = (other / "README.md").read_text(encoding="utf-8")
    assert "# Standard Korean to Korean dialect\n" in card
    assert "an instruction" not in card


def test_the_same_bytes_again(out: Path, tmp_path: Path) -> None:
    """The same build exported elsewhere, and again over itself, gives the same files."""
    other = _build(tmp_path, validation=0.25)
    for trainer in (*Trainer, *Trainer):
        export(other, trainer)
        assert tree_of(other / "export" / trainer) == tree_of(out / "export" / trainer), trainer


def test_what_others_put_there_stays(built: Path, trained_on: Path, tmp_path: Path) -> None:
    """An export of another build replaces what an export wrote, and leaves models, caches and notes as they are."""
    first = {trainer: tree_of(export(built, trainer)) for trainer in Trainer}
    others = ("model/adapter.bin", "data/mine.txt", "notes.txt", "prepared/0.arrow")
    for path in [built / "export" / trainer / name for trainer in Trainer for name in others]:
        path.parent.mkdir(exist_ok=True)
        path.write_text("hours of training")
    _replace(built, trained_on)
    fresh = Path(shutil.copytree(trained_on, tmp_path / "fresh"))
    for trainer in Trainer:
        left, new = (_files_in(export(of, trainer)) for of in (built, fresh))
        assert {left.pop(name) for name in others} == {b"hours of training"}, trainer
        assert left.keys() == new.keys(), trainer
        assert left["README.md"] == new["README.md"] != first[trainer]["README.md"], trainer


def _files_in(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree_of(folder).items() if content is not None}


NAMES = {
    Trainer.TRL: "sft.yaml",
    Trainer.AXOLOTL: "axolotl.yaml",
    Trainer.LLAMA_FACTORY: "sft.yaml",
    Trainer.UNSLOTH: "train.py",
    Trainer.MLX: "lora.yaml",
}


@pytest.mark.parametrize("trainer", NAMES)
def test_folders_of_a_trainer_follow_the_content(built: Path, trained_on: Path, trainer: Trainer) -> None:
    """Where a trainer writes models and tokens is the same for the same build and base model, and else another place."""

    def places() -> set[str]:
        text = (built / "export" / trainer / NAMES[trainer]).read_text(encoding="utf-8")
        return set(re.findall(r"(?:model|prepared)-[0-9a-f]{12}", text))

    export(built, trainer)
    first = places()
    assert len(first) == (2 if trainer is Trainer.AXOLOTL else 1)
    export(built, trainer)
    assert places() == first
    export(built, trainer, base_model="another/model")
    assert not places() & first
    _replace(built, trained_on)
    export(built, trainer)
    assert not places() & first


def test_a_configuration_that_was_edited(built: Path) -> None:
    """What somebody has edited, or put in the place of a file of an export, is refused by its name, and nothing is changed."""
    folder = export(built, "trl")
    for name, replace in (("sft.yaml", Path.write_text), ("README.md", Path.write_text)):
        before = (folder / name).read_bytes()
        replace(folder / name, "learning_rate: 1.0e-5\n")
        tree = tree_of(folder)
        with pytest.raises(
            ForeignFolderError, match=rf"{name}: changed since it was written here, .*move it or delete it"
        ):
            export(built, "trl", base_model="another/model")
        assert tree_of(folder) == tree
        (folder / name).write_bytes(before)
    (folder / "sft.yaml").unlink()
    export(built, "trl")
    assert (folder / "sft.yaml").exists()


def test_an_export_that_was_killed(built: Path) -> None:
    """Whatever a killed export has written is taken for its own by the next one, and so is an equal file without a list."""
    folder = export(built, "hf")
    whole = tree_of(folder)
    (folder / "SHA256SUMS").unlink()
    (folder / ".README.md.0a1b2c3d.tmp").write_text("half")
    (folder / "data" / "train" / ".x.jsonl.0a1b2c3d.tmp").write_text("half")
    (folder.parent / ".draft.0a1b2c3d.tmp").write_text("half")
    (folder / "data" / "train" / "gyeongsang-answer-00001.jsonl").unlink()
    export(built, "hf")
    assert tree_of(folder) == whole
    assert [path.name for path in folder.parent.iterdir()] == ["hf"]


def test_the_list_of_an_export(out: Path) -> None:
    """The list beside an export is one that `sha256sum -c` reads: every other file with its hash."""
    for trainer in Trainer:
        folder = out / "export" / trainer
        files = {
            name: content for name, content in tree_of(folder).items() if content is not None and name != "SHA256SUMS"
        }
        lines = [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in sorted(files.items())]
        assert (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines() == lines


@pytest.mark.skipif(sys.platform == "win32", reason="not everybody may make links there")
@pytest.mark.parametrize(
    "link", ["export", "export/hf", "export/hf/data", "export/hf/data/train", "export/hf/README.md"]
)
def test_an_export_follows_no_link(built: Path, trained_on: Path, tmp_path: Path, link: str) -> None:
    """An export does not go where a link leads, but names it; what lies there stays."""
    export(built, "hf")
    elsewhere = (built / link).rename(tmp_path / "elsewhere")
    (built / link).symlink_to(elsewhere)
    before = tree_of(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes()
    _replace(built, trained_on)
    with pytest.raises(ForeignFolderError, match=f"{Path(link).name}: "):
        export(built, "hf")
    assert before == (tree_of(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["[v1] out", "a*b", "a?b", "a::b", "$HOME", "${HOME}"])
@pytest.mark.parametrize("trainer", Trainer)
def test_a_path_that_trainers_take_for_a_pattern(out: Path, tmp_path: Path, name: str, trainer: Trainer) -> None:
    """A build whose path `datasets` takes for a pattern is not exported, by one sentence that names the sign."""
    shutil.copytree(out, tmp_path / name, ignore=shutil.ignore_patterns("export"))
    with pytest.raises(BuildError, match=r"trainers take the (\[|\*|\?|::|\$) in this path for a pattern"):
        export(tmp_path / name, trainer)
    assert not (tmp_path / name / "export").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_other_odd_paths_load(out: Path, tmp_path: Path, load: Callable[..., dict[str, list[Any]]]) -> None:
    """A build whose path is odd in other ways is exported, and loads."""
    name = "a b]c%20#&'+~@! 한글 (1) {a,b} x;y,z=1^ $"
    shutil.copytree(out, tmp_path / name, ignore=shutil.ignore_patterns("export"))
    for trainer, path in ((Trainer.TRL, "./data"), (Trainer.AXOLOTL, "../../chunks"), (Trainer.HF, "../hf")):
        rows = load(export(tmp_path / name, trainer), path)
        lines = {split: _lines(out, split) for split in ("train", "validation")}
        assert rows == ({split: _prompted(of) for split, of in lines.items()} if trainer == "trl" else lines)


def test_nothing_points_to_this_machine(out: Path) -> None:
    """No path of this machine and no member of an archive is in an export."""
    for path, content in tree_of(out / "export").items():
        if content is not None:
            assert str(out.parent).encode() not in content, path
            assert b"speaker" not in content, path


def test_an_export_leaves_the_build_as_it_is(out: Path) -> None:
    """After all exports the build is whole, and no temporary file is left."""
    assert invoke("verify", out, cwd=out.parent).returncode == 0
    assert not list(out.rglob("*.tmp"))


def test_without_validation(trained_on: Path, tmp_path: Path) -> None:
    """A build that holds nothing out is exported without a word of validation but in the card's head."""
    out = Path(shutil.copytree(trained_on, tmp_path / "out"))
    for trainer in Trainer:
        folder = export(out, trainer, base_model='my/"model"')
        for path, content in _files_in(folder).items():
            assert path == "train.py" or b"validation" not in content, (trainer, path)


def test_the_base_model(built: Path) -> None:
    """The model to tune is the one given, whatever is in its name."""
    for trainer, name in (
        (Trainer.TRL, "sft.yaml"),
        (Trainer.AXOLOTL, "axolotl.yaml"),
        (Trainer.LLAMA_FACTORY, "sft.yaml"),
    ):
        text = (export(built, trainer, base_model='a "b" # {c}') / name).read_text(encoding="utf-8")
        yaml = pytest.importorskip("yaml")
        settings = yaml.safe_load(text)
        assert 'a "b" # {c}' in (settings.get("model_name_or_path"), settings.get("base_model"))
    for model in ('a "b" # {c}', "C:\\Users\\models", '"""'):
        script = (export(built, Trainer.UNSLOTH, base_model=model) / "train.py").read_text(encoding="utf-8")
        assert model in {node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x1b[2J", "a\u2028b", "\ud800"])
def test_names_that_are_none(out: Path, name: str) -> None:
    """A base model whose name is blank, or has a control character, is refused."""
    with pytest.raises(OptionError, match="--base-model: "):
        export(out, "trl", name)


def _evaluations(folder: Path) -> list[dict[str, str]]:
    """Return the options of each command that evaluates, of the card in *folder*, in their order."""
    found = []
    for words in commands_of(folder):
        if words[1:3] == ["saturi", "evaluate"]:
            options = words[4:]
            found.append(dict(zip(options[::2], options[1::2], strict=True)))
    return found


@pytest.mark.parametrize("trainer", NAMES)
def test_no_two_tunes_are_one_to_the_journal(built: Path, trained_on: Path, trainer: Trainer) -> None:
    """What is asked of a tune at one address is another request for another build, base model or trainer."""

    def requests(of: Trainer) -> set[tuple[str, ...]]:
        asked = _evaluations(export(built, of, base_model))
        return {(one["--base-url"], one["--model"], one.get("--seed", "0")) for one in asked}

    base_model = "my/model"
    first = requests(trainer)
    assert requests(trainer) == first
    for other in NAMES:
        assert other == trainer or not requests(other) & first
    base_model = "another/model"
    assert not requests(trainer) & first
    base_model = "my/model"
    _replace(built, trained_on)
    assert not requests(trainer) & first


@pytest.mark.parametrize("trainer", NAMES)
@pytest.mark.parametrize("validation", [False, True])
def test_the_commands_of_a_card_fit_together(
    unexported: Path, trained_on: Path, tmp_path: Path, trainer: Trainer, *, validation: bool
) -> None:
    """The model that is evaluated is the one that is served, no evaluation replaces another, and the card finds the first one's."""
    folder = export(Path(shutil.copytree(unexported if validation else trained_on, tmp_path / "out")), trainer)
    commands = commands_of(folder)
    first, *others = _evaluations(folder)
    served = [word.partition("=")[0] for words in commands for word in words if word.startswith("saturi-")]
    assert first["--model"] in {*served, "default_model"}
    assert "--base-model" in first
    assert "--name" not in first
    names = [one["--name"] for one in others]
    assert len(set(names)) == len(names) > 0
    assert all(words[3] == "../.." for words in commands if words[1:3] == ["saturi", "evaluate"])
    chosen = [] if validation else ["--evaluation", Path(first["--file"]).stem]
    assert commands[-1] == ["saturi", "export", "../..", "--card", first["--model"], *chosen]


def test_each_step_names_its_environment(out: Path) -> None:
    """Every step of a card says in which environment it is run, or that it is that of the step before."""
    for trainer in NAMES:
        card = (out / "export" / trainer / "README.md").read_text(encoding="utf-8")
        titles = re.findall(r"^(.*):\n\n```sh", card, flags=re.MULTILINE)
        assert len(titles) == len(commands_of(out / "export" / trainer))
        assert all("environment of" in title or "likewise" in title for title in titles), titles


@pytest.mark.parametrize("trainer", NAMES)
def test_a_base_model_in_a_folder_here(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: Trainer
) -> None:
    """A folder that is named from here is written as its whole path, and what is no folder as it is."""
    (tmp_path / "models" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for given, written in (("models/mine", str(tmp_path / "models" / "mine")), ("models/yours", "models/yours")):
        folder = export(built, trainer, given)
        for name in (NAMES[trainer], *(["merge.py"] if (folder / "merge.py").exists() else [])):
            text = (folder / name).read_text(encoding="utf-8")
            assert f'"{written}"' in text
            assert f'"{given}"' not in text.replace(f'"{written}"', "")


@pytest.mark.parametrize("name", ['a "b" # {c}', "C:\\Users\\models", '"""', "한국어/모델", "\U0001f600"])
def test_the_script_that_merges(built: Path, name: str) -> None:
    """The adapter is merged into the base model that was exported for, whatever the adapter names, and whatever is in its name."""
    script = (export(built, Trainer.UNSLOTH, name) / "merge.py").read_text(encoding="utf-8")
    values = {
        node.targets[0].id: node.value.value
        for node in ast.parse(script).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    assert values["BASE_MODEL"] == name
    assert "AutoModelForCausalLM.from_pretrained(BASE_MODEL" in script


def test_memory_is_that_of_what_is_written(tmp_path: Path) -> None:
    """The memory that is told is of the rows and the bytes a weight that the configuration has."""
    built = _build(tmp_path, validation=0.02)
    exported = write_export(built, "mlx")
    [batch] = re.findall(r"batch_size: (\d+)", (exported.folder / "lora.yaml").read_text(encoding="utf-8"))
    assert int(batch) < 8
    assert f"a logit of {batch} rows" in exported.notes[0]
    exported = write_export(built, "trl")
    assert "2 bytes a weight" in exported.notes[0]
    assert "dtype: bfloat16" in (exported.folder / "sft.yaml").read_text(encoding="utf-8").splitlines()


def test_what_cannot_be_exported(built: Path, here: Path) -> None:
    """A build of nothing, a folder that is none, one where a build is writing and an unknown trainer are refused."""
    build([here / "corpus"], here / "none", BuildOptions(speech_type=("dialogue",)), make_executor=one_thread)  # type: ignore[arg-type]
    with pytest.raises(BuildError, match="no example to learn from"):
        export(here / "none", "trl")
    with pytest.raises(BuildError):
        export(here / "corpus", "trl")
    with pytest.raises(OptionError, match="--to: 'tlr' is unknown; choose from trl"):
        export(built, "tlr")
    with claimed(built, built), pytest.raises(LockedError):
        export(built, "trl")


def test_the_command(unexported: Path, here: Path) -> None:
    """The command writes the export and says where; an unknown trainer ends with 2, a folder without a build with 3."""
    shutil.copytree(unexported, here / "out")
    run = invoke("export", "out", "--to", "trl", "--base-model", "my/model", cwd=here)
    assert (run.returncode, run.stderr) == (0, "")
    assert "README.md" in run.stdout
    for command in ("cd out/export/trl", "trl sft --config sft.yaml", "vllm serve my/model", "saturi evaluate ../.."):
        assert command in run.stdout
    assert "my/model" in (here / "out" / "export" / "trl" / "sft.yaml").read_text(encoding="utf-8")
    error_of(invoke("export", "out", "--to", "tlr", cwd=here), 2)
    error_of(invoke("export", "out", cwd=here), 2)
    error_of(invoke("export", "corpus", "--to", "trl", cwd=here), 3)
