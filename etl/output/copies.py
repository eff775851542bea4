"""Copies of a build in object storage on its local side: of its manifest alone, or of all that trainers and evaluations read."""

import shutil
from hashlib import sha256
from pathlib import Path

from saturi.etl.output.files import make_folder, storage_errors, write_whole
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import LINEAGE_FILE, MANIFEST
from saturi.etl.output.publication import open_local_work
from saturi.etl.output.replacement import Content, replace_files
from saturi.etl.output.sums import file_sha256, joined, read_sums, write_sums
from saturi.schemas.manifest import ChunkRow


def copy_manifest(build: FinishedBuild, side: Path) -> None:
    """
    Put the manifest of *build* into *side*, which says what lies there.

    Args:
        build: The build.
        side: Its local side. The caller holds it.

    Raises:
        StorageError: It cannot be written.
    """
    with storage_errors(side, 0):
        sums = read_sums(side)
    after = {**sums, MANIFEST: frozenset({build.manifest_sha256})}
    write_sums(side, joined(sums, after))
    write_whole(side / MANIFEST, [build.content])
    write_sums(side, after)


def copy_build(build: FinishedBuild, side: Path) -> FinishedBuild:
    """
    Return the build in *side* that has the manifest, the chunks and the lineage of *build*, downloaded as far as need be.

    What was downloaded for it before is not downloaded again, whatever ended the run before; the manifest is written last.

    Args:
        build: The build.
        side: Its local side. The caller holds it.

    Raises:
        BuildError: A chunk, or the lineage, is not as the manifest, or the list of hashes, says.
        ForeignFolderError: A file on the local side has one of their names and was changed since, or not written by this.
        StorageError: The local side cannot be written.
    """
    work = open_local_work(side, build.manifest_sha256)
    files = {chunk.path: _chunk(build, chunk, side, work) for chunk in build.manifest.chunks}
    if build.has_lineage:
        lineage = build.read_table(LINEAGE_FILE)
        files[LINEAGE_FILE] = Content(lineage, sha256(lineage).hexdigest())
    _take_away_other_manifest(build, side)
    replace_files(side, {**files, MANIFEST: Content(build.content, build.manifest_sha256)})
    with storage_errors(work, 0):
        shutil.rmtree(work)
    return FinishedBuild.open(side)


def _chunk(build: FinishedBuild, chunk: ChunkRow, side: Path, work: Path) -> Content:
    """Return where *chunk* lies on this machine, in *side* or in *work*, where it is downloaded to if it is in neither."""
    for path in (side / chunk.path, work / chunk.path):
        if _sha256_of(path) == chunk.sha256:
            return Content(path, chunk.sha256)
    target = work / chunk.path
    make_folder(target.parent)
    write_whole(target, build.read_chunk(chunk))
    return Content(target, chunk.sha256)


def _take_away_other_manifest(build: FinishedBuild, side: Path) -> None:
    """Remove a manifest that was copied here and is of another build, so that with a manifest all is of one build."""
    path = side / MANIFEST
    with storage_errors(path, 0):
        digest = _sha256_of(path)
        if digest != build.manifest_sha256 and digest in read_sums(side).get(MANIFEST, ()):
            path.unlink()


def _sha256_of(path: Path) -> str | None:
    """Return the hash of the file at *path*; None where there is none that can be read."""
    try:
        return file_sha256(path)
    except OSError:
        return None
