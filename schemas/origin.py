"""The origin of a line: where in the corpus an example of a finished build came from."""

from msgspec import Struct


class Origin(Struct, frozen=True, kw_only=True):
    """Archive and member of a line; `sentence` counts from 1 and is null where the line is a whole label file."""

    archive: str
    member: str
    sentence: int | None
