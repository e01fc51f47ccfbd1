"""Reading a page the way a browser does, as far as these tests need."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"input", "link", "meta", "br", "img", "hr"}


@dataclass
class Element:
    """A tag with its attributes, its text and what it stands in."""

    tag: str
    attributes: dict[str, str]
    inside: tuple[Element, ...] = ()
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def __contains__(self, name: str) -> bool:
        return name in self.attributes


class Page(HTMLParser):
    """A parsed page: `page.all("input", type="radio")`, `page.one("legend")`."""

    def __init__(self, html: str | bytes) -> None:
        super().__init__()
        self.html = html if isinstance(html, str) else html.decode()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(self.html)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == value for name, value in wanted.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        (element,) = self.all(tag, **attributes)
        return element

    @property
    def ticked(self) -> list[str]:
        radios = self.all("input", type="radio")
        return [radio["value"] for radio in radios if "checked" in radio]

    @property
    def errors(self) -> list[str]:
        alerts = [element for element in self.elements if element.attributes.get("role") == "alert"]
        return [alert.text for alert in alerts if "hidden" not in alert]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        element = Element(tag, values, tuple(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.pieces.append(data)
