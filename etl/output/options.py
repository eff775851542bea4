"""The options that a finished build was made with, as this version understands them."""

from saturi.etl.errors import BuildError, OptionError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.settings.options import BuildOptions


def options_of(build: FinishedBuild) -> BuildOptions:
    """
    Return the options of *build*.

    Raises:
        BuildError: They are those of another version.
    """
    try:
        return BuildOptions(**build.manifest.options)
    except (TypeError, OptionError) as error:
        raise BuildError(str(build.given), "its options are those of another version", "build again") from error
