"""The way of a check: every line of every file, then the files as a whole, then the lines beside each other."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from etl.checking.examine import examine, has_separators
from etl.checking.explain import Finding
from etl.checking.limits import Limits
from etl.checking.origins import with_origins
from etl.checking.repeats import LineHashes
from etl.checking.report import CheckReport, Kind
from etl.checking.sets import CheckedFile, FileSet, file_sets
from etl.checking.tally import Tally
from etl.example.lines import BOM, MAX_LINE_BYTES, file_bytes, read_blocks
from etl.example.tokens import Tokenizer
from schemas.terms import Split


def run(
    paths: Sequence[Path], limits: Limits, validation: Sequence[Path], tokenizer: Tokenizer, show: int
) -> CheckReport:
    """Return everything that is wrong with the files; see `etl.checking.check`."""
    sets = list(file_sets(paths, validation))
    state = _Run(limits, tokenizer, show)
    for one in sets:
        state.check_set(one)
    return state.report(sets)


class _Run:
    """One check: its limits, and what it has found so far."""

    def __init__(self, limits: Limits, tokenizer: Tokenizer, show: int) -> None:
        self._limits, self._tokenizer, self._show = limits, tokenizer, show
        self._tally = Tally(show)
        self._hashes = {split: LineHashes() for split in Split}
        self._files = self._examples = self._bytes = 0

    def check_set(self, files: FileSet) -> None:
        """Check every line of *files*, then their number and size as a whole."""
        limits = self._limits if files.build is None else structs.replace(self._limits, bom="refused")
        size = sum(file_bytes(file.path) for file in files.files)
        examples = sum(self._check_file(file, limits, self._hashes[files.split]) for file in files.files)
        if examples < limits.fewest_examples:
            fact = f"{examples:,} examples, where {limits.fewest_examples:,} is the least"
            self._tally.add(files.name, None, Finding(Kind.TOO_FEW_EXAMPLES, None, fact))
        if size > limits.max_file_bytes:
            fact = f"{size:,} bytes, where {limits.max_file_bytes:,} is the most"
            self._tally.add(files.name, None, Finding(Kind.FILE_TOO_LARGE, None, fact))
        self._files += len(files.files)
        self._examples += examples
        self._bytes += size

    def _check_file(self, file: CheckedFile, limits: Limits, hashes: LineHashes) -> int:
        """Check the lines of one file, and return how many are not blank."""
        label = str(file.path)
        hashes.begin(label)
        line, examples = 1, 0
        for block in read_blocks(file.path):
            content = self._without_bom(label, block.content, limits) if line == 1 else block.content
            if block.too_long:
                fact = f"over {MAX_LINE_BYTES:,} bytes"
                self._tally.add(label, line, Finding(Kind.LINE_TOO_LONG, None, fact))
                hashes.extend([None])
                line += 1
                continue
            lines = content.split(b"\n")
            hashed: list[int | None] = list(map(hash, lines))
            for number, finding in examine(lines, limits, self._tokenizer, separated=has_separators(content)):
                self._tally.add(label, line + number, finding)
                if finding.kind is Kind.BLANK_LINE:
                    hashed[number] = None
            hashes.extend(hashed)
            line += len(lines)
            examples += len(lines) - hashed.count(None)
        return examples

    def _without_bom(self, file: str, content: bytes, limits: Limits) -> bytes:
        """Return the beginning of a file without its byte order mark; note where it has one and should not, or has none."""
        has_bom = content.startswith(BOM)
        if has_bom and limits.bom == "refused":
            self._tally.add(file, 1, Finding(Kind.BOM, None, "the file begins with a byte order mark"))
        elif not has_bom and limits.bom == "required":
            self._tally.add(file, None, Finding(Kind.NO_BOM, None, "the file begins without a byte order mark"))
        return content.removeprefix(BOM)

    def report(self, sets: Sequence[FileSet]) -> CheckReport:
        """Compare the lines with each other, and return all that was found."""
        train, validation = self._hashes[Split.TRAIN], self._hashes[Split.VALIDATION]
        for hashes in (train, validation):
            self._tally.add_repeats(Kind.DUPLICATE, hashes.repeats(self._show))
        self._tally.add_repeats(Kind.IN_TRAINING, validation.shared_with(train, self._show))
        problems = self._tally.problems
        for out in {files.build for files in sets if files.build is not None}:
            chunks = {str(f.path): f.chunk for s in sets if s.build == out for f in s.files if f.chunk is not None}
            problems = with_origins(problems, out, chunks)
        return CheckReport(
            files=self._files,
            examples=self._examples,
            bytes=self._bytes,
            errors=self._tally.counts("error"),
            warnings=self._tally.counts("warning"),
            problems=problems,
        )
