"""AI-Hub's list of the files of a data set: a tree drawn with lines, which says a rounded size and a number for each."""

import re
import unicodedata
from typing import NamedTuple

from saturi.etl.output.printable import printable

_LINE = re.compile(r"(?P<indent>[ │]*)[├└]─+ *(?P<rest>.*)", re.DOTALL)
_NUMBER = re.compile("[0-9]{1,18}")
_SIZE = re.compile(r"(?P<number>\d{1,12})(?:\.(?P<decimals>\d{1,6}))? *(?P<unit>[KMGTP]?)i?B?", re.IGNORECASE)
_MOST_PATH_BYTES = 2_000  # systems take 4,096, with the folder of the data, macOS 1,024, and real ones are some 200
_MOST_NAME = 200
_COLUMNS = 3
_WINDOWS = re.compile(r'[<>:"|?*\\/]')  # signs that no name may hold there
_AFTER_ZIP = re.compile(r"(.+?\.zip)\b.*", re.IGNORECASE | re.DOTALL)  # a note behind a name


class ListedFile(NamedTuple):
    """
    One file in the list.

    `folders` are those above it, the outermost first; `most_bytes` is the largest size that the rounded one may stand for,
    None where it cannot be read.
    """

    folders: tuple[str, ...]
    name: str
    number: int
    most_bytes: int | None


class Tree(NamedTuple):
    """The files of a data set in their order, its name, which is the outermost folder, and the number of rows that are none."""

    title: str
    files: tuple[ListedFile, ...]
    unread: int


def read_tree(text: str) -> Tree:
    """Return the tree in *text*, without what stands around it; one without files where there is none."""
    above: list[tuple[int, str]] = []
    title, unread = "", 0
    files: list[ListedFile] = []
    for line in text.split("\n"):  # names may hold what else ends a line
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            continue
        column = len(match["indent"]) + match["indent"].count("│")  # which takes two columns in Korean fonts
        while above and above[-1][0] >= column:
            above.pop()
        file = _file(tuple(folder for _, folder in above), match["rest"])
        if file is not None:
            files.append(file)
            continue
        unread += "|" in match["rest"]
        above.append((column, local_name(match["rest"])))
        title = title or printable(match["rest"], _MOST_NAME)
    return Tree(title, tuple(files), unread)


def _file(folders: tuple[str, ...], row: str) -> ListedFile | None:
    """Return the file in *row*, "name | size | number"; None where it is none, or lies too deep."""
    columns = [column.strip() for column in row.rsplit("|", 2)]
    if len(columns) < _COLUMNS or _NUMBER.fullmatch(columns[2]) is None:
        return None
    name = local_name(_AFTER_ZIP.sub(r"\1", columns[0]))
    if len("/".join((*folders, name)).encode()) > _MOST_PATH_BYTES:
        return None
    return ListedFile(folders, name, int(columns[2]), _most_bytes(columns[1]))


def local_name(name: str) -> str:
    """Return *name* as a file or a folder may be called on any system, and nowhere but where it is put."""
    name = _WINDOWS.sub("_", printable(unicodedata.normalize("NFC", name), _MOST_NAME)).strip()
    encoded = name.encode(errors="replace")[:_MOST_NAME].decode(errors="ignore")  # systems count bytes
    if len(encoded) < len(name) and name[-4:].lower() == ".zip":
        encoded = encoded[:-4] + name[-4:]
    return encoded.rstrip(". ") or "_"


def _most_bytes(size: str) -> int | None:
    """Return the largest number of bytes that is written as *size*, however it was rounded; None where that cannot be read."""
    match = _SIZE.fullmatch(size)
    if match is None:
        return None
    decimals = match["decimals"] or ""
    unit: int = 1024 ** " KMGTP".index(match["unit"].upper() or " ")
    last_place = unit / 10 ** len(decimals) if unit > 1 else 0
    return int(float(f"{match['number']}.{decimals or 0}") * unit + last_place)
