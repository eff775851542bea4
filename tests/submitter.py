"""Submissions in a process of their own (`forks`), to be killed."""

import multiprocessing
import os
from concurrent.futures import Future
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import polars as pl
from killings import PATIENCE_SECONDS
from openai import OpenAI
from submissions import ENVIRONMENT, HASTE, YES, YES_AGAIN

from saturi.etl.checking import (  # these, the adapters and the SDK, to be loaded before a process is forked
    advice,
    check,
)
from saturi.etl.errors import EtlError
from saturi.etl.network.http import ssl_context
from saturi.etl.providers import clova_api, fireworks_api, openai_api, together_api
from saturi.etl.providers.pace import Pace
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.submit import submit

_SDK = OpenAI(api_key="none")
_PRELOADED = (
    pl.DataFrame,  # imported and not yet used: it starts threads when it is, which a fork would lose
    check,
    advice,
    clova_api,
    fireworks_api,
    openai_api,
    together_api,
    ssl_context(),
    _SDK.files,
    _SDK.uploads.parts,
    _SDK.fine_tuning.jobs,
    _SDK.models,
)

DONE, RESUBMIT, FAILED, KILLED = 0, 7, 1, -9
"""Exit codes: done; a job may or may not have been created; any other foreseen error; killed."""


class Errand(NamedTuple):
    """One submission."""

    out: Path
    options: SubmitOptions
    again: bool = False
    pace: Pace = HASTE


def run(errand: Errand) -> None:
    """Submit, and end this process with an exit code."""
    os.environ.update(ENVIRONMENT)
    try:
        submit(errand.out, errand.options, consent=YES_AGAIN if errand.again else YES, pace=errand.pace)
    except EtlError as error:
        os._exit(RESUBMIT if "--resubmit" in str(error) else FAILED)
    os._exit(DONE)


def start(errand: Errand) -> BaseProcess:
    """Start a submission."""
    process = multiprocessing.get_context("forkserver").Process(target=run, args=(errand,))
    process.start()
    return process


def finish(errand: Errand) -> int:
    """Submit, and return the exit code."""
    process = start(errand)
    process.join(PATIENCE_SECONDS)
    assert process.exitcode is not None
    return process.exitcode


class Victim:
    """A process that is killed when the provider meets it: the first request may come before it is known here."""

    def __init__(self) -> None:
        self._started: Future[BaseProcess] = Future()

    def kill(self) -> None:
        """Kill it, once it is known."""
        self._started.result().kill()

    def start(self, errand: Errand) -> int | None:
        """Start it, and return its exit code; None if it hangs."""
        process = start(errand)
        self._started.set_result(process)
        process.join(PATIENCE_SECONDS)
        return process.exitcode
