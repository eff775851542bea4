"""Profiles of providers by name: those of this package, and the user's own over them. Nothing here talks to any."""

from collections.abc import Mapping
from pathlib import Path

from saturi.etl.errors import OptionError
from saturi.etl.settings.catalogue import read_catalogue
from saturi.schemas.provider import Provider

DEFAULT_PROVIDER = "openai"
_OURS = Path(__file__).with_name("providers.toml")
_NEW = "custom"


def read_providers(users: Path | None = None) -> dict[str, Provider]:
    """
    Return every known provider by its name, with the fields of the *users* file over those of this package.

    Raises:
        OptionError: That file cannot be read, or has a field that a profile cannot have.
    """
    return read_catalogue(_OURS, users, Provider, template=_NEW)


def find_provider(name: str, providers: Mapping[str, Provider]) -> Provider:
    """
    Return the provider called *name*.

    Raises:
        OptionError: There is none.
    """
    if name not in providers:
        known = ", ".join(sorted(providers))
        raise OptionError("--provider", f"{name!r} is unknown", f"choose from {known}, or add it by --providers FILE")
    return providers[name]
