"""How a build went, and how to make it again: command, options, checksums, times."""

import shlex
from typing import Any

import msgspec

from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import BUILD_FACTS, MANIFEST
from saturi.etl.settings.declaration import Declaration, Kind, declarations
from saturi.etl.settings.options import BuildOptions
from saturi.etl.settings.regular import read_regular
from saturi.schemas.report import BuildRecord, RunFacts

_CLEANING = "clean_rules"  # the table `[clean]` of etl.toml, and no option of the command line


def build_record(build: FinishedBuild) -> BuildRecord:
    """Return the record of *build*; without times where no `build.json` lies beside it, or none that can be read."""
    options = build.manifest.options
    return BuildRecord(
        command=" ".join(["saturi build CORPUS --out OUT", *_given(options)]),
        options={name: msgspec.json.encode(value).decode() for name, value in sorted(options.items())},
        sums={MANIFEST: build.manifest_sha256} | {chunk.path: chunk.sha256 for chunk in build.manifest.chunks},
        run=_run(build),
    )


def _run(build: FinishedBuild) -> RunFacts | None:
    try:
        return msgspec.json.decode(read_regular(build.folder / BUILD_FACTS), type=RunFacts)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _given(options: dict[str, Any]) -> list[str]:
    """Return the options of the command line that differ from the defaults, as they are spelled there."""
    defaults = msgspec.json.decode(msgspec.json.encode(BuildOptions().as_json()))
    words: list[str] = []
    for declared in declarations(BuildOptions):
        value = options.get(declared.name)
        if value is not None and value != defaults.get(declared.name) and declared.option.only != "file":
            words += _spelled(declared, value)
    if options.get(_CLEANING) not in (None, defaults[_CLEANING]):
        words.append("--config etl.toml")
    return words


def _spelled(declared: Declaration, value: Any) -> list[str]:
    if declared.kind is Kind.SWITCH:
        return [declared.flag if value else declared.flag.replace("--", "--no-", 1)]
    if isinstance(value, list):
        if declared.option.commas:
            return [f"{declared.flag} {shlex.quote(','.join(value) or declared.option.nothing or '')}"]
        return [f"{declared.flag} {shlex.quote(str(one))}" for one in value]
    return [f"{declared.flag} {shlex.quote(str(value))}"]
