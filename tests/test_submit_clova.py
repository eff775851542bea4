"""Submissions to CLOVA Studio, as the provider on loopback imitates it: its rows, its bucket, its secrets, its tasks."""

import json
from pathlib import Path

import pytest
from clovas import assert_submitted_once, examples_in, hand_in, options_for
from provider import Server, World
from provider.clova import ACCESS, SECRET

from etl.submission.dry_run import requests_of
from etl.submission.submit import plan_submission


def test_rows(out: Path, server: Server, clova: World) -> None:
    """A build becomes one task, on a CSV of its examples in a bucket."""
    done = hand_in(out, server, clova)
    assert done.created == 1
    assert_submitted_once(out, clova)
