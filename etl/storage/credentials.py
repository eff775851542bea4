"""
Keys of S3 from the files that the AWS tools share, where the environment holds none.

obstore finds those of the environment, of a container and of a machine itself, but reads no file. What a profile derives
from others (single sign-on, roles) `aws configure export-credentials --format env` gives to the environment.
"""

import configparser
import os
from pathlib import Path
from typing import TypedDict

_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "token",
}
_SETTINGS = {"region": "region", "endpoint_url": "endpoint"}


class SharedSettings(TypedDict, total=False):
    """Settings of a store by obstore's names."""

    access_key_id: str
    secret_access_key: str
    token: str
    region: str
    endpoint: str


def shared_settings() -> SharedSettings:
    """Return what the profile in use (`AWS_PROFILE`, else `default`) has in the shared files and the environment has not."""
    profile = os.environ.get("AWS_PROFILE") or "default"
    credentials = _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile)
    config = _section("AWS_CONFIG_FILE", "config", profile if profile == "default" else f"profile {profile}")
    shared = config | credentials
    settings: SharedSettings = {}
    if not os.environ.get("AWS_ACCESS_KEY_ID") and shared.keys() >= {"aws_access_key_id", "aws_secret_access_key"}:
        for theirs, ours in _KEYS.items():
            if theirs in shared:
                settings[ours] = shared[theirs]  # type: ignore[literal-required]  # one of the keys above
    for theirs, ours in _SETTINGS.items():
        if theirs in shared and not any(map(os.environ.get, _names_of(ours))):
            settings[ours] = shared[theirs]  # type: ignore[literal-required]  # as above
    return settings


def _names_of(setting: str) -> tuple[str, ...]:
    """Return the variables that hold a setting."""
    if setting == "region":
        return ("AWS_REGION", "AWS_DEFAULT_REGION")
    return ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


def _section(variable: str, name: str, section: str) -> dict[str, str]:
    """Return a section of a shared file, empty where there is none that can be read."""
    path = Path(os.environ.get(variable) or f"~/.aws/{name}").expanduser()
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
        return dict(parser[section])
    except (KeyError, OSError, UnicodeDecodeError, configparser.Error):
        return {}
