"""The server that processes of tests are forked from, with everything loaded; a process of pytest has one."""

import multiprocessing
import os
from pathlib import Path

PRELOADED = ["submitter", "evaluator"]


def prepare_forks() -> None:
    """Set what the server loads, which it does when it is first needed, by whomever."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        here = Path(__file__).parent
        os.environ["PYTHONPATH"] = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
        multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
