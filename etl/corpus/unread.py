"""Files in a corpus that may well hold label files and are not read: other kinds of archives, volumes, unfinished downloads."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

_ENDINGS = (
    *(r"7z", r"rar", r"r\d\d", r"alz", r"a\d\d", r"egg", r"exe", r"lzh", r"cab", r"iso"),
    *(r"tar", r"tar\.\w{1,4}", r"tgz", r"tbz2?", r"txz", r"tzst", r"gz", r"bz2", r"xz", r"zst"),
)
_ARCHIVE = re.compile(rf".+\.(?:{'|'.join(_ENDINGS)})(?:\.\d{{3,}}|\.part\d+)?", re.IGNORECASE | re.DOTALL)
_VOLUME = re.compile(r"(?P<stem>.+)\.z\d\d+", re.IGNORECASE | re.DOTALL)
_UNFINISHED = re.compile(r".+\.(?:crdownload|opdownload|partial|download|aria2|part|!ut)", re.IGNORECASE | re.DOTALL)


class Unread(StrEnum):
    """Kind of a file that is not read, with advice."""

    ARCHIVE = "not read, since only zips are; unpack it (tar -xf, 7-Zip, Bandizip) into the corpus"
    VOLUME = "a volume of a zip whose last one (.zip) is missing; download all volumes, then join them (zip -s 0)"
    UNFINISHED = "not read, since its download is not finished; download it again"


def unread_kind(name: str, beside: Iterable[str] = ()) -> Unread | None:
    """
    Return the kind of the file *name* if it deserves a note, or None.

    Args:
        name: Of the file, without its folder.
        beside: Names of the other files in its folder.
    """
    volume = _VOLUME.fullmatch(name)
    if volume is not None:
        # Where the .zip is there, it is refused with how to join them.
        last = f"{volume['stem']}.zip".casefold()
        return None if any(other.casefold() == last for other in beside) else Unread.VOLUME
    if _UNFINISHED.fullmatch(name):
        return Unread.UNFINISHED
    return Unread.ARCHIVE if _ARCHIVE.fullmatch(name) else None


def is_archive(name: bytes) -> bool:
    """Whether the member *name* of a zip is an archive itself."""
    text = name.decode(errors="replace")
    return text[-4:].lower() == ".zip" or _ARCHIVE.fullmatch(text) is not None


def notes_on(unread: dict[Unread, list[str]]) -> Iterator[str]:
    """Yield one sentence for each kind of files that are not read, which names the first of them."""
    for kind, names in sorted(unread.items()):
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        yield f"{min(names)}{more}: {kind}"
