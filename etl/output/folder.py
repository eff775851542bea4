"""The output folder: what is in it."""

import os
import re
from pathlib import Path

import msgspec

from saturi.etl.output.debris import is_debris
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.manifest import Manifest

MANIFEST = "manifest.json"
WORK = ".work"
STAGE = "stage"
CHUNKS = "chunks"
CLAIMS = ".claims"  # of folders in object storage
REJECTS, LINEAGE_FILE, DECISIONS_FILE, BUILD_FACTS = (
    "rejects.jsonl",
    "lineage.parquet",
    "decisions.parquet",
    "build.json",
)
TABLES = (REJECTS, LINEAGE_FILE, DECISIONS_FILE, BUILD_FACTS)

CHUNK_PATH = re.compile(r"chunks/(?:train|validation)/[a-z]+-[a-z]+-\d{5,}\.jsonl")
"""How the files of chunks are named, as their paths in the manifest."""


def chunk_files(out: Location) -> list[str]:
    """
    Return every file below `chunks`, relative to *out*, with forward slashes, sorted; without what file managers left there.

    Raises:
        OSError: A folder cannot be listed.
    """
    below = _files_below(out / CHUNKS)
    return sorted(f"{CHUNKS}/{path}" for path in below if not is_debris(f"{CHUNKS}/{path}"))


def _files_below(folder: Location) -> list[str]:
    """Return every file below *folder*, relative to it."""
    if isinstance(folder, ObjectPath):
        sizes = {path: facts.size for path, facts in folder.below()}
        folders = {above for path in sizes for above in path.parents}  # an empty object with the name of one marks it
        return [path.relative_to(folder).as_posix() for path in sizes if sizes[path] or path not in folders]

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    return [
        (Path(here) / name).relative_to(folder).as_posix()
        for here, _, names in os.walk(folder, onerror=fail)
        for name in names
    ]


def encode_manifest(manifest: Manifest) -> bytes:
    """Return *manifest* as it is written: keys sorted, indented by two spaces, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
