"""Read a multipart body as it comes, without holding it."""

import re
from collections.abc import Callable
from email.message import Message
from email.parser import BytesHeaderParser
from io import BufferedIOBase, BytesIO

BLOCK_BYTES = 256 * 1024
Sink = Callable[[bytes], object]


class Body:
    """
    The body of one request, of a length that is known.

    Args:
        source: The connection.
        length: Bytes of the body, as declared.
    """

    def __init__(self, source: BufferedIOBase, length: int) -> None:
        self._source, self.left = source, length

    @classmethod
    def of(cls, content: bytes) -> "Body":
        """Return a body of *content*, which was read already."""
        return cls(BytesIO(content), len(content))

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, none at the end; a client that is gone is a `ConnectionError`."""
        block = self._source.read(min(size, self.left))
        if not block and self.left:
            raise ConnectionResetError
        self.left -= len(block)
        return block

    def more(self) -> bytes:
        """Return some bytes that must be there still."""
        block = self.read(BLOCK_BYTES)
        if not block:
            message = "the body ends too soon"
            raise ValueError(message)
        return block

    def rest(self) -> bytes:
        """Return all that is left."""
        return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))


def read_form(body: Body, content_type: str, open_file: Callable[[str], Sink]) -> dict[str, str]:
    """
    Return the plain fields of a multipart *body*; each file goes to the sink that *open_file* makes of its name.

    A file's field is the name it was sent under.
    """
    boundary = re.search('boundary="?([^";]+)', content_type)
    if boundary is None:
        message = "no boundary"
        raise ValueError(message)
    delimiter = b"\r\n--" + boundary[1].encode()
    fields: dict[str, str] = {}
    buffer = b"\r\n"  # before the first delimiter there may be none
    buffer = _skip_to(body, buffer, delimiter, lambda _: None)
    while not buffer.startswith(b"--"):
        head, buffer = _headers(body, buffer)
        name, filename = head.get_param("name", header="Content-Disposition"), head.get_filename()
        pieces: list[bytes] = []
        buffer = _skip_to(body, buffer, delimiter, pieces.append if filename is None else open_file(filename))
        fields[str(name)] = b"".join(pieces).decode() if filename is None else filename
        while len(buffer) < 2:
            buffer += body.more()
    body.rest()
    return fields


def _headers(body: Body, buffer: bytes) -> tuple[Message, bytes]:
    while b"\r\n\r\n" not in buffer:
        buffer += body.more()
    head, _, buffer = buffer.partition(b"\r\n\r\n")
    return BytesHeaderParser().parsebytes(head.lstrip(b"\r\n") + b"\r\n\r\n"), buffer


def _skip_to(body: Body, buffer: bytes, delimiter: bytes, sink: Sink) -> bytes:
    """Hand all that comes before *delimiter* to *sink*, and return what was read past it."""
    while (at := buffer.find(delimiter)) < 0:
        keep = len(delimiter) - 1
        if len(buffer) > keep:
            sink(buffer[:-keep])
            buffer = buffer[-keep:]
        buffer += body.more()
    sink(buffer[:at])
    return buffer[at + len(delimiter) :]
