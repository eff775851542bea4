"""The way of a check: every line of every file, then the files as a whole, then the lines beside each other."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import structs

from saturi.etl.checking.finding import Finding
from saturi.etl.checking.limits import Limits
from saturi.etl.checking.proof import examine
from saturi.etl.checking.repeats import LineHashes
from saturi.etl.checking.report import CheckReport, Kind, Problem
from saturi.etl.checking.sets import BuildChunk, CheckedFile, FileSet
from saturi.etl.checking.tally import Tally
from saturi.etl.example.tokens import Tokenizer
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import BOM, MAX_LINE_BYTES, whole_lines
from saturi.etl.output.printable import counted
from saturi.schemas.origin import Origin
from saturi.schemas.terms import Split


class Checker:
    """
    One check, with all that is wrong so far.

    Args:
        limits: What files and lines are held against.
        tokenizer: Counts tokens of examples.
        show: Problems to keep in full.
        observers: Called with the path of each chunk of a build and each block of its bytes.
    """

    def __init__(
        self, limits: Limits, tokenizer: Tokenizer, show: int, observers: Sequence[Callable[[str, bytes], None]] = ()
    ) -> None:
        self._limits, self._tokenizer, self._show, self._observers = limits, tokenizer, show, observers
        self._tally = Tally(show)
        self._hashes = {split: LineHashes() for split in Split}
        self._chunks: dict[str, BuildChunk] = {}
        self._files = self._examples = self._bytes = 0

    def check(self, sets: Sequence[FileSet]) -> CheckReport:
        """
        Return everything that is wrong with *sets*.

        Raises:
            BuildError: A build among them is damaged.
            InputError: A file cannot be read.
        """
        for files in sets:
            self._check_set(files)
        for build in dict.fromkeys(files.build for files in sets if files.build is not None):
            build.refuse_damage()  # in what no line is in
        return self._report()

    def _check_set(self, files: FileSet) -> None:
        """Check every line of *files*, then their number and size as a whole."""
        limits = self._limits if files.build is None else structs.replace(self._limits, bom="refused")
        size = sum(file.size for file in files.files)
        examples = sum(self._check_file(file, limits, self._hashes[files.split]) for file in files.files)
        if examples < limits.fewest_examples:
            fact = f"{counted(examples, 'example')}, where {limits.fewest_examples:,} is the least"
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
        for block in whole_lines(self._observed(file)):
            content = self._without_bom(label, block.content, limits) if line == 1 else block.content
            if block.too_long:
                fact = f"over {MAX_LINE_BYTES:,} bytes"
                self._tally.add(label, line, Finding(Kind.LINE_TOO_LONG, None, fact))
                hashes.extend([None])
                line += 1
                continue
            lines = content.split(b"\n")
            hashed: list[int | None] = list(map(hash, lines))
            for number, finding in examine(lines, content, limits, self._tokenizer):
                self._tally.add(label, line + number, finding)
                if finding.kind is Kind.BLANK_LINE:
                    hashed[number] = None
            hashes.extend(hashed)
            line += len(lines)
            examples += len(lines) - hashed.count(None)
        return examples

    def _observed(self, file: CheckedFile) -> Iterator[bytes]:
        """Yield the bytes of *file*, those of a chunk after all observers had them."""
        if file.chunk is None:
            yield from file.blocks()
            return
        self._chunks[str(file.path)] = file.chunk
        for block in file.blocks():
            for observe in self._observers:
                observe(file.chunk.row.path, block)
            yield block

    def _without_bom(self, file: str, content: bytes, limits: Limits) -> bytes:
        """Return the beginning of a file without its byte order mark; note where it has one and should not, or has none."""
        has_bom = content.startswith(BOM)
        if has_bom and limits.bom == "refused":
            self._tally.add(file, 1, Finding(Kind.BOM, None, "the file begins with a byte order mark"))
        elif not has_bom and limits.bom == "required":
            self._tally.add(file, None, Finding(Kind.NO_BOM, None, "the file begins without a byte order mark"))
        return content.removeprefix(BOM)

    def _report(self) -> CheckReport:
        """Compare the lines with each other, and return all that is wrong."""
        train, validation = self._hashes[Split.TRAIN], self._hashes[Split.VALIDATION]
        for hashes in (train, validation):
            self._tally.add_repeats(Kind.DUPLICATE, hashes.repeats(self._show))
        self._tally.add_repeats(Kind.IN_TRAINING, validation.shared_with(train, self._show))
        return CheckReport(
            files=self._files,
            examples=self._examples,
            bytes=self._bytes,
            errors=self._tally.counts("error"),
            warnings=self._tally.counts("warning"),
            problems=self._with_origins(self._tally.problems),
        )

    def _with_origins(self, problems: Sequence[Problem]) -> list[Problem]:
        """Return *problems*, those of lines of a build with where they came from."""
        lines: dict[FinishedBuild, list[tuple[str, int]]] = {}
        for problem in problems:
            source = self._chunks.get(problem.file)
            if source is not None and problem.line is not None:
                lines.setdefault(source.build, []).append((source.row.path, problem.line))
        origins: dict[tuple[str, int | None], Origin] = {}
        for build, places in lines.items():
            known = build.origins(places)
            origins |= {(str(build.given / chunk), line): origin for (chunk, line), origin in known.items()}
        return [structs.replace(problem, origin=origins.get((problem.file, problem.line))) for problem in problems]
