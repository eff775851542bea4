"""Evaluations in processes of their own, forked from one in which all is loaded, so that they can be killed."""

import multiprocessing
import os
from multiprocessing.process import BaseProcess
from pathlib import Path

from submissions import HASTE, KEY

from saturi.etl.errors import EtlError
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.metrics import Scorer
from saturi.etl.evaluation.options import EvaluateOptions

DONE, FAILED = 0, 1
_LOADED = Scorer()
"""Made once: it reads the dictionary of the tokenizer."""


def run(options: EvaluateOptions) -> None:
    """Evaluate, and end this process with an exit code."""
    os.environ["OPENAI_API_KEY"] = KEY
    try:
        evaluate(options=options, pace=HASTE)
    except EtlError:
        os._exit(FAILED)
    os._exit(DONE)


def start(options: EvaluateOptions) -> BaseProcess:
    """Start an evaluation."""
    here = str(Path(__file__).parent)
    # The forking process imports this module by its name.
    os.environ["PYTHONPATH"] = os.pathsep.join([here, str(Path(here).parent), os.environ.get("PYTHONPATH", "")])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["evaluator"])
    process = context.Process(target=run, args=(options,))
    process.start()
    return process
