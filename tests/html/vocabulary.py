"""HTML's elements and attributes, as the specification has them: https://html.spec.whatwg.org/

What is deprecated is left out, and therefore unknown.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GLOBAL = _words(
    "accesskey autocapitalize autocorrect autofocus class contenteditable dir draggable "
    "enterkeyhint hidden id inert inputmode is itemid itemprop itemref itemscope itemtype lang "
    "nonce part popover role slot spellcheck style tabindex title translate writingsuggestions"
)

_MEDIA = "src crossorigin preload autoplay loop muted controls"
_CELL = "colspan rowspan headers"
_SUBMITTER = "formaction formenctype formmethod formnovalidate formtarget"
_INVOKER = "popovertarget popovertargetaction command commandfor"
_EDIT = "cite datetime"

# What each element may have besides the global ones. An element that is not here is unknown.
ATTRIBUTES: dict[str, frozenset[str]] = {
    name: _words(own)
    for name, own in {
        "a": "href target download ping rel hreflang type referrerpolicy",
        "abbr": "",
        "address": "",
        "area": "alt coords shape href target download ping rel referrerpolicy",
        "article": "",
        "aside": "",
        "audio": _MEDIA,
        "b": "",
        "base": "href target",
        "bdi": "",
        "bdo": "",
        "blockquote": "cite",
        "body": "",
        "br": "",
        "button": f"disabled form name type value {_SUBMITTER} {_INVOKER}",
        "canvas": "width height",
        "caption": "",
        "cite": "",
        "code": "",
        "col": "span",
        "colgroup": "span",
        "data": "value",
        "datalist": "",
        "dd": "",
        "del": _EDIT,
        "details": "name open",
        "dfn": "",
        "dialog": "open closedby",
        "div": "",
        "dl": "",
        "dt": "",
        "em": "",
        "embed": "src type width height",
        "fieldset": "disabled form name",
        "figcaption": "",
        "figure": "",
        "footer": "",
        "form": "accept-charset action autocomplete enctype method name novalidate target rel",
        "h1": "",
        "h2": "",
        "h3": "",
        "h4": "",
        "h5": "",
        "h6": "",
        "head": "",
        "header": "",
        "hgroup": "",
        "hr": "",
        "html": "",
        "i": "",
        "iframe": "src srcdoc name sandbox allow allowfullscreen width height referrerpolicy "
        "loading",
        "img": "alt src srcset sizes crossorigin usemap ismap width height referrerpolicy decoding "
        "loading fetchpriority",
        "input": f"accept alpha alt autocomplete checked colorspace dirname disabled form height "
        f"list max maxlength min minlength multiple name pattern placeholder readonly required "
        f"size src step type value width {_SUBMITTER} {_INVOKER}",
        "ins": _EDIT,
        "kbd": "",
        "label": "for",
        "legend": "",
        "li": "value",
        "link": "href crossorigin rel as media hreflang type sizes imagesrcset imagesizes "
        "referrerpolicy integrity blocking color disabled fetchpriority",
        "main": "",
        "map": "name",
        "mark": "",
        "menu": "",
        "meta": "name http-equiv content charset media property",
        "meter": "value min max low high optimum",
        "nav": "",
        "noscript": "",
        "object": "data type name form width height",
        "ol": "reversed start type",
        "optgroup": "disabled label",
        "option": "disabled label selected value",
        "output": "for form name",
        "p": "",
        "picture": "",
        "pre": "",
        "progress": "value max",
        "q": "cite",
        "rp": "",
        "rt": "",
        "ruby": "",
        "s": "",
        "samp": "",
        "script": "src type nomodule async defer crossorigin integrity referrerpolicy blocking "
        "fetchpriority",
        "search": "",
        "section": "",
        "select": "autocomplete disabled form multiple name required size",
        "slot": "name",
        "small": "",
        "source": "type media src srcset sizes width height",
        "span": "",
        "strong": "",
        "style": "media blocking",
        "sub": "",
        "summary": "",
        "sup": "",
        "table": "",
        "tbody": "",
        "td": _CELL,
        "template": "shadowrootmode shadowrootdelegatesfocus",
        "textarea": "autocomplete cols dirname disabled form maxlength minlength name placeholder "
        "readonly required rows wrap",
        "tfoot": "",
        "th": f"{_CELL} abbr scope",
        "thead": "",
        "time": "datetime",
        "title": "",
        "tr": "",
        "track": "kind src srclang label default",
        "u": "",
        "ul": "",
        "var": "",
        "video": f"{_MEDIA} poster playsinline width height",
        "wbr": "",
    }.items()
}

ARIA = _words(
    "aria-activedescendant aria-atomic aria-autocomplete aria-braillelabel "
    "aria-brailleroledescription aria-busy aria-checked aria-colcount aria-colindex "
    "aria-colindextext aria-colspan aria-controls aria-current aria-describedby aria-description "
    "aria-details aria-disabled aria-errormessage aria-expanded aria-flowto aria-haspopup "
    "aria-hidden aria-invalid aria-keyshortcuts aria-label aria-labelledby aria-level aria-live "
    "aria-modal aria-multiline aria-multiselectable aria-orientation aria-owns aria-placeholder "
    "aria-posinset aria-pressed aria-readonly aria-relevant aria-required aria-roledescription "
    "aria-rowcount aria-rowindex aria-rowindextext aria-rowspan aria-selected aria-setsize "
    "aria-sort aria-valuemax aria-valuemin aria-valuenow aria-valuetext"
)

# Attributes that name ids of other elements.
REFERENCES = _words(
    "aria-activedescendant aria-controls aria-describedby aria-details aria-errormessage "
    "aria-flowto aria-labelledby aria-owns commandfor for form headers list popovertarget"
)

PHRASING = _words(
    "a abbr area audio b bdi bdo br button canvas cite code data datalist del dfn em embed i "
    "iframe img input ins kbd label link map mark math meta meter noscript object output picture "
    "progress q ruby s samp script select slot small span strong sub sup svg template textarea "
    "time u var video wbr"
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Those in which nothing but phrasing may stand.
HOLDS_PHRASING = _words(
    "abbr b bdi bdo button cite code data dfn em i kbd label mark meter output p pre progress q s "
    "samp small span strong sub sup time u var"
) | frozenset(HEADINGS)
# May hold what the element around them may.
TRANSPARENT = _words("a ins del map object noscript")
# Elements that hold only these, and no text.
HOLDS_ONLY = {
    name: _words(children)
    for name, children in {
        "ul": "li script template",
        "ol": "li script template",
        "menu": "li script template",
        "dl": "dt dd div script template",
        "table": "caption colgroup thead tbody tfoot tr script template",
        "thead": "tr script template",
        "tbody": "tr script template",
        "tfoot": "tr script template",
        "tr": "th td script template",
        "colgroup": "col template",
        "optgroup": "option script template",
        "select": "option optgroup hr script template",
        "hgroup": "p h1 h2 h3 h4 h5 h6 script template",
        "picture": "source img script template",
    }.items()
}
# Elements that stand in these only.
STANDS_IN = {
    name: _words(parents)
    for name, parents in {
        "li": "ul ol menu",
        "dt": "dl div",
        "dd": "dl div",
        "legend": "fieldset",
        "summary": "details",
        "figcaption": "figure",
        "caption": "table",
        "tr": "table thead tbody tfoot",
        "td": "tr",
        "th": "tr",
        "option": "select optgroup datalist",
        "optgroup": "select",
        "main": "html body div form",
        "title": "head",
        "base": "head",
        "style": "head noscript",
    }.items()
}
INTERACTIVE = _words("a button details embed iframe label select textarea input")
LABELABLE = _words("button input meter output progress select textarea")

# The attributes of an input that make sense for some of its types only.
_TEXT = _words("text search url tel email password")
_DATE = _words("date month week time datetime-local")
_NUMBER = _words("number range")
INPUT_TYPES = (
    _TEXT | _DATE | _NUMBER | _words("hidden color checkbox radio file submit image reset button")
)
_OFFERED = _TEXT | _DATE | _NUMBER | _words("color")
ONLY_ON_INPUTS = {
    "accept": _words("file"),
    "alt": _words("image"),
    "autocomplete": _OFFERED | _words("hidden"),
    "checked": _words("checkbox radio"),
    "list": _OFFERED - _words("password"),
    "max": _DATE | _NUMBER,
    "maxlength": _TEXT,
    "min": _DATE | _NUMBER,
    "minlength": _TEXT,
    "multiple": _words("email file"),
    "pattern": _TEXT,
    "placeholder": _TEXT | _words("number"),
    "readonly": _TEXT | _DATE | _words("number"),
    "required": _TEXT | _DATE | _words("number checkbox radio file"),
    "size": _TEXT,
    "src": _words("image"),
    "step": _DATE | _NUMBER,
}

# Attributes of which only these values are right; "" is written as an attribute without a value.
VALUES = {
    ("button", "type"): _words("submit reset button"),
    ("form", "method"): _words("get post dialog"),
    ("form", "enctype"): _words("application/x-www-form-urlencoded multipart/form-data text/plain"),
    ("form", "autocomplete"): _words("on off"),
    ("input", "type"): INPUT_TYPES,
    ("th", "scope"): _words("row col rowgroup colgroup"),
    ("ol", "type"): _words("1 a A i I"),
    ("*", "dir"): _words("ltr rtl auto"),
    ("*", "aria-current"): _words("page step location date time true false"),
    ("*", "aria-hidden"): _words("true false"),
    ("*", "aria-expanded"): _words("true false"),
    ("*", "aria-invalid"): _words("true false grammar spelling"),
    ("*", "aria-live"): _words("off polite assertive"),
    ("*", "aria-sort"): _words("ascending descending none other"),
    ("*", "aria-pressed"): _words("true false mixed"),
}
# Attributes that must not be written without saying anything.
MUST_SAY = {
    ("form", "action"),
    ("img", "src"),
    ("script", "src"),
    ("link", "href"),
    ("html", "lang"),
    ("*", "id"),
    ("*", "role"),
    ("label", "for"),
}
ROLES = _words(
    "alert alertdialog application article banner blockquote button caption cell checkbox code "
    "columnheader combobox complementary contentinfo definition deletion dialog document emphasis "
    "feed figure form generic grid gridcell group heading img insertion link list listbox listitem "
    "log main marquee math menu menubar menuitem menuitemcheckbox menuitemradio meter navigation "
    "none note option paragraph presentation progressbar radio radiogroup region row rowgroup "
    "rowheader scrollbar search searchbox separator slider spinbutton status strong subscript "
    "superscript switch tab table tablist tabpanel term textbox time timer toolbar tooltip tree "
    "treegrid treeitem"
)
