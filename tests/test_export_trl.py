"""What TRL itself makes of its export, in an environment of its own: `make test-export`."""

import json
from pathlib import Path

import pytest
from runs import saturi
from trainers import Trainer, answers_of, commands_of, evaluated, export_of, trainer_of

ON_A_CPU = ("--bf16", "false", "--use_cpu", "true")

LEARNT = """
import json, sys
from datasets import load_dataset
from trl import SFTTrainer
from trl.scripts.sft import make_parser

script, training, model, _ = make_parser().parse_args_and_config(sys.argv[2:], fail_with_unknown_args=True)
rows = load_dataset(script.dataset_name)
train, test = rows[script.dataset_train_split], rows[script.dataset_test_split]
trainer = SFTTrainer(model.model_name_or_path, args=training, train_dataset=train, eval_dataset=test)
texts = [
    "".join(trainer.processing_class.convert_ids_to_tokens([label for label in labels if label != -100]))
    for labels in trainer.train_dataset["labels"]
]
facts = [training.num_train_epochs, training.max_length, model.use_peft]
json.dump({"texts": texts, "facts": facts}, open(sys.argv[1], "w"))
"""


@pytest.fixture
def trl(request: pytest.FixtureRequest, tmp_path: Path) -> Trainer:
    return trainer_of(request, "trl", tmp_path / "home")


def test_what_is_learnt(trl: Trainer, tmp_path: Path) -> None:
    """TRL's own parser knows every word of the configuration, and of each example only the answer is learnt, and its end."""
    folder = export_of(tmp_path, "trl")
    answer = trl.ask(folder, LEARNT, "--config", "sft.yaml", *ON_A_CPU)
    assert sorted(answer["texts"]) == answers_of(tmp_path / "out", "train")
    assert answer["facts"] == [3, 2048, True]


def test_training_and_serving(trl: Trainer, tmp_path: Path) -> None:
    """The commands of the card train on the export as it is, merge, serve, and evaluate the model; the loss falls."""
    folder = export_of(tmp_path, "trl")
    train, _, _, serve, evaluate, *_ = commands_of(folder)
    steps = ("--max_steps", "12", "--learning_rate", "0.02", "--logging_steps", "1", "--save_strategy", "steps")
    trl.run(folder, *train, *ON_A_CPU, *steps, "--save_steps", "12", "--eval_strategy", "steps", "--eval_steps", "12")
    [model] = folder.glob("model-*")
    state = json.loads((model / "checkpoint-12" / "trainer_state.json").read_text(encoding="utf-8"))
    losses = [entry["loss"] for entry in state["log_history"] if "loss" in entry]
    assert losses[-1] < 0.9 * losses[0]
    assert any("eval_loss" in entry for entry in state["log_history"])
    assert (model / "adapter_model.safetensors").exists()
    also = serve.index("&&")
    trl.run(folder, *serve[:also])
    with trl.serving(folder, serve[also + 1 :]) as address:
        scores = evaluated(folder, evaluate, address)
    assert {one["name"] for one in scores["systems"]} == {"copy", model.name.replace("model", "merged-trl")}
    done = saturi(
        "export", "../..", "--card", evaluate[evaluate.index("--model") + 1], "--evaluation", "merged", cwd=folder
    )
    assert done.returncode == 0, done.stderr
