"""AI-Hub's list of the files of a data set: a tree drawn with lines, which says a rounded size and a number for each."""

import re
import unicodedata
from typing import NamedTuple

from saturi.etl.output.printable import printable

_LINE = re.compile(r"(?P<indent>[ │]*)[├└]─+ *(?P<rest>.*)")
_FILE = re.compile(r"(?P<name>.*?) *\| *(?P<size>[^|]*?) *\| *(?P<number>\d{1,18}) *")
_SIZE = re.compile(r"(?P<number>\d{1,12})(?:\.(?P<decimals>\d{1,6}))? *(?P<unit>[KMGTP]?)i?B?", re.IGNORECASE)
_MOST_FOLDERS = 32
_MOST_NAME = 200
_WINDOWS = re.compile(r'[<>:"|?*\\/]')  # signs that no name may hold there
_AFTER_ZIP = re.compile(r"(.+?\.zip)\b.*", re.IGNORECASE)  # a note behind a name


class ListedFile(NamedTuple):
    """
    One file in the list.

    `folders` are those above it, the outermost first; `most_bytes` is the largest size that the rounded one may stand for.
    """

    folders: tuple[str, ...]
    name: str
    number: int
    most_bytes: int


class Tree(NamedTuple):
    """The files of a data set in their order, and its name: the outermost folder."""

    title: str
    files: tuple[ListedFile, ...]


def read_tree(text: str) -> Tree:
    """Return the tree in *text*, without what stands around it; one without files where there is none."""
    above: list[tuple[int, str]] = []
    title, files = "", []
    for line in text.splitlines():
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            continue
        column = len(match["indent"]) + match["indent"].count("│")  # which takes two columns in Korean fonts
        while above and above[-1][0] >= column:
            above.pop()
        file = _FILE.fullmatch(match["rest"])
        if file is None:
            above.append((column, local_name(match["rest"])))
            title = title or printable(match["rest"], _MOST_NAME)
        elif len(above) <= _MOST_FOLDERS:
            name = _AFTER_ZIP.sub(r"\1", file["name"])
            folders = tuple(folder for _, folder in above)
            files.append(ListedFile(folders, local_name(name), int(file["number"]), _most_bytes(file["size"])))
    return Tree(title, tuple(files))


def local_name(name: str) -> str:
    """Return *name* as a file or a folder may be called on any system, and nowhere but where it is put."""
    name = _WINDOWS.sub("_", printable(unicodedata.normalize("NFC", name), _MOST_NAME)).strip()
    encoded = name.encode(errors="replace")[:_MOST_NAME].decode(errors="ignore")  # systems count bytes
    if len(encoded) < len(name) and name[-4:].lower() == ".zip":
        encoded = encoded[:-4] + name[-4:]
    return encoded.rstrip(". ") or "_"


def _most_bytes(size: str) -> int:
    """Return the largest number of bytes that is written as *size*, however it was rounded; 0 where that cannot be read."""
    match = _SIZE.fullmatch(size)
    if match is None:
        return 0
    decimals = match["decimals"] or ""
    unit: int = 1024 ** " KMGTP".index(match["unit"].upper() or " ")
    last_place = unit / 10 ** len(decimals) if unit > 1 else 0
    return int(float(f"{match['number']}.{decimals or 0}") * unit + last_place)
