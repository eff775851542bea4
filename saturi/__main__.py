"""The command line's entry: what has to hold before anything else is loaded, then the command, then its exit code."""

import sys

_UNUSABLE = 2
_HOW_TO_INSTALL = "install saturi again without --no-deps, or run `make setup` in its folder, and then .venv/bin/saturi"


def main() -> None:
    """Run the command line: an error is one sentence on stderr and an exit code."""
    try:
        from saturi.etl.console.streams import fill_descriptors  # noqa: PLC0415 - workers load this module, and need none of it
        from saturi.etl.runtime.interrupts import end_on_signals, ignore_signals  # noqa: PLC0415 - as above

        fill_descriptors()
        end_on_signals()
        try:
            from saturi.etl.console.dispatch import run  # noqa: PLC0415 - as above, and an interrupt may land in here

            code = run()
        finally:
            ignore_signals()
    except KeyboardInterrupt as interrupt:
        code = getattr(interrupt, "exit_code", 130)
    except ModuleNotFoundError as error:
        if (error.name or "saturi").partition(".")[0] == "saturi":
            raise  # a mistake of our own
        code = _UNUSABLE
        sys.stderr.write(f"saturi: {error.name} is not installed: {_HOW_TO_INSTALL}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
