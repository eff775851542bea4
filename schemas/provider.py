"""The profile of a provider: its address, its limits, and its differences from the others."""

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from saturi.schemas.model import Price

Wire = Literal["openai", "clova", "fireworks", "together"]
"""The wire format that a provider speaks: which adapter asks it, and in which form it takes a file."""

Number = Annotated[int, Meta(ge=1, le=2**53 - 1)]  # exact in every JSON


class Storage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The S3 store of the customer's own in which a provider looks for files.

    Args:
        endpoint: Its address.
        region: The name by which its region goes into signatures.
        bucket_env: Name of the environment variable that holds the bucket.
        access_key_env, secret_key_env: Names of those that hold its two keys, which go into signatures and into the request
            that creates a job, and nowhere else.
    """

    endpoint: str
    region: str
    bucket_env: str
    access_key_env: str
    secret_key_env: str


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One provider; a table of `providers.toml`.

    Args:
        name: Name of the table.
        key_env: Name of the environment variable that holds the key.
        wire: The wire format that it speaks.
        base_url: Address of its API; None where every customer has their own, which must then be given.
        storage: Where a file is put that it reads from a store of the customer's own; None where it takes files itself.
        fewest_examples: Lines below which it refuses a file.
        validation_files: Whether a job takes a validation file.
        most_suffix: Most characters of a text of the customer's that goes into the name of a tune; 0 where none does.
        seeds: Whether a job takes a seed.
        max_file_bytes: Largest file, in one upload or in parts.
        uploads_threshold_bytes: Largest file for the Files API; a larger one is sent in parts, through the Uploads API. None
            where every file is sent through the Files API.
        max_part_bytes: Largest part of an upload in parts.
        equal_parts: Whether all parts but the last have one size; where not, each ends with a line.
        bom: Whether a file must begin with a UTF-8 byte order mark, or must not.
        refused_tokens: Control tokens in a text for which it fails a job.
        metadata: Whether a job keeps texts of ours, by which it is found again: they are kept, they are dropped, or that is
            not known, as behind a gateway. Where they may be lost, a job is found by its files, model and settings.
        models: Whether every model that it trains can be looked up by its name, so that one that cannot is refused before
            anything is sent. Where not, as with a server that downloads models, or behind a gateway, there is a note.
        openai_models: Whether OpenAI's models may be trained there, as by the provider itself or behind a gateway.
        deletes_files: Whether a file can be deleted.
        one_job: Whether it refuses a job (409) while another one is under way, so that jobs are created one after another.
        chains: Whether a tune can be trained further by the name that its job gives it.
        estimates: Whether it says what a job costs before that is created, once its files are there.
        bills_minutes: Whether a tune answers only from a machine that is billed by the minute until it is stopped.
        passes_on: Whether what is sent to it may go on to another machine. Where not, and it is on this machine, nothing
            leaves.
        usd_per_million_tokens: Price of training any model, in US dollars; None where each model has its own.
        organization_env, project_env: Names of the environment variables that hold the customer's organisation, and the
            project in it; None where requests name none. Where there is a storage, the project is its bucket;
            where accounts have an id in every path, it is that.
        extra_body: Further fields of the request that creates a job.
        max_billed_tokens: Most tokens x epochs of one job, or None.
        no_jobs_from: The day from which no job can be created, or None.
        closings: Announced closings, by the day from which they apply.
        statuses: Names of this provider for the status of a job, and the common name of each.
        source: Source of the facts of this row.
        as_of: Date on which the facts were last verified. None was tried against a live provider.
    """

    name: str
    key_env: str
    wire: Wire = "openai"
    base_url: str | None = None
    storage: Storage | None = None
    fewest_examples: Number = 10
    validation_files: bool = True
    most_suffix: Annotated[int, Meta(ge=0, le=64)] = 64
    seeds: bool = True
    max_file_bytes: Number
    uploads_threshold_bytes: Number | None = None
    max_part_bytes: Number = 64_000_000
    equal_parts: bool = False
    bom: Literal["refused", "required"] = "refused"
    refused_tokens: list[str] = []
    metadata: Literal["kept", "dropped", "unknown"] = "unknown"
    models: bool = False
    openai_models: bool = False
    deletes_files: bool = True
    one_job: bool = False
    chains: bool = True
    estimates: bool = False
    bills_minutes: bool = False
    passes_on: bool = True
    usd_per_million_tokens: Price | None = None
    organization_env: str | None = None
    project_env: str | None = None
    extra_body: dict[str, Any] = {}  # any JSON value
    max_billed_tokens: Number | None = None
    no_jobs_from: date | None = None
    closings: dict[str, str] = {}
    statuses: dict[str, str] = {}
    source: str
    as_of: date
