"""Trainers of open models, each in an environment of its own, and a tiny model for them to tune."""

import json
import os
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import chunks_of, lines_of, one_thread, saturi
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from saturi import build, export
from saturi.etl.settings.options import BuildOptions

TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}[end]{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
END = "[end]"
EXAMPLES = 80

_LAYERS = 2
_HEADS = 2
_WIDTH = 32


class Trainer:
    """
    The environment of a trainer, which `make test-export` has set up.

    Args:
        folder: The environment.
        home: Where its caches go.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self._programs = folder / "bin"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTHON"))},
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "1",
            "PYTHONIOENCODING": "utf-8",
            "PATH": f"{self._programs}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, cwd: Path, program: str, *arguments: str) -> str:
        """Run *program* of the environment in *cwd*, and return what it prints, errors included."""
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=cwd,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=500,
        )
        printed = done.stdout.decode(errors="replace")
        assert done.returncode == 0, printed
        return printed

    def ask(self, cwd: Path, script: str, *arguments: str) -> Any:
        """Run the Python *script*, and return what it writes to the path that is its first argument, as JSON."""
        answer = cwd / "answer.json"
        self.run(cwd, "python", "-c", script, str(answer), *arguments)
        return json.loads(answer.read_text(encoding="utf-8"))

    @contextmanager
    def serving(self, cwd: Path, command: list[str]) -> Iterator[str]:
        """Run a server by *command* in *cwd*, on a port of its own, and give its address when it answers."""
        port = free_port()
        at = command.index("--port") if "--port" in command else len(command)
        arguments = [*command[1:at], "--port", str(port)]
        with (cwd / "server.log").open("wb") as log:
            server = subprocess.Popen(
                [self._programs / command[0], *arguments], cwd=cwd, env=self._environment, stdout=log, stderr=log
            )
        try:
            while not _answers(port):
                assert server.poll() is None, (cwd / "server.log").read_text(errors="replace")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait()


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def commands_of(folder: Path) -> list[list[str]]:
    """Return the commands of the card of the export in *folder*, each as its words."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    return [shlex.split(block) for block in re.findall(r"```sh\n(.*?)\n```", card, flags=re.DOTALL)]


def evaluated(folder: Path, command: list[str], address: str) -> Any:
    """Run a command of a card that evaluates, on few rows and at *address*, and return what it prints as JSON."""
    environment, program, *arguments = command
    assert (environment, program) == ("OPENAI_API_KEY=none", "saturi")
    arguments[arguments.index("--base-url") + 1] = address
    done = saturi(*arguments, "--sample", "3", "--json", cwd=folder, OPENAI_API_KEY="none")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def trainer_of(request: pytest.FixtureRequest, name: str, home: Path) -> Trainer:
    """Return the trainer *name*; the test is skipped where the test run was given none."""
    folder = request.config.getoption("--trainers")
    if folder is None:
        pytest.skip("trainers are gigabytes, each in an environment of its own: make test-export")
    return Trainer(Path(folder).absolute() / name, home)


def export_of(folder: Path, target: str) -> Path:
    """Return the export of a small build to *target*, whose base model is a tiny one beside the build."""
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(EXAMPLES))
    options = BuildOptions(validation=0.25, max_chunk_examples=25)
    build([folder / "corpus"], folder / "out", options, make_executor=one_thread)
    letters = {letter for line in lines_of(folder / "out") for letter in line.decode()}
    return export(folder / "out", target, base_model=str(write_model(folder / "model", letters)))


def answers_of(out: Path, split: str) -> list[str]:
    """Return the answers of a *split* of the build in *out*, with what ends them in the template, in order of the alphabet."""
    lines = [json.loads(line) for lines in chunks_of(out, split).values() for line in lines]
    return sorted(line["messages"][-1]["content"] + END for line in lines)


def write_model(folder: Path, letters: set[str]) -> Path:
    """Write a Llama of random numbers, with a token a letter and a template without generation marks, to *folder*."""
    folder.mkdir()
    words = ["[pad]", END, "[unk]", *sorted(letters | set(TEMPLATE))]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[unk]"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\[end\]|[\s\S]"), "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": TEMPLATE,
        "pad_token": "[pad]",
        "eos_token": END,
        "unk_token": "[unk]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    shape = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(words),
        "hidden_size": _WIDTH,
        "intermediate_size": _WIDTH,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": _HEADS,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": None,
        "tie_word_embeddings": False,
        "dtype": "float32",
    }
    (folder / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    save_file(_tensors(len(words)), folder / "model.safetensors", {"format": "pt"})
    return folder


def _tensors(words: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)

    def random(rows: int, width: int = _WIDTH) -> np.ndarray:
        return (generator.standard_normal((rows, width)) * 0.2).astype(np.float32)

    tensors = {"model.embed_tokens": random(words), "lm_head": random(words), "model.norm": np.ones(_WIDTH, np.float32)}
    for layer in range(_LAYERS):
        here = f"model.layers.{layer}"
        tensors |= {f"{here}.self_attn.{part}_proj": random(_WIDTH) for part in "qkvo"}
        tensors |= {f"{here}.mlp.{part}_proj": random(_WIDTH) for part in ("gate", "up", "down")}
        tensors |= {f"{here}.{part}_layernorm": np.ones(_WIDTH, np.float32) for part in ("input", "post_attention")}
    return {f"{name}.weight": values for name, values in tensors.items()}
