"""The profile of a provider: where it is, what it takes, and how it differs from the others."""

from datetime import date
from typing import Any, Literal

from msgspec import Struct


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One provider that takes chat JSONL through the OpenAI SDK; a table of `providers.toml`.

    Args:
        name: The table's name.
        key_env: Name of the environment variable that holds the key.
        base_url: Where its API is; None where every customer has another, which must then be given.
        max_file_bytes: Largest file it takes at all, in one upload or in parts.
        uploads_threshold_bytes: Largest file for the Files API; above it a file goes in parts, through Uploads. None
            where every file goes through Files.
        max_part_bytes: Largest part of an upload in parts.
        bom: Whether a file must begin with a UTF-8 byte order mark, or must not.
        metadata: Whether a job carries texts of ours, by which it is found again.
        models: Whether it can be asked for one model by its name.
        organization_env, project_env: Names of the environment variables that hold the customer's organisation, and the
            project in it, where a request names them.
        extra_body: What is added to the body when a job is created.
        max_billed_tokens: Most tokens x epochs of one job, or None.
        no_jobs_from: The day from which no job can be created, or None.
        closings: What this provider closes, by the day from which it is closed.
        statuses: What this provider calls the status of a job, and what the others call the same.
        source: Where the facts of this row are from.
        as_of: When they were last looked at. None of them was tried against a live provider.
    """

    name: str
    key_env: str
    base_url: str | None = None
    max_file_bytes: int
    uploads_threshold_bytes: int | None = None
    max_part_bytes: int = 64_000_000
    bom: Literal["refused", "required"] = "refused"
    metadata: bool = True
    models: bool = True
    organization_env: str | None = None
    project_env: str | None = None
    extra_body: dict[str, Any] = {}  # any JSON value: what a provider asks for
    max_billed_tokens: int | None = None
    no_jobs_from: date | None = None
    closings: dict[str, str] = {}
    statuses: dict[str, str] = {}
    source: str
    as_of: date
