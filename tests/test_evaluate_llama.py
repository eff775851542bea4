"""An evaluation of a real model on a real chat server: llama.cpp's, with a tiny model of random numbers."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluations import score, sources, system, write_test_file
from submissions import KEY
from tiny_model import write_tiny_model

from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions

if sys.platform != "linux":
    pytest.skip("xllamacpp is installed for the tests on Linux alone", allow_module_level=True)

ROWS = 4


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server, which ends with the module."""
    xllamacpp = importlib.import_module("xllamacpp")  # here, since it takes long
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf"))
    parameters.n_ctx, parameters.n_parallel, parameters.port, parameters.warmup = 2048, 2, 0, False
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


def test_llama_cpp(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is answered with at most as many tokens as it may have, and random numbers score less than copying."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    file = write_test_file(tmp_path / "test.jsonl", sources(ROWS))
    options = EvaluateOptions(file=file, model=("tiny",), provider="custom", base_url=address, concurrency=2)
    result = evaluate(options=options)
    found = system(result, "tiny")
    assert (found.asked, found.known, found.usd) == (ROWS, 0, 0)
    assert found.input_tokens is not None
    assert found.output_tokens is not None
    assert 0 < found.output_tokens <= sum(64 + len(text.encode()) for text in sources(ROWS))
    tiny, copying = score(result, "tiny", "chrf").score, score(result, "copy", "chrf").score
    assert tiny is not None
    assert copying is not None
    assert tiny < copying
    again = evaluate(options=options)
    assert system(again, "tiny").known == ROWS
    assert again.evaluation.systems[1].strata == result.evaluation.systems[1].strata
