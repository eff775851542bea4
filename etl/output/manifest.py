"""The manifest on disk, decoded strictly: what a later version or another program wrote is refused."""

import msgspec
from msgspec import Struct

from saturi.etl.errors import BuildError
from saturi.etl.output.folder import CHUNK_PATH
from saturi.etl.storage.location import Location
from saturi.schemas.manifest import MANIFEST_VERSION, Manifest


class _Versioned(Struct, frozen=True):
    """All that every version of a manifest has."""

    version: int


def decode_manifest(path: Location, content: bytes) -> Manifest:
    """
    Return the manifest that *content*, the bytes of the file at *path*, is.

    Raises:
        BuildError: It is none, or of another version, or its chunks are not named like chunks.
    """
    try:
        version = msgspec.json.decode(content, type=_Versioned).version
        if version != MANIFEST_VERSION:
            problem = f"of version {version}, this is for {MANIFEST_VERSION}"
            raise BuildError(str(path), problem, "use the version that made it")
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BuildError(str(path), f"damaged ({error})", "build again") from error
    paths = {chunk.path for chunk in manifest.chunks}
    if len(paths) < len(manifest.chunks) or not all(map(CHUNK_PATH.fullmatch, paths)):
        raise BuildError(str(path), "damaged (its chunks are not named like chunks)", "build again")
    return manifest
