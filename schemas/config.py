"""`etl.toml`: options of builds and submissions; the command line takes precedence over it, and it over the defaults."""

from msgspec import Struct

from schemas.cleaning import CleanRules


class CorpusTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[corpus]`: paths to read when the command line gives none."""

    paths: tuple[str, ...] = ()


class BuildTable(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`[build]`: every option of `build` under its command-line name, with underscores; None if absent."""

    out: str | None = None
    workers: int | None = None
    stage: str | None = None
    unit: str | None = None
    source: str | None = None
    direction: str | None = None
    region: list[str] | None = None
    speech_type: list[str] | None = None
    system_prompt: str | None = None
    paraphrase: list[str] | None = None
    clean: bool | None = None
    pii: str | None = None
    identical: float | str | None = None
    min_words: int | None = None
    max_words: int | None = None
    min_chars: int | None = None
    max_chars: int | None = None
    max_length_ratio: float | None = None
    dedup: str | None = None
    conflicts: str | None = None
    max_per_script: int | None = None
    speaker_max: int | None = None
    balance: str | None = None
    sample: int | None = None
    sample_per_shard: int | None = None
    shard_by: list[str] | str | None = None
    validation: float | str | None = None
    tokens: bool | None = None
    max_chunk_bytes: int | str | None = None
    max_chunk_examples: int | None = None
    max_member_bytes: int | str | None = None
    max_ratio: float | None = None
    max_entries: int | None = None
    max_unknown: float | None = None
    max_rejects: float | None = None
    allow_bad_archives: bool | None = None


class SubmitTable(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    `[submit]`: options of `submit` under their command-line names, with underscores; None if absent.

    `key_file` has no option on the command line: the file that holds the key, readable by its owner only.
    """

    provider: str | None = None
    model: str | None = None
    epochs: int | None = None
    plan: str | None = None
    suffix: str | None = None
    seed: int | None = None
    base_url: str | None = None
    max_cost: float | None = None
    accept_data_terms: bool | None = None
    providers: str | None = None
    models: str | None = None
    key_file: str | None = None


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    corpus: CorpusTable = CorpusTable()
    build: BuildTable = BuildTable()
    clean: CleanRules = CleanRules()
    submit: SubmitTable = SubmitTable()
