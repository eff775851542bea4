"""What an adapter refuses whose provider takes files whole: the calls of the port for uploads in parts."""

from collections.abc import Sequence
from typing import BinaryIO

from saturi.etl.errors import UnsupportedError
from saturi.etl.providers.port import Part, RequestError
from saturi.schemas.remote import RemoteFile


class WholeFiles:
    """The calls for uploads in parts, each of which is refused; `service` is the provider's name in the refusal."""

    service: str

    def begin_upload(self, name: str, size: int, parts: int) -> str:
        """Refuse to begin the upload of *name* in parts, whatever its *size*."""
        raise self._no_parts(name, size, parts)

    def send_part(self, upload_id: str, part: Part, content: BinaryIO, seconds: float) -> str:
        """Refuse a part."""
        raise self._no_parts(upload_id, part, content, seconds)

    def complete_upload(self, upload_id: str, part_ids: Sequence[str], md5: str) -> RemoteFile | None:
        """Refuse to make a file of parts."""
        raise self._no_parts(upload_id, part_ids, md5)

    def cancel_upload(self, upload_id: str) -> None:
        """Refuse to cancel what was never begun."""
        raise self._no_parts(upload_id)

    def _no_parts(self, *_: object) -> RequestError:
        return RequestError(UnsupportedError, f"{self.service} has no uploads in parts", "leave it out")
