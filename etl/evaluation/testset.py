"""The test set: the rows that are scored, proved not to be learnt from, sampled, and written down once as `rows.jsonl`."""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import compress, islice
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import structs

from saturi.etl.errors import InputError
from saturi.etl.evaluation.rows import Rows
from saturi.etl.evaluation.sampling import choose
from saturi.etl.evaluation.texts import letters
from saturi.etl.output.files import PendingFile
from saturi.etl.output.lines import read_blocks, whole_lines
from saturi.schemas.evaluation import TestRow, TestSetRow

_LOCATED_AT_ONCE = 16_384  # each time the lineage is read
_HELD_AT_ONCE = 65_536
_DECODE = msgspec.json.Decoder(TestRow).decode_lines

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


def make_test_set(rows: Rows, name: str, sample: int | None, path: Path) -> TestSetRow:
    """
    Write the rows that are scored to *path*, and return what they are.

    Args:
        rows: Where they come from; read twice, and held never.
        name: Name of the evaluation.
        sample: How many of them; None for all.
        path: Where they are written.

    Raises:
        InputError: Something cannot be read, or no row is left.
        StorageError: They cannot be written.
    """
    digest = _Digest.of(rows.read())
    texts = rows.train_texts()
    learnt = np.zeros(len(digest.pairs), np.bool_) if texts is None else _find_learnt(digest, texts)
    left = np.flatnonzero(~learnt)
    chosen = left if sample is None else left[choose(digest.pairs[left], digest.strata[left], sample)]
    if not len(learnt) and rows.split is None:
        raise InputError(name, "the file has no row", "give a chat file with questions and answers by --file")
    if not chosen.size:
        problem = f"no row is left of {len(learnt):,}, {learnt.sum():,} of which have a text that train has, too"
        raise InputError(name, problem, "build with --validation, or give another --split or --file")
    kept = np.zeros(len(learnt), np.bool_)
    kept[chosen] = True
    _, first = np.unique(digest.prompts[chosen], return_index=True)
    asked = np.zeros(len(learnt), np.bool_)
    asked[chosen[first]] = True
    _write(path, rows, kept, asked)
    return TestSetRow(
        name=name,
        split=rows.split,
        available=len(learnt),
        rows=len(chosen),
        in_training=int(learnt.sum()),
        not_sampled=len(left) - len(chosen),
        unanswered=0,
        questions=len(first),
        proved=texts is not None,
        manifest_sha256=rows.manifest_sha256,
        file_sha256=rows.file_sha256,
    )


def read_rows(path: Path) -> Iterator[TestRow]:
    """
    Yield the rows of the test set at *path*.

    Raises:
        InputError: It cannot be read.
    """
    for block in whole_lines(read_blocks(path)):
        yield from _DECODE(block.content)


class _Digest(NamedTuple):
    """Of each row: hashes of its prompt, of prompt and reference, and of both its texts; and the number of its stratum."""

    prompts: Hashes
    pairs: Hashes
    texts: Hashes
    strata: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterator[TestRow]) -> "_Digest":
        """Return the digest of *rows*."""
        prompts, pairs, texts, strata = array("Q"), array("Q"), array("Q"), array("q")
        encode = msgspec.json.Encoder().encode
        numbers: dict[tuple[str | None, str | None], int] = {}
        for row in rows:
            prompts.append(_hash(encode(row.messages)))
            pairs.append(_hash(encode((row.messages, row.reference))))
            texts.extend(_hash(letters(text).encode()) for text in (row.source, row.reference))
            strata.append(numbers.setdefault((row.region, row.speech_type), len(numbers)))
        return cls(_hashes(prompts), _hashes(pairs), _hashes(texts), np.array(strata, dtype=np.int64))


def _find_learnt(digest: _Digest, texts: Iterator[str]) -> Flags:
    """Return which rows have a text that is among *texts*."""
    wanted = np.unique(digest.texts)
    learnt = np.zeros(len(wanted), np.bool_)
    while batch := array("Q", [_hash(letters(text).encode()) for text in islice(texts, _HELD_AT_ONCE)]):
        if wanted.size:
            hashes = _hashes(batch)
            places = np.minimum(np.searchsorted(wanted, hashes), len(wanted) - 1)
            learnt[places[wanted[places] == hashes]] = True
    source, reference = learnt[np.searchsorted(wanted, digest.texts)].reshape(-1, 2).T
    return np.logical_or(source, reference)


def _write(path: Path, rows: Rows, kept: Flags, asked: Flags) -> None:
    """Write the *kept* rows; those that are not *asked* have the prompt of an earlier one."""
    encoder = msgspec.json.Encoder()
    file = PendingFile(path)
    try:
        chosen = compress(rows.read(), kept.tolist())
        questions = iter(asked[kept].tolist())
        while batch := list(islice(chosen, _LOCATED_AT_ONCE)):
            file.write(encoder.encode_lines(_marked(rows.locate(batch), questions)))
        file.finish()
    finally:
        file.discard()


def _marked(rows: Sequence[TestRow], questions: Iterator[bool]) -> list[TestRow]:
    return [row if next(questions) else structs.replace(row, repeats=True) for row in rows]


def _hashes(values: "array[int]") -> Hashes:
    return np.array(values, dtype=np.uint64)


def _hash(content: bytes) -> int:
    """Return 64 bits of a hash; that two of a million texts share one has a chance of one in forty million."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())
