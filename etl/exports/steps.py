"""What comes after an export, command by command: train, serve, evaluate."""

import shlex
from collections.abc import Sequence

from etl.exports.training import LORA_RANK, Step, Training

USUAL = 3
"""The steps that `export` prints; the card has the others, too."""

_MERGE = '''\
"""Merge the adapter into its base model, for servers that take whole models: `python merge.py` in this folder, after training."""

from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

MODEL = "{model}"
MERGED = "{merged}"

AutoPeftModelForCausalLM.from_pretrained(MODEL, dtype="auto").merge_and_unload().save_pretrained(MERGED)
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
    return [
        Step("Train", train),
        Step(
            "Serve with vLLM",
            f"vllm serve {base} --enable-lora --lora-modules saturi={model} --max-lora-rank {LORA_RANK}",
        ),
        evaluation("saturi", 8000, training),
        Step(
            "Or serve without vLLM, merged into a model of its own", f"python merge.py && transformers serve {merged}"
        ),
        evaluation(merged, 8000, training, base=False),
        Step(
            "Or serve a GGUF, by llama.cpp and its script",
            f"python merge.py && python convert_hf_to_gguf.py {merged} --outfile {merged}.gguf\n"
            f"llama-server -m {merged}.gguf --port 8080",
        ),
        evaluation(merged, 8080, training, base=False),
    ]


def merge_script(training: Training) -> str:
    """Return the script that merges the adapter into its base model."""
    return _MERGE.format(model=training.model_folder, merged=training.merged_folder)


def evaluation(model: str, port: int, training: Training, *, base: bool = True) -> Step:
    """
    Return the step that evaluates what is served.

    Args:
        model: The tune's name at the server.
        port: The server's, on this machine.
        training: What it was trained on.
        base: Whether the server answers as the base model, too.
    """
    rows = "../.." if training.has_validation else "--file test.jsonl"
    title = "Evaluate" if training.has_validation else "Evaluate, on chat JSONL of your own, since nothing is held out"
    beside = f" --base-model {shlex.quote(training.base_model)}" if base else ""
    return Step(
        title,
        f"OPENAI_API_KEY=none saturi evaluate {rows} --provider custom --base-url http://127.0.0.1:{port}/v1"
        f" --model {model}{beside}",
    )


def usage_of(steps: Sequence[Step], training: Training) -> str:
    """Return *steps* in Markdown."""
    blocks = "\n".join(f"{step.title}:\n\n```sh\n{step.command}\n```\n" for step in steps)
    return f"""\
In this folder, and in the environment of the trainer or the server:

{blocks}
The model goes to `{training.model_folder}`, named after this build and base model: an export of others leaves it alone.
"""
