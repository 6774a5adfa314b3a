"""Whoever somebody is, nothing that a page of theirs offers leads nowhere, or to somebody else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, resolve, reverse

from config.urls import urlpatterns as product_urls
from tests.cast import Cast, signed_in
from tests.crawler import SITE, Answer, Crawler
from tests.kept import put_back
from tests.matrix import Scene, log_in_and_delete, make_scene
from tests.orgs import two_organizations
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess
from tests.test_matrix import KINDS, STANDINGS, THIRD_PARTY, read

pytestmark = pytest.mark.django_db

# What the table of the matrix calls a page that says why it is not for somebody.
REFUSALS = {"LOCK", "CLOSED", "owner's", "no_role", "tier", "locked", "closed", "403"}
DASHBOARD = "dashboard.stripe.com"
POLICY = "Content-Security-Policy"


def complaints(crawler: Crawler, *, refused: Collection[str], hosts: Collection[str]) -> list[str]:
    """Return what is wrong with what was reached. `refused` are the names of the pages that may
    refuse, `hosts` those that a page may lead to besides this one."""
    return [
        *(fault for answer in crawler.answers.values() for fault in _of(answer, refused)),
        *(
            f"{page} leads to {url}"
            for url, page in crawler.external.items()
            if urlsplit(url).scheme != "mailto" and urlsplit(url).netloc not in hosts
        ),
        *(
            f"{page} loads {url}"
            for url, page in crawler.loaded.items()
            if not url.startswith((f"{SITE}/", "data:"))
        ),
        *crawler.missing_anchors(),
    ]


def _of(answer: Answer, refused: Collection[str]) -> Iterator[str]:
    is_meant = answer.status in {200, 302} or (
        answer.status == 403 and resolve(urlsplit(answer.url).path).view_name in refused
    )
    if not is_meant:
        yield f"{answer.found_at} leads to {answer.url}, which answers {answer.status}"
    # A mail is shown in a frame with a policy of its own.
    has_own_styles = "'unsafe-inline'" in answer.response.headers.get(POLICY, "")
    for inline in [] if has_own_styles else answer.offers.inline:
        yield f"{answer.url} has {inline}, which the policy refuses"


def refusing(standing: str, kind: str) -> set[str]:
    """Return the names of the pages that are meant to refuse this kind of person."""
    (short,) = (each for each, whole in KINDS.items() if whole == kind)
    ours = {name: row[short] for name, row in read(STANDINGS[standing][1]).items()}
    refused = {name.removeprefix("GET ") for name, met in ours.items() if met in REFUSALS}
    if ours["GET home"] in {"LOCK", "CLOSED"}:
        refused |= {name for name, row in read(THIRD_PARTY).items() if row["locked"] == "LOCK"}
    return refused


@pytest.fixture
def scene(stripe_account: SandboxProcess) -> Scene:
    return put_back(make_scene)


@pytest.mark.parametrize(
    ("kind", "standing", "pages"),
    [
        ("visitor", "free", 8),
        ("of none", "free", 12),
        ("deleted", "free", 8),
        ("owner", "free", 25),
        ("owner", "current", 25),
        ("owner", "past due", 20),
        ("owner", "closed", 20),
        ("role admin", "current", 25),
        ("role billing_viewer", "current", 15),
        ("role member", "current", 15),
        ("member", "current", 15),
        ("member", "past due", 4),
        ("member", "closed", 4),
        ("developer", "current", 12),
    ],
)
def test_whatever_is_offered_is_there(scene: Scene, kind: str, standing: str, pages: int) -> None:
    client = log_in_and_delete(scene)[kind]
    client.raise_request_exception = False
    was_in = "_auth_user_id" in client.session
    STANDINGS[standing][0](scene.cast.acme)
    crawler = Crawler(client, at_most=5).walk("/")
    assert complaints(crawler, refused=refusing(standing, kind), hosts=()) == []
    assert sum(answer.is_page and answer.status == 200 for answer in crawler.answers.values()) > 0
    assert len(crawler.answers) >= pages
    if kind != "deleted":
        assert ("_auth_user_id" in client.session) == was_in


def test_an_owner_who_pays_is_led_to_stripe_and_nowhere_else(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.sync()
    crawler = Crawler(signed_in(cast.alice), at_most=5).walk("/")
    stripe = urlsplit(payer.sandbox.url).netloc
    assert complaints(crawler, refused=(), hosts={stripe}) == []
    assert any("/i/in_" in url for url in crawler.external)


@pytest.mark.parametrize("is_scoped", [False, True], ids=["all", "scoped"])
def test_whatever_the_admin_offers_is_there(db: None, is_scoped: bool) -> None:
    scene = put_back(two_organizations.make_scene)
    client = signed_in(scene.scoped if is_scoped else scene.cast.dana)
    client.raise_request_exception = False
    crawler = Crawler(client, at_most=1).walk("/", reverse("admin:index"))
    assert complaints(crawler, refused={"orgs:delete_account"}, hosts={DASHBOARD}) == []
    assert len(crawler.answers) > 150
    # What stands behind a row is reached too.
    change = reverse("admin:orgs_organization_changelist") + r"\d+/change/"
    assert any(re.search(change, url) for url in crawler.answers)


def planted(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.GET.get("page", ""))


def nowhere(request: HttpRequest) -> HttpResponse:
    raise Http404


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


def refused(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=403)


urlpatterns = [
    *product_urls,
    path("planted/", planted),
    path("fine/", lambda request: HttpResponse('<p id="there">x</p>')),
    path("nowhere/", nowhere),
    path("broken/", broken),
    path("refused/", refused, name="refused"),
    path("led/", lambda request: HttpResponse(status=302, headers={"Location": "/nowhere/"})),
    path("asked/", lambda request: HttpResponse(status=404 if "b" in request.GET["x"] else 200)),
]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("page", "words"),
    [
        ('<a href="/nowhere/">x</a>', "/nowhere/, which answers 404"),
        ('<a href="unknown/">x</a>', "/planted/unknown/, which answers 404"),
        ('<a href="/broken/">x</a>', "/broken/, which answers 500"),
        ('<a href="/led/">x</a>', "led/ leads to http://testserver/nowhere/"),
        ('<a href="/refused/">x</a>', "/refused/, which answers 403"),
        ('<a href="/fine/#gone">x</a>', "leads to #gone of http://testserver/fine/"),
        ('<a href="https://elsewhere.example/">x</a>', "leads to https://elsewhere.example/"),
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js"),
        ('<link rel="stylesheet" href="/static/gone.css">', "gone.css, which answers 404"),
        ('<p style="color: red">x</p>', "has style='color: red' on <p>"),
        ("<script>x()</script>", "has <script>"),
        ('<button onclick="x()">x</button>', "has onclick='x()' on <button>"),
        (
            '<form action="/asked/"><select name="x"><option value="a"><option value="b"></select>',
            "/asked/?x=b, which answers 404",
        ),
    ],
)
def test_a_planted_fault_is_found(page: str, words: str) -> None:
    client = Client(raise_request_exception=False)
    crawler = Crawler(client, at_most=5).walk("/planted/?" + urlencode({"page": page}))
    found = complaints(crawler, refused=(), hosts=("cdn.example",))
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.urls(__name__)
def test_what_is_meant_is_let_pass_and_nothing_is_posted() -> None:
    page = (
        '<a href="/fine/#there">x</a><a href="mailto:x@example.com">x</a><a href="/refused/">x</a>'
        '<a href="https://stripe.example/">x</a><form method="post" action="/nowhere/"></form>'
    )
    crawler = Crawler(Client(), at_most=5).walk("/planted/?" + urlencode({"page": page}))
    assert complaints(crawler, refused={"refused"}, hosts={"stripe.example"}) == []
