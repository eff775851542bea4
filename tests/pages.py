"""Pages as a browser takes them apart: their elements, and the text between."""

from html.parser import HTMLParser
from typing import NamedTuple

VOID = frozenset({"meta", "br", "img", "link", "input"})


class Element(NamedTuple):
    """An element: its name, its attributes, the names of those around it, and the place of all it holds in `Page.texts`."""

    name: str
    attributes: dict[str, str]
    around: tuple[str, ...]


class Page(HTMLParser):
    """A page taken apart."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.texts: list[str] = []
        self._around: list[str] = []
        self.feed(html)
        self.close()
        assert self._around == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in an element."""
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, tuple(self._around)))
        if tag not in VOID:
            self._around.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in an element that holds nothing."""
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, tuple(self._around)))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        assert self._around.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take in text, but for the style."""
        if "style" not in self._around:
            self.texts.append(data)

    def all(self, name: str) -> list[Element]:
        """Return the elements of this name."""
        return [element for element in self.elements if element.name == name]

    @property
    def text(self) -> str:
        """All text of it."""
        return "\n".join(self.texts)
