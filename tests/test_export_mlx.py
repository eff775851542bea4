"""What mlx-lm itself makes of its export, in an environment of its own: `make test-export`."""

import re
from pathlib import Path

import pytest
from trainers import Trainer, answers_of, commands_of, evaluated, export_of, trainer_of

LEARNT = """
import json, sys, types, yaml
from mlx_lm.lora import CONFIG_DEFAULTS, yaml_loader
from mlx_lm.tuner.datasets import CacheDataset, load_dataset
from mlx_lm.utils import load_tokenizer

settings = yaml.load(open("lora.yaml"), yaml_loader)
unknown = sorted(settings.keys() - CONFIG_DEFAULTS.keys())
arguments = types.SimpleNamespace(**{**CONFIG_DEFAULTS, **settings})
tokenizer = load_tokenizer(settings["model"])
texts = []
for split in load_dataset(arguments, tokenizer)[:2]:
    rows = CacheDataset(split)
    texts.append(["".join(tokenizer.convert_ids_to_tokens(ids[begin:])) for ids, begin in map(rows.__getitem__, range(len(rows)))])
json.dump({"texts": texts, "unknown": unknown}, open(sys.argv[1], "w"))
"""


@pytest.fixture
def mlx(request: pytest.FixtureRequest, tmp_path: Path) -> Trainer:
    return trainer_of(request, "mlx", tmp_path / "home")


def test_what_is_learnt(mlx: Trainer, tmp_path: Path) -> None:
    """mlx-lm knows every word of the configuration, and of each example only the answer is learnt, and its end."""
    answer = mlx.ask(export_of(tmp_path, "mlx"), LEARNT)
    assert answer["unknown"] == []
    for texts, split in zip(answer["texts"], ("train", "validation"), strict=True):
        assert sorted(texts) == answers_of(tmp_path / "out", split)


def test_training_and_serving(mlx: Trainer, tmp_path: Path) -> None:
    """The commands of the card train on the export as it is, serve the adapter, and evaluate it; the loss falls."""
    folder = export_of(tmp_path, "mlx")
    train, serve, evaluate = commands_of(folder)[:3]
    steps = ["--iters", "12", "--val-batches", "-1", "--learning-rate", "0.02", "--grad-accumulation-steps", "1"]
    printed = mlx.run(folder, *train, *steps)
    losses = [float(loss) for loss in re.findall(r"\bval\s+([0-9.]+)", re.sub("\x1b\\[[0-9;]*m", "", printed))]
    assert losses, printed
    assert losses[-1] < 0.9 * losses[0]
    [model] = folder.glob("model-*")
    assert (model / "adapters.safetensors").exists()
    with mlx.serving(folder, serve) as address:
        scores = evaluated(folder, evaluate, address)
    assert {one["name"] for one in scores["systems"]} == {"copy", str(tmp_path / "model"), "default_model"}
