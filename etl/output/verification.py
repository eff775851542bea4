"""Check a finished build against its manifest: every chunk hashed and counted again."""

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct

from etl.errors import BuildError
from etl.output.folder import MANIFEST, chunk_files
from schemas.manifest import MANIFEST_VERSION, ChunkRow, Manifest

_BLOCK_BYTES = 1 << 20


class _Versioned(Struct, frozen=True):
    """All that every version of a manifest has."""

    version: int


class Damage(Struct, frozen=True):
    """A chunk that is not as the manifest says: `changed`, `missing`, `extra` or `unreadable`, with what was found."""

    path: str
    problem: str
    detail: str


class Verification(Struct, frozen=True):
    """What was checked, and everything that is wrong (empty if nothing is)."""

    chunks: int
    examples: int
    bytes: int
    damage: list[Damage]


def read_manifest(out: Path) -> Manifest:
    """
    Return the manifest of the build in *out*.

    Raises:
        BuildError: There is none, or it is damaged, or of a later version.
    """
    path = out / MANIFEST
    try:
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Versioned).version
        if version != MANIFEST_VERSION:
            problem = f"of version {version}, this is for {MANIFEST_VERSION}"
            raise BuildError(str(path), problem, "use the version that made it")
        return msgspec.json.decode(content, type=Manifest)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BuildError(
            str(path), "there is no finished build", "give the folder that a build wrote to, or build it first"
        ) from error
    except OSError as error:
        raise BuildError(str(path), f"cannot be read ({error.strerror})", "check its permissions") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BuildError(str(path), f"damaged ({error})", "build again") from error


def verify(out: str | Path) -> Verification:
    """
    Return what is wrong with the chunks in *out*.

    Raises:
        BuildError: *out* holds no finished build.
    """
    out = Path(out)
    manifest = read_manifest(out)
    listed = {chunk.path for chunk in manifest.chunks}
    damage = [found for chunk in manifest.chunks if (found := _check(out, chunk)) is not None]
    damage += [Damage(path, "extra", "not in the manifest") for path in chunk_files(out) if path not in listed]
    if manifest.counts.examples != sum(chunk.examples for chunk in manifest.chunks):
        damage.append(Damage(MANIFEST, "changed", "its examples are not the sum of its chunks'"))
    return Verification(
        len(manifest.chunks),
        manifest.counts.examples,
        sum(chunk.bytes for chunk in manifest.chunks),
        sorted(damage, key=lambda d: d.path),
    )


def _check(out: Path, chunk: ChunkRow) -> Damage | None:
    digest = hashlib.sha256()
    size = lines = 0
    try:
        with (out / chunk.path).open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                size += len(block)
                lines += block.count(b"\n")
    except FileNotFoundError:
        return Damage(chunk.path, "missing", f"{chunk.examples:,} examples")
    except OSError as error:
        return Damage(chunk.path, "unreadable", error.strerror or "")
    if (size, lines) != (chunk.bytes, chunk.examples):
        return Damage(
            chunk.path, "changed", f"{lines:,} lines in {size:,} bytes, not {chunk.examples:,} in {chunk.bytes:,}"
        )
    return None if digest.hexdigest() == chunk.sha256 else Damage(chunk.path, "changed", "its SHA-256 differs")
