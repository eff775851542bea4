"""Paths on the command line."""

from pathlib import Path
from typing import Any

import click

from saturi.etl.settings.paths import location_of, path_of
from saturi.etl.storage.location import ObjectPath, is_url


class NamedPath(click.Path):
    """A path that is not empty, since that would be the working directory, and from a home folder where it begins with `~`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # as its base
        """Return the path, or fail with a sentence."""
        if value == "":
            self.fail("the path is empty; name a file or a folder, or the working directory by a dot", param, ctx)
        if isinstance(value, str) and is_url(value):
            self.fail("it is a URL, and has to be a path; give a path on this machine", param, ctx)
        path = super().convert(value, param, ctx)
        return path_of(value, "path") if isinstance(value, str) and value.startswith("~") else path


class NamedLocation(NamedPath):
    """A path, or a URL of object storage."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # as its base
        """Return the location, or fail with a sentence."""
        if isinstance(value, ObjectPath) or (isinstance(value, str) and is_url(value)):
            return location_of(value, "URL")
        return super().convert(value, param, ctx)


PATH = NamedPath(path_type=Path)
LOCATION = NamedLocation(path_type=Path)
