"""Each kind of fault is planted into a page that has none, and found."""

from __future__ import annotations

import pytest

from tests.html.checker import faults

pytestmark = pytest.mark.html

PAGE = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Team</title></head>
  <body>
    <header><nav aria-label="Main"><ul><li><a href="#main">Team</a></li></ul></nav></header>
    <main id="main">
      <h1>Team</h1>
      <h2>People</h2>
      <form method="post" action="/">
        <label for="name">Name</label>
        <input id="name" name="name" required maxlength="5" aria-describedby="help">
        <p id="help">Your <a href="/"><strong>full</strong> name</a>.</p>
        <button>Save</button>
      </form>
      <!-- here -->
    </main>
  </body>
</html>
"""


def with_(part: str) -> str:
    return PAGE.replace("<!-- here -->", part)


def test_a_page_without_faults_has_none() -> None:
    assert faults(PAGE) == []


@pytest.mark.parametrize(
    ("part", "words"),
    [
        # What a parser repairs.
        ("<p>one<div>two</div></p>", "unexpected-end-tag p"),
        ("<div><span></div>", "end-tag-too-early div"),
        ("<section>", "end-tag-too-early main"),
        ("<b><i>x</b></i>", "adoption-agency"),
        ('<a href="/x">x<a href="/y">y</a></a>', "unexpected-start-tag-implies-end-tag"),
        ("<button>x<button>y</button></button>", "unexpected-start-tag-implies-end-tag"),
        ('<form action="/x"><form action="/y"></form></form>', "unexpected-start-tag form"),
        ("<table><tr><td>x</td></tr><p>y</p></table>", "table-voodoo"),
        ('<p class="x" class="y">x</p>', "duplicate-attribute"),
        ("<p>&nosuch;</p>", "expected-named-entity"),
        ("<div/>", "non-void-element-with-trailing-solidus"),
        # Names that do not lead anywhere, or to two.
        ('<p id="main">x</p>', "2 elements have the id 'main'"),
        ('<p id="a b">x</p>', "'a b' is no id"),
        ('<label for="nobody">x</label>', "for names no id"),
        ('<section aria-labelledby="nobody"></section>', "aria-labelledby names no id"),
        ('<input aria-label="x" aria-describedby="help nobody">', "aria-describedby names no id"),
        ('<button aria-controls="nobody">x</button>', "aria-controls names no id"),
        ('<a href="#nobody">x</a>', "leads to no id"),
        ('<p id="words">x</p><label for="words">y</label>', "labels a <p>"),
        # What stands where it may not.
        ("<span><div>x</div></span>", "a block inside of <span>"),
        ('<span><a href="/"><p>x</p></a></span>', "a block inside of <span>"),
        ("<button><ul><li>x</li></ul></button>", "a block inside of <button>"),
        ("<ul><p>x</p></ul>", "does not belong into <ul>"),
        ("<ul>x</ul>", "text does not belong into <ul>"),
        ("<li>x</li>", "does not belong into <main>"),
        ("<dl><p>x</p></dl>", "does not belong into <dl>"),
        ("<fieldset><p>x</p><legend>y</legend></fieldset>", "<legend> does not stand first"),
        ("<div><main>x</main></div>", "more than one <main>"),
        ('<a href="/"><button>x</button></a>', "can be used, inside of <a>"),
        ('<button><a href="/">x</a></button>', "can be used, inside of <button>"),
        ('<a href="/"><span tabindex="0">x</span></a>', "can be used, inside of <a>"),
        ("<label>x <label>y</label></label>", "inside of another <label>"),
        ("<label><input><input></label>", "labels more than one field"),
        # What HTML does not know.
        ("<center>x</center>", "no element of HTML"),
        ('<table align="left"><tr><td>x</td></tr></table>', "align is no attribute of <table>"),
        ('<p href="/">x</p>', "href is no attribute of <p>"),
        ('<p aria-lable="x">x</p>', "aria-lable is no attribute of <p>"),
        ('<p role="banana">x</p>', "no role of ARIA"),
        ('<input type="hidden" required>', "required means nothing"),
        ('<input type="number" maxlength="3">', "maxlength means nothing"),
        ('<button type="send">x</button>', "type cannot be 'send'"),
        ('<form action=""></form>', "action says nothing"),
        ('<select required><option value="1">x</option></select>', "no empty one"),
        # What people need.
        ('<img src="/x.png">', "no alt"),
        ("<h4>x</h4>", "a heading level is skipped: h4 after h2"),
        ("<h1>x</h1>", "more than one h1"),
    ],
)
def test_a_planted_fault_is_found(part: str, words: str) -> None:
    found = faults(with_(part))
    assert any(words in fault for fault in found), found


@pytest.mark.parametrize(
    ("whole", "planted", "words"),
    [
        ('<html lang="en">', "<html>", "no lang"),
        ("<title>Team</title>", "", "<title>"),
        ("<title>Team</title>", "<title> </title>", "<title>"),
        ("<!doctype html>", "", "expected-doctype"),
        ("<h1>Team</h1>", "", "h2 first"),
    ],
)
def test_a_fault_of_the_whole_page_is_found(whole: str, planted: str, words: str) -> None:
    found = faults(PAGE.replace(whole, planted))
    assert any(words in fault for fault in found), found


def test_a_parse_error_is_told_with_its_place() -> None:
    (fault,) = faults(with_("<p>one</p></p>"))
    assert fault == "15:20: unexpected-end-tag p: <p>one</p></p>"


@pytest.mark.parametrize(
    "part",
    [
        '<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0"></path></svg>',
        "<ul><li>x<li>y</ul>",
        "<p>one<p>two",
        '<a href="/"><div>a block in a link in a block</div></a>',
        "<label>x <input></label>",
        '<input type="hidden" name="x" autocomplete="off">',
        '<select required><option value="">-</option><option>x</option></select>',
        "<dl><div><dt>x</dt><dd>y</dd></div></dl>",
        '<p data-x="1" aria-live="polite" hidden>x</p>',
        '<a href="#">up</a>',
    ],
)
def test_what_is_right_is_let_pass(part: str) -> None:
    assert faults(with_(part)) == []
