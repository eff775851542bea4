"""What comes after an export, command by command: train, serve, evaluate."""

import shlex
from collections.abc import Sequence

from saturi.etl.exports.training import LORA_RANK, Step, Training, quoted

USUAL = 3
"""The steps that `export` prints; the card has the others, too."""

_OUT, _FILE = "../..", "test"

_MERGE = '''\
"""Merge the adapter into its base model, for servers that take whole models: `python merge.py` in this folder, after training."""

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

BASE_MODEL = {base_model}  # by its own name: the adapter may name a copy in four bits, which nothing can be merged into
MODEL = "{model}"
MERGED = "{merged}"

base = AutoModelForCausalLM.from_pretrained(BASE_MODEL, dtype="auto")
PeftModel.from_pretrained(base, MODEL).merge_and_unload().save_pretrained(MERGED)
AutoTokenizer.from_pretrained(MODEL).save_pretrained(MERGED)
'''


def adapter_steps(train: str, training: Training) -> list[Step]:
    """
    Return the steps for an adapter as PEFT writes it, the usual three first.

    Args:
        train: The command that trains.
        training: What it trains on.
    """
    base, model, merged = shlex.quote(training.base_model), training.model_folder, training.merged_folder
    name = training.served_name
    return [
        Step("Train, in the environment of the trainer", train),
        Step(
            "Serve, in the environment of vLLM",
            f"vllm serve {base} --enable-lora --lora-modules {name}={model} --max-lora-rank {LORA_RANK}",
        ),
        evaluation(name, 8000, training),
        Step(
            "Or serve without vLLM, merged into a model of its own, in the environment of the trainer",
            f"python merge.py && transformers serve {merged}",
        ),
        evaluation(merged, 8000, training, name="merged"),
        Step(
            "Or serve a GGUF, by programs of llama.cpp and the script in a checkout of it, for which `llama.cpp` stands here; the"
            " scripts in the environment of the trainer",
            f"python merge.py && python llama.cpp/convert_hf_to_gguf.py {merged} --outfile {merged}.gguf\n"
            f"llama-server -m {merged}.gguf --port 8080",
        ),
        evaluation(merged, 8080, training, name="gguf"),
        card(name, training),
    ]


def merge_script(training: Training) -> str:
    """Return the script that merges the adapter into its base model."""
    return _MERGE.format(
        base_model=quoted(training.base_model), model=training.model_folder, merged=training.merged_folder
    )


def evaluation(model: str, port: int, training: Training, *, name: str | None = None, seed: int | None = None) -> Step:
    """
    Return the step that evaluates what is served.

    Args:
        model: The tune's name at the server.
        port: The server's, on this machine.
        training: What it was trained on.
        name: Of the evaluation, where the server answers as the tune alone: it then goes beside that with the base model.
        seed: Sent with each request, where the name does not tell one tune from another.
    """
    rows = _OUT if training.has_validation else f"{_OUT} --file {_FILE}.jsonl"
    title = "Evaluate, in the environment of saturi"
    title += "" if training.has_validation else ", on chat JSONL of your own, since nothing is held out"
    words = [
        f"OPENAI_API_KEY=none saturi evaluate {rows} --provider custom --base-url http://127.0.0.1:{port}/v1",
        f"--model {model}",
        f"--base-model {shlex.quote(training.base_model)}" if name is None else f"--name {name}",
        *([] if seed is None else [f"--seed {seed}"]),
    ]
    return Step(title, " ".join(words))


def card(model: str, training: Training) -> Step:
    """Return the step that writes the card of *model*, the tune's name in the first evaluation."""
    chosen = "" if training.has_validation else f" --evaluation {_FILE}"
    return Step("Write the card of the tune, likewise", f"saturi export {_OUT} --card {model}{chosen}")


def usage_of(steps: Sequence[Step], training: Training) -> str:
    """Return *steps* in Markdown."""
    blocks = "\n".join(f"{step.title}:\n\n```sh\n{step.command}\n```\n" for step in steps)
    return f"""\
All of these are run in this folder, each in the environment that it names:

{blocks}
The model goes to `{training.model_folder}`, named after this build and base model: an export of others leaves it alone. An
evaluation remembers what was answered under a name: that of the served model says build, base model and trainer, too. If you train
again with settings of your own, evaluate with another `--seed`.
"""
