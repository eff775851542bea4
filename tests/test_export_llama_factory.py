"""What LLaMA-Factory itself makes of its export, in an environment of its own: `make test-export`."""

import json
from pathlib import Path

import pytest
from trainers import Trainer, answers_of, commands_of, export_of, trainer_of

ON_A_CPU = ("bf16=false", "use_cpu=true", "preprocessing_num_workers=1", "disable_gradient_checkpointing=true")

LEARNT = """
import json, sys
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args, read_args
from llamafactory.model import load_tokenizer

sys.argv[2:2] = ["sft.yaml"]
answer, sys.argv = sys.argv[1], sys.argv[1:]
model, data, training, finetuning, _ = get_train_args(read_args())
module = load_tokenizer(model)
tokenizer = module["tokenizer"]
template = get_template_and_fix_tokenizer(tokenizer, data)
sets = get_dataset(template, model, data, training, stage="sft", **module)
texts = [
    ["".join(tokenizer.convert_ids_to_tokens([label for label in labels if label != -100])) for labels in rows["labels"]]
    for rows in (sets["train_dataset"], sets["eval_dataset"])
]
json.dump({"texts": texts}, open(answer, "w"))
"""


@pytest.fixture
def llama_factory(request: pytest.FixtureRequest, tmp_path: Path) -> Trainer:
    return trainer_of(request, "llama-factory", tmp_path / "home")


def test_what_is_learnt(llama_factory: Trainer, tmp_path: Path) -> None:
    """LLaMA-Factory knows every word of the configuration, and of each example only the answer is learnt, and its end."""
    answer = llama_factory.ask(export_of(tmp_path, "llama-factory"), LEARNT, *ON_A_CPU)
    for texts, split in zip(answer["texts"], ("train", "validation"), strict=True):
        assert sorted(texts) == answers_of(tmp_path / "out", split)


def test_training(llama_factory: Trainer, tmp_path: Path) -> None:
    """The command of the card trains on the export as it is, the loss falls, and an adapter is there in the end."""
    folder = export_of(tmp_path, "llama-factory")
    steps = ("max_steps=12", "learning_rate=0.02", "logging_steps=1", "save_strategy=steps", "save_steps=12")
    llama_factory.run(folder, *commands_of(folder)[0], *ON_A_CPU, *steps)
    [model] = folder.glob("model-*")
    lines = (model / "trainer_log.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]
    assert losses[-1] < 0.9 * losses[0]
    assert (model / "adapter_model.safetensors").exists()
