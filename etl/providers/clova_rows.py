"""Rows of CLOVA Studio: chat lines as its CSV, block by block, so that no file is held."""

import csv
import io
from collections.abc import Sequence

import msgspec

from saturi.etl.errors import BuildError
from saturi.schemas.chat import Example

COLUMNS = ("System_Prompt", "C_ID", "T_ID", "Text", "Completion")
"""In this order and no other (api.ncloud-docs.com, clovastudio-posttask, as of 2026-11-27)."""

_BOM = b"\xef\xbb\xbf"  # its guide says UTF-8, its table of errors "UTF8-sig": with it, both are met
_ROLES = ["system", "user", "assistant"]


class ClovaRows:
    """
    A file of CLOVA Studio, made of chat lines in their order: one conversation of one turn a line, numbered from 0.

    Every call returns the bytes that follow those of the call before.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._next = 0
        self._decode = msgspec.json.Decoder(Example).decode

    def start(self) -> bytes:
        """Return the byte order mark and the names of the columns."""
        return _BOM + _encoded([COLUMNS])

    def render(self, block: bytes) -> bytes:
        """
        Return the rows of the lines that end in *block*, the next bytes of the chunks; it may end within a line.

        Raises:
            BuildError: A line is not one question with one answer, below a system message.
        """
        *lines, self._rest = (self._rest + block).split(b"\n")
        rows = [self._row(line) for line in lines]
        return _encoded(rows)

    def _row(self, line: bytes) -> tuple[str, int, int, str, str]:
        number = self._next
        self._next += 1
        try:
            messages = self._decode(line).messages
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BuildError(f"example {number + 1}", f"no chat line ({error})", "build again") from error
        system, user, assistant = (*(message.content for message in messages), "", "", "")[:3]
        if [message.role for message in messages] != _ROLES or not all((system, user, assistant)):
            problem = "CLOVA Studio takes a system message, one question and one answer, none of them empty"
            raise BuildError(f"example {number + 1}", problem, "build with a system prompt")
        return system, number, 0, user, assistant


def _encoded(rows: Sequence[tuple[str | int, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
