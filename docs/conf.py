"""The documents as a site: `make docs` builds it from the files beside this one, those at the top of the tree, and docstrings."""

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]

project = "Saturi (사투리)"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["make_man.py", "make_pictures.py", "terminal_svg.py"]
html_theme = "furo"
html_title = "Saturi"
html_show_copyright = False
myst_heading_anchors = 4  # as on GitHub, so that a link works in both places
default_role = "code"  # docstrings mark code with single backticks
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
add_module_names = False

PAGES = {
    "index": ROOT / "README.md",
    "ko/index": ROOT / "README.ko.md",
    "changelog": ROOT / "CHANGELOG.md",
    "contributing": ROOT / "CONTRIBUTING.md",
}
"""Pages whose text lies at the top of the tree, where readers of the source look for it; what stands here comes below it."""

LINKS = {
    "README.md": "index.md",
    "README.ko.md": "ko/index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}


def _place(target: str, page: str) -> str:
    """Return *target*, a link from the top of the tree, as a link from *page*."""
    path, mark, anchor = target.partition("#")
    path = LINKS.get(path, path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}")
    return "../" * page.count("/") + path + mark + anchor


def _read(_app: Sphinx, page: str, source: list[str]) -> None:
    if page in PAGES:
        text = PAGES[page].read_text(encoding="utf-8")
        relative = re.compile(r"(?<=\]\()(?!\w+:|#)[^)\s]+")
        source[0] = relative.sub(lambda match: _place(match[0], page), text) + "\n" + source[0]
    else:
        readme = "../../README.ko.md" if page.startswith("ko/") else "../README.md"
        source[0] = source[0].replace(f"]({readme})", "](index.md)")


def setup(app: Sphinx) -> None:
    """Take part in the reading of pages."""
    app.connect("source-read", _read)
