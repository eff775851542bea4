"""Services: a provider on loopback for each wire format, and how one submits to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import clovas
import submissions
from provider import Server, World, fireworks, together
from submissions import HASTE, OPEN_MODEL, YES

from saturi.etl.submission.access import Access
from saturi.etl.submission.execution import Submission
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.submit import submit

Options = Callable[..., SubmitOptions]


class Service(NamedTuple):
    """
    One form of the API.

    Args:
        name: What it is called here.
        options: Returns the options of a submission, of server, world and further options.
        assert_once: Checks that a world has one job on the examples of a build, and no file twice.
        form: The field of a world that says that it answers so; empty for OpenAI's.
        chains: Whether a tune can be trained further.
        header_lines: Lines before the first example in the file as it is sent.
        requests: How many a submission makes that nothing goes wrong in.
    """

    name: str
    options: Options
    assert_once: Callable[[Path, World], None]
    form: str
    chains: bool
    header_lines: int
    requests: int

    def world(self, server: Server, name: str) -> World:
        """Return a world that answers in this form."""
        world = server.world(name)
        for form in ("studio", "clova", "fireworks", "together"):
            setattr(world, form, form == self.form)
        return world

    def hand_in(self, out: Path, server: Server, world: World, **more: Any) -> Submission:
        """Submit *out* to *world* in haste, with everything agreed to."""
        consent = more.pop("consent", YES)
        return submit(out, self.options(server, world, **more), consent=consent, pace=HASTE)

    def access(self, server: Server, world: World) -> Access:
        """Return what `status` and its like need to find *world* by a ledger."""
        return Access(providers=self.options(server, world).providers)


def _openai(server: Server, world: World, **more: Any) -> SubmitOptions:
    return submissions.options_for(server, world, **more)


def _unsloth(server: Server, world: World, **more: Any) -> SubmitOptions:
    return submissions.options_for(server, world, **{"provider": "unsloth", "model": OPEN_MODEL, **more})


def fireworks_options(server: Server, world: World, **more: Any) -> SubmitOptions:
    """Return the options of a submission to a world that answers as Fireworks does, the unknown price agreed to."""
    given = {"provider": "fireworks", "model": fireworks.MODEL, "allow_unknown_price": True, "providers": None}
    return submissions.options_for(server, world, **{**given, **more})


def together_options(server: Server, world: World, **more: Any) -> SubmitOptions:
    """Return the options of a submission to a world that answers as Together does, the unknown price agreed to."""
    given = {"provider": "together", "model": together.MODEL, "allow_unknown_price": True, "providers": None}
    return submissions.options_for(server, world, **{**given, **more})


def assert_once_at_together(out: Path, world: World) -> None:
    """Check that *world* has one job, on the examples of *out* that are to learn from, byte for byte, and no other file."""
    assert len(world.jobs) == 1
    [job] = world.jobs.values()
    assert world.content(job["training_file"]) == submissions.joined(out, "train")
    assert list(world.uploads) == list(world.files) == [job["training_file"]]


SERVICES = (
    Service("openai", _openai, submissions.assert_submitted_once, "", chains=True, header_lines=0, requests=8),
    Service("unsloth", _unsloth, submissions.assert_submitted_once, "studio", chains=False, header_lines=0, requests=7),
    Service(
        "clova", clovas.options_for, clovas.assert_submitted_once, "clova", chains=False, header_lines=1, requests=5
    ),
    Service(
        "fireworks",
        fireworks_options,
        submissions.assert_submitted_once,
        "fireworks",
        chains=True,
        header_lines=0,
        requests=15,
    ),
    Service(
        "together",
        together_options,
        assert_once_at_together,
        "together",
        chains=True,
        header_lines=0,
        requests=10,
    ),
)
"""Every wire format, and one that uses OpenAI's in a way of its own."""
