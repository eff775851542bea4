"""The finished build: an output folder, on a disk or in object storage, with a manifest. Nothing here writes."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from saturi.etl.errors import BuildError
from saturi.etl.output.examples import scan_examples
from saturi.etl.output.files import is_there
from saturi.etl.output.folder import CHUNKS, DECISIONS_FILE, LINEAGE_FILE, MANIFEST, TABLES, chunk_files
from saturi.etl.output.lines import BLOCK_BYTES
from saturi.etl.output.manifest import decode_manifest
from saturi.etl.output.printable import counted
from saturi.etl.output.sums import SUMS, Sums, file_sha256, read_sums
from saturi.etl.output.verification import Damage, Measure, Verification
from saturi.etl.settings.paths import output_of
from saturi.etl.settings.regular import open_regular, read_regular, unread_advice
from saturi.etl.storage.client import ChangedError, impatient
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.brief import brief
from saturi.schemas.manifest import ChunkRow, Manifest
from saturi.schemas.origin import Origin
from saturi.schemas.terms import Split

if TYPE_CHECKING:
    import polars as pl

_MOST_LINES = 2**32 - 1  # of a chunk, by the type of the column


class FinishedBuild:
    """
    An output folder with a manifest: the only way to a build that is there.

    The manifest is decoded once, and a chunk that was read to its end is not read again to verify it. Whatever another
    process does to the folder meanwhile is seen or not.

    Args:
        given: The folder as it was named, for messages.
        content: The manifest as it lies there, byte for byte.
        manifest: What is in it.
        sums: The list of hashes that lies beside it.
    """

    def __init__(self, given: Location, content: bytes, manifest: Manifest, sums: Sums) -> None:
        self.given = given
        self.folder = given.absolute()
        self.content = content
        self.manifest = manifest
        self.manifest_sha256 = hashlib.sha256(content).hexdigest()
        self._sums = sums
        self._measured: dict[str, Damage | None] = {}
        self._fetched: dict[str, bytes] = {}  # tables from object storage, each of which comes over the network once

    def __repr__(self) -> str:
        return brief(self, folder=str(self.given), examples=self.manifest.counts.examples)

    @classmethod
    def open(cls, out: str | Location) -> "FinishedBuild":
        """
        Return the build in *out*.

        Raises:
            OptionError: The path is empty, or a URL of no object storage.
            BuildError: There is none, or its manifest is damaged, or of another version.
        """
        folder = output_of(out, "OUT")
        with impatient():  # a wrong name or key is to be met at once
            content = _read_whole(folder / MANIFEST)
        manifest = decode_manifest(folder / MANIFEST, content)
        try:
            sums = read_sums(folder)
        except OSError as error:
            problem = f"cannot be read ({error.strerror or error})"
            raise BuildError(str(folder / SUMS), problem, unread_advice(folder, "check its permissions")) from error
        return cls(folder, content, manifest, sums)

    def read_chunk(self, chunk: ChunkRow) -> Iterator[bytes]:
        """
        Yield the bytes of *chunk*, a row of the manifest, in blocks; they are hashed and counted on the way.

        Raises:
            BuildError: It cannot be read, or, after its last block: it is not as the manifest says.
        """
        yield from self._measure(chunk)
        damage = self._measured[chunk.path]
        if damage is not None:
            raise self._refusal([damage])

    def verification(self) -> Verification:
        """Return what is wrong with this build; chunks that were not read to their end before are read now."""
        chunks = self.manifest.chunks
        for chunk in chunks:
            if chunk.path not in self._measured:
                for _ in self._measure(chunk):
                    pass
        damage = [one for chunk in chunks if (one := self._measured[chunk.path]) is not None]
        damage += [*self._extra_files(), *self._damaged_tables()]
        return Verification(
            len(chunks),
            self.manifest.counts.examples,
            sum(chunk.bytes for chunk in chunks),
            sorted(damage, key=lambda one: one.path),
            self._unchecked(),
        )

    def refuse_damage(self) -> None:
        """
        Verify the build, and return if nothing is wrong.

        Raises:
            BuildError: Something is; the first damage is named.
        """
        damage = self.verification().damage
        if damage:
            raise self._refusal(damage)

    def refuse_no_training(self) -> None:
        """
        Return if there is an example to train on.

        Raises:
            BuildError: There is none.
        """
        if not any(chunk.split == Split.TRAIN for chunk in self.manifest.chunks):
            advice = "see in its manifest why all was dropped or rejected, and build again"
            raise BuildError(str(self.given), "no examples to train on", advice)

    def origins(self, lines: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Origin]:
        """
        Return where *lines* came from, as far as that is known: nowhere, where the build has no lineage.

        Args:
            lines: Path of a chunk in the manifest, and number of a line in it, from 1.

        Raises:
            BuildError: The lineage is damaged.
        """
        keys = [(chunk, line) for chunk, line in dict.fromkeys(lines) if 0 < line <= _MOST_LINES]
        if not keys or not self.has_lineage:
            return {}
        import polars as pl  # noqa: PLC0415 - the parent of a build never loads it

        wanted = pl.LazyFrame(keys, schema={"chunk": pl.String, "line": pl.UInt32}, orient="row")
        rows = self.lineage().join(wanted, on=["chunk", "line"], how="semi")
        columns = ("chunk", "line", "archive", "member", "sentence")
        return {
            (chunk, line): Origin(archive=archive, member=member, sentence=sentence)
            for chunk, line, archive, member, sentence in self.collect(rows.select(columns)).iter_rows()
        }

    @property
    def has_lineage(self) -> bool:
        """Whether a lineage lies beside the chunks, as where a build was not handed on without."""
        return is_there(self.folder / LINEAGE_FILE)

    def examples(self) -> "pl.LazyFrame":
        """
        Return all examples, a row each, in the order of the chunks; chunks are read, and verified, when it is collected.

        Returns:
            `chunk` (its path in the manifest), `line` (from 1), `split`, `region` and `speech_type` (of the shard: `all` where
            shards are not apart by it), `system` (the instruction, null where there is none), `source` and `target`. With
            chunk and line it joins to `lineage`.
        """
        return scan_examples(self.given, self.manifest.chunks, self.read_chunk)

    def lineage(self) -> "pl.LazyFrame":
        """
        Return where every example came from, a row each, in the order of the chunks.

        Returns:
            `chunk` and `line` (from 1), `archive`, `member`, `sentence` (from 1; null where a line is a whole label file) and
            `tokens` (o200k_base; null where they were not counted).

        Raises:
            BuildError: It is missing, or damaged.
        """
        return self._scan(LINEAGE_FILE)

    def decisions(self) -> "pl.LazyFrame":
        """
        Return what became of every utterance, a row a segment and group, in canonical order of the segments.

        Returns:
            `archive`, `segment` (name of its file in the stage), `region` and `speech_type` (null where nothing was selected
            from the segment), and the lists `row` (numbers of the utterances in the segment), `split` and `reason` (null
            where it is an example).

        Raises:
            BuildError: They are missing, or damaged.
        """
        return self._scan(DECISIONS_FILE)

    def read_table(self, table: str) -> bytes:
        """
        Return the bytes of a table that lies beside the chunks, by its name.

        Raises:
            BuildError: It is missing, or its hash is not the one that is listed.
        """
        if table in self._fetched:
            return self._fetched[table]
        content = _read_whole(self.given / table)
        if hashlib.sha256(content).hexdigest() not in self._sums.get(table, ()) and table in self._sums:
            raise BuildError(str(self.given / table), "damaged", "build again")
        if isinstance(self.given, ObjectPath):
            self._fetched[table] = content
        return content

    def collect(self, rows: "pl.LazyFrame") -> "pl.DataFrame":
        """
        Return *rows* of lineage or decisions, which are decoded only now.

        Raises:
            BuildError: The table is damaged.
        """
        with _undecodable(self.given):
            return rows.collect()

    def _scan(self, table: str) -> "pl.LazyFrame":
        import polars as pl  # noqa: PLC0415 - the parent of a build never loads it

        # As bytes, since Polars takes neither every path for a path nor each for one file.
        content = self.read_table(table)
        with _undecodable(self.given / table):
            frame = pl.scan_parquet(io.BytesIO(content))
            frame.collect_schema()
        return frame

    def _measure(self, chunk: ChunkRow) -> Iterator[bytes]:
        """Yield the bytes of *chunk*, and remember at their end what is wrong with it."""
        measure = Measure()
        try:
            with open_regular(self.folder / chunk.path) as file:
                while block := file.read(BLOCK_BYTES):
                    measure.add(block)
                    yield block
            damage = measure.damage_of(chunk)
        except FileNotFoundError:
            damage = Damage(chunk.path, "missing", counted(chunk.examples, "example"))
        except OSError as error:
            if isinstance(self.folder, ObjectPath) and not isinstance(error, ChangedError):
                raise _unread(self.given / chunk.path, error) from error  # the storage, and not the build
            damage = Damage(chunk.path, "unreadable", error.strerror or "")
        self._measured[chunk.path] = damage

    def _extra_files(self) -> list[Damage]:
        listed = {chunk.path for chunk in self.manifest.chunks}
        try:
            return [
                Damage(path, "extra", "not in the manifest") for path in chunk_files(self.folder) if path not in listed
            ]
        except OSError as error:
            return [Damage(CHUNKS, "unreadable", error.strerror or "")]

    def _damaged_tables(self) -> Iterator[Damage]:
        """Yield what is wrong with the manifest and the tables that are there, as far as their hashes are listed."""
        if self.manifest.counts.examples != sum(chunk.examples for chunk in self.manifest.chunks):
            yield Damage(MANIFEST, "changed", "its examples are not the sum of its chunks'")
        elif self.manifest_sha256 not in self._sums.get(MANIFEST, {self.manifest_sha256}):
            yield Damage(MANIFEST, "changed", "its SHA-256 differs")
        for name in TABLES:
            if name in self._fetched:  # and so has the hash that is listed
                continue
            try:
                if name in self._sums and file_sha256(self.folder / name) not in self._sums[name]:
                    yield Damage(name, "changed", "its SHA-256 differs")
            except FileNotFoundError:
                continue
            except OSError as error:
                yield Damage(name, "unreadable", error.strerror or "")

    def _unchecked(self) -> list[str]:
        """Return the tables that are not there, or whose hashes are not listed, as where a build was handed on without them."""
        return [name for name in TABLES if name not in self._sums or not is_there(self.folder / name)]

    def _refusal(self, damage: list[Damage]) -> BuildError:
        more = f" and {len(damage) - 1} more" if damage[1:] else ""
        why = f" ({damage[0].detail})" if damage[0].problem == "unreadable" and damage[0].detail else ""
        problem = f"{damage[0].path} is {damage[0].problem}{why}{more}"
        return BuildError(str(self.given), problem, "see saturi verify, and build again")


def verify(out: str | Location) -> Verification:
    """
    Return what is wrong with the build in *out*.

    Raises:
        BuildError: *out* holds no finished build.
    """
    return FinishedBuild.open(out).verification()


def _read_whole(path: Location) -> bytes:
    """
    Return the content of a file of a build.

    Raises:
        BuildError: It is missing, or cannot be read.
    """
    try:
        return read_regular(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.name != MANIFEST:
            raise BuildError(str(path), "missing", "build again") from error
        advice = "give the folder that a build wrote to, or build it first"
        problem = "there is no finished build"
        if isinstance(path, ObjectPath):
            problem += f" ({error.strerror})"
        raise BuildError(str(path), problem, advice) from error
    except OSError as error:
        raise _unread(path, error) from error


def _unread(path: Location, error: OSError) -> BuildError:
    problem = f"cannot be read ({error.strerror or error})"
    return BuildError(str(path), problem, unread_advice(path, "check its permissions"))


@contextmanager
def _undecodable(path: Location) -> Iterator[None]:
    """Translate what Polars makes of a damaged table at *path*."""
    import polars as pl  # noqa: PLC0415 - the parent of a build never loads it

    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise BuildError(str(path), "damaged", "build again") from error
