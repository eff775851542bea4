"""Progress of a run, as whoever watches it gets it, step by step."""

from collections.abc import Callable

from msgspec import Struct

from saturi.schemas.segment import SegmentHeader


class Progress(Struct, frozen=True):
    """
    Progress of a build.

    `done` of `total` are bytes of archives while reading or inspecting them, and tasks in all other steps. `label_files`
    and `rejected` count what has been read so far, `json_bytes` its bytes as JSON, `reused` the segments that were on disk.
    """

    step: str
    done: int
    total: int
    label_files: int = 0
    rejected: int = 0
    reused: int = 0
    json_bytes: int = 0

    def after(self, packed_bytes: int, json_bytes: int, header: SegmentHeader, *, reused: bool) -> "Progress":
        """Return the progress after one more batch of *packed_bytes* in its archive, and of *json_bytes*."""
        return Progress(
            self.step,
            self.done + packed_bytes,
            self.total,
            self.label_files + header.label_files,
            self.rejected + sum(header.rejected.values()),
            self.reused + reused,
            self.json_bytes + json_bytes,
        )


Watcher = Callable[[Progress], None]
