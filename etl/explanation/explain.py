"""Explanation of one label file from a finished build and its stage, step by step; no text unless requested."""

from saturi.etl.errors import InputError, OptionError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import STAGE
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location
from saturi.schemas.explanation import Explanation


def explain(
    out: str | Location, member: str, *, stage: str | Location | None = None, text: bool = False
) -> list[Explanation]:
    """
    Return the explanation of every label file *member* in the build in *out*.

    Args:
        out: Folder of a finished build, or its URL.
        member: Path of a label file in its archive, or the last part of it.
        stage: Folder of the segments, or its URL, where that is not `stage` in *out*.
        text: Include the texts of its utterances, as in examples.

    Raises:
        OptionError: The name is empty.
        BuildError: There is no finished build, it is damaged, or its stage is not there any more.
        InputError: No label file is called so.
    """
    from saturi.etl.explanation.fates import Fates  # noqa: PLC0415 - loads Polars, which those who only build need not have here

    if not member:
        raise OptionError("--member", "the name is empty", "give the path of a label file, or its file name with .json")
    build = FinishedBuild.open(out)
    build.refuse_damage()
    fates = Fates(build, build.given / STAGE if stage is None else output_of(stage, "--stage"), text=text)
    explanations = fates.of(member)
    if not explanations:
        problem = "no label file of this build is called so"
        raise InputError(member, problem, "give its path in the archive, or its file name with .json")
    return explanations
