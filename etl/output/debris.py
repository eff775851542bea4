"""What file managers leave in folders and zips; it is no part of a corpus, nor of a finished build."""

RESOURCE_FORK = "._"
"""What begins the name of a file's second half, where macOS writes to a disk that has no place for it."""

RESOURCE_FOLDER = "__MACOSX"
"""The folder of such halves in a zip."""

_NAMES = frozenset({".ds_store", ".localized", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".directory"})
"""Of macOS, Windows and KDE, in lower case."""


def is_debris(path: str) -> bool:
    """
    Whether a file was left by a file manager.

    Args:
        path: Its path below the folder or in the archive, with forward slashes.
    """
    parts = path.split("/")
    return parts[-1].startswith(RESOURCE_FORK) or parts[-1].lower() in _NAMES or RESOURCE_FOLDER in parts
