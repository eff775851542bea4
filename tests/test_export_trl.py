"""What TRL itself makes of its export: `make test-export` installs it, with torch, and runs these tests."""

import json
from pathlib import Path
from typing import Any

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import lines_of, one_thread

from etl import build, export
from etl.settings.options import BuildOptions

TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}[end]{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)

trl = pytest.importorskip("trl", reason="trl needs torch, which is gigabytes: make test-export")
pytestmark = pytest.mark.filterwarnings("default")  # what its many dependencies warn each other of is not for us


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The export for TRL of a small build, as the current directory, with a tiny model that knows its letters beside it."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(80))
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=0.25), make_executor=one_thread)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    _write_model(tmp_path / "model", {letter for line in lines_of(tmp_path / "out") for letter in line.decode()})
    monkeypatch.chdir(export(tmp_path / "out", "trl", base_model=str(tmp_path / "model")))
    return Path.cwd()


def _write_model(path: Path, letters: set[str]) -> None:
    """Write a random model of two thin layers, with a tokenizer of one token a letter, to *path*."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers  # noqa: PLC0415 - an extra
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: PLC0415 - likewise

    words = ["[pad]", "[end]", "[unk]", *sorted(letters | set(TEMPLATE))]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[unk]"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\[end\]|."), "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[pad]", eos_token="[end]", unk_token="[unk]")  # noqa: S106 - likewise
    fast.chat_template = TEMPLATE
    fast.save_pretrained(path)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(words), pad_token_id=0, eos_token_id=1, **shape)).save_pretrained(path)


def _parsed(*more: str) -> tuple[Any, ...]:
    """Return what `trl sft --config sft.yaml` takes from the configuration; a word that it does not know is an error."""
    from trl.scripts.sft import make_parser  # noqa: PLC0415 - an extra

    arguments = ["--config", "sft.yaml", "--bf16", "false", "--use_cpu", "true", *more]
    parsed: tuple[Any, ...] = make_parser().parse_args_and_config(arguments, fail_with_unknown_args=True)
    return parsed


def test_the_configuration(folder: Path) -> None:
    """TRL's own parser knows every word of the configuration, and finds model, splits and epochs in it."""
    script, training, model, _ = _parsed()
    assert (folder / script.dataset_name).resolve() == folder.parents[1] / "chunks"
    assert (script.dataset_train_split, script.dataset_test_split) == ("train", "validation")
    assert model.model_name_or_path.endswith("model")
    assert (training.num_train_epochs, training.max_length, model.use_peft) == (3, 2048, True)


def test_a_step_of_training(folder: Path) -> None:
    """TRL's own script loads the chunks, renders and counts them, trains a step on them, and evaluates."""
    from trl.scripts.sft import main  # noqa: PLC0415 - an extra

    main(
        *_parsed(
            "--max_steps",
            "1",
            "--eval_strategy",
            "steps",
            "--eval_steps",
            "1",
            "--save_strategy",
            "steps",
            "--save_steps",
            "1",
        )
    )
    [model] = folder.glob("model-*")
    state = json.loads((model / "checkpoint-1" / "trainer_state.json").read_text(encoding="utf-8"))
    assert state["global_step"] == 1
    assert any("eval_loss" in entry for entry in state["log_history"])
    assert (model / "adapter_model.safetensors").exists()
