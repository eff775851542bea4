"""Evaluations in processes of their own (`forks`), so that they can be killed."""

import multiprocessing
import os
from multiprocessing.process import BaseProcess

from submissions import HASTE, KEY

from saturi.etl.errors import EtlError
from saturi.etl.evaluation import resampling
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.metrics import Scorer
from saturi.etl.evaluation.options import EvaluateOptions

DONE, FAILED = 0, 1
_LOADED = Scorer()
"""Made once: it reads the dictionary of the tokenizer."""


def run(options: EvaluateOptions, resamples: int) -> None:
    """Evaluate, and end this process with an exit code."""
    resampling.RESAMPLES = resamples  # as in the process of the tests
    os.environ["OPENAI_API_KEY"] = KEY
    try:
        evaluate(options=options, pace=HASTE)
    except EtlError:
        os._exit(FAILED)
    os._exit(DONE)


def start(options: EvaluateOptions) -> BaseProcess:
    """Start an evaluation."""
    process = multiprocessing.get_context("forkserver").Process(target=run, args=(options, resampling.RESAMPLES))
    process.start()
    return process
