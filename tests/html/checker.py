"""Finds what is wrong with the HTML of a page: what a parser repairs, and what it lets pass.

Of a page as it is sent: what scripts make of it is seen by a browser (tests/browser).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from xml.etree.ElementTree import Element

from tinyhtml5.parser import HTMLParser

from tests.html import vocabulary as html

SHOWN = 90


def faults(source: str) -> list[str]:
    """Return what is wrong with a page, each with where it stands or what it is about."""
    parser = HTMLParser(namespace_html_elements=False)
    document = _Document(parser.parse(source))
    return [
        *_parse_errors(parser, source.splitlines()),
        *_of_the_whole(document),
        *_ids(document),
        *_headings(document),
        *(fault for element in document.elements for fault in _of(element, document)),
    ]


class _Document:
    """A parsed page. Graphics in SVG are looked at for their ids only."""

    def __init__(self, root: Element) -> None:
        self.root = root
        # Comments have a function for a tag; elements of SVG name its namespace.
        self.all = [each for each in root.iter() if isinstance(each.tag, str)]
        self.elements = [each for each in self.all if not each.tag.startswith("{")]
        self._parents = {child: parent for parent in self.all for child in parent}

    def above(self, element: Element) -> Iterator[Element]:
        """Yield what an element stands in, the nearest first."""
        while (parent := self._parents.get(element)) is not None:
            yield parent
            element = parent

    def model(self, element: Element) -> str:
        """Return the name of the element that says what may stand here: not a transparent one."""
        return next(
            (each.tag for each in self.above(element) if each.tag not in html.TRANSPARENT), ""
        )

    @cached_property
    def by_id(self) -> dict[str, Element]:
        return {each.get("id", ""): each for each in reversed(self.all) if "id" in each.attrib}


def _shown(element: Element) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in element.attrib.items())
    written = f"<{element.tag}{attributes}>"
    return written if len(written) <= SHOWN else f"{written[:SHOWN]}…"


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _parse_errors(parser: HTMLParser, lines: list[str]) -> Iterator[str]:
    for (line, column), code, values in parser.errors:
        written = lines[line - 1].strip() if line <= len(lines) else "the end"
        about = " ".join(str(value) for value in (values or {}).values())
        yield f"{line}:{column}: {code} {about}: {written[:SHOWN]}"


def _of_the_whole(document: _Document) -> Iterator[str]:
    if not document.root.get("lang"):
        yield "no lang on <html>"
    titles = [each for each in document.elements if each.tag == "title"]
    if len(titles) != 1 or not _text(titles[0]):
        yield "not one <title> that says something"
    shown = [
        each for each in document.elements if each.tag == "main" and "hidden" not in each.attrib
    ]
    if len(shown) > 1:
        yield "more than one <main>"


def _ids(document: _Document) -> Iterator[str]:
    counted = Counter(each.get("id", "") for each in document.all if "id" in each.attrib)
    for name, times in counted.items():
        if times > 1:
            yield f"{times} elements have the id {name!r}"
        if len(name.split()) != 1:
            yield f"{name!r} is no id"
    for element in document.elements:
        for attribute in html.REFERENCES & element.attrib.keys():
            for name in element.get(attribute, "").split():
                if name not in counted:
                    yield f"{attribute} names no id that is there: {_shown(element)}"
        if element.tag == "a" and (element.get("href") or "").startswith("#"):
            target = (element.get("href") or "")[1:]
            if target not in counted and target not in {"", "top"}:
                yield f"leads to no id that is there: {_shown(element)}"


def _headings(document: _Document) -> Iterator[str]:
    headings = [each for each in document.elements if each.tag in html.HEADINGS]
    levels = [0, *(int(each.tag[1]) for each in headings)]
    for (before, level), heading in zip(pairwise(levels), headings, strict=True):
        if level > before + 1:
            after = f"after h{before}" if before else "first"
            yield f"a heading level is skipped: {heading.tag} {after}: {_text(heading)}"
    if levels.count(1) > 1:
        yield "more than one h1"


def _of(element: Element, document: _Document) -> Iterator[str]:
    if element.tag not in html.ATTRIBUTES:
        yield f"no element of HTML: {_shown(element)}"
        return
    complaints = [
        *_attributes(element),
        *_values(element),
        *_place(element, document),
        *_content(element),
        *_nesting(element, document),
        *_of_its_kind(element, document),
    ]
    yield from (f"{complaint}: {_shown(element)}" for complaint in complaints)


def _attributes(element: Element) -> Iterator[str]:
    known = html.ATTRIBUTES[element.tag] | html.GLOBAL | html.ARIA
    for name in element.attrib:
        # Graphics and event handlers: the policy of a page refuses the latter (tests/crawler.py).
        if name not in known and not name.startswith(("data-", "on")):
            yield f"{name} is no attribute of <{element.tag}>"
    kind = element.get("type", "text").lower()
    if element.tag == "input":
        for name in html.ONLY_ON_INPUTS.keys() & element.attrib.keys():
            if kind not in html.ONLY_ON_INPUTS[name]:
                yield f"{name} means nothing on an input of type {kind}"


def _values(element: Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        for key in ((element.tag, name), ("*", name)):
            if key in html.VALUES and not {value, value.lower()} & html.VALUES[key]:
                yield f"{name} cannot be {value!r}"
            if key in html.MUST_SAY and not value.strip():
                yield f"{name} says nothing"
    for role in element.get("role", "").split():
        if role not in html.ROLES:
            yield f"no role of ARIA: {role}"


def _place(element: Element, document: _Document) -> Iterator[str]:
    parent = next(document.above(element), None)
    if parent is None:
        return
    allowed = html.STANDS_IN.get(element.tag)
    if allowed is not None and parent.tag not in allowed:
        yield f"does not belong into <{parent.tag}>"
    only = html.HOLDS_ONLY.get(parent.tag)
    if only is not None and element.tag not in only:
        yield f"does not belong into <{parent.tag}>"
    model = document.model(element)
    if model in html.HOLDS_PHRASING and element.tag not in html.PHRASING:
        yield f"a block inside of <{model}>"


def _content(element: Element) -> Iterator[str]:
    if element.tag in html.HOLDS_ONLY:
        said = [element.text, *(child.tail for child in element)]
        if any(text and text.strip() for text in said):
            yield f"text does not belong into <{element.tag}>"


def _is_interactive(element: Element) -> bool:
    if element.tag == "a":
        return "href" in element.attrib
    if element.tag == "input":
        return element.get("type", "").lower() != "hidden"
    return element.tag in html.INTERACTIVE or "tabindex" in element.attrib


def _nesting(element: Element, document: _Document) -> Iterator[str]:
    around = [each.tag for each in document.above(element)]
    if _is_interactive(element):
        for outer in ("a", "button"):
            if outer in around:
                yield f"can be used, inside of <{outer}>"
    if element.tag in {"form", "label"} and element.tag in around:
        yield f"inside of another <{element.tag}>"
    if element.tag in {"header", "footer"} and {"header", "footer"} & set(around):
        yield "inside of another header or footer"


def _of_its_kind(element: Element, document: _Document) -> Iterator[str]:
    if element.tag == "img" and "alt" not in element.attrib:
        yield "no alt"
    if element.tag in {"fieldset", "details"}:
        first = {"fieldset": "legend", "details": "summary"}[element.tag]
        if any(child.tag == first for child in element[1:]):
            yield f"<{first}> does not stand first"
    if element.tag == "label":
        fields = [
            each for each in element.iter() if each.tag in html.LABELABLE and _is_interactive(each)
        ]
        if len(fields) > 1:
            yield "labels more than one field"
        target = document.by_id.get(element.get("for", ""))
        if target is not None and target.tag not in html.LABELABLE:
            yield f"labels a <{target.tag}>, which has no label"
    if element.tag == "select" and "required" in element.attrib:
        choices = list(element.iter("option"))
        is_list = "multiple" in element.attrib or int(element.get("size", "1")) > 1
        # One without options is filled by a script.
        if not is_list and choices and choices[0].attrib.get("value", _text(choices[0])):
            yield "required, but its first option is no empty one"
