"""What file managers leave in folders and zips; it is no part of a corpus, nor of a finished build."""

_NAMES = frozenset(
    {".ds_store", ".localized", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".directory", "__macosx"}
)
"""Of macOS, Windows and KDE, in lower case; a folder `__MACOSX` is debris with everything in it."""

_RESOURCE_FORK = "._"
"""What begins the name of a file's second half, where macOS writes to a disk that has no place for it."""


def is_debris(path: str) -> bool:
    """
    Whether a file was left by a file manager.

    Args:
        path: Its path below the folder or in the archive, with forward slashes.
    """
    *folders, name = path.split("/")
    return (
        name.startswith(_RESOURCE_FORK) or name.lower() in _NAMES or any(part.lower() == "__macosx" for part in folders)
    )
