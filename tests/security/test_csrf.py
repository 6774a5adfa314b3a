"""No form of another site's does anything here, and each of ours carries what tells them apart."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.cast import PASSWORD, Cast
from tests.crawler import SITE, Crawler
from tests.kept import put_back, rows_of_all
from tests.matrix import PAGES, Scene, make_scene, names_of
from tests.sandbox_process import SandboxProcess
from tests.second_factor import prove
from tests.security.urls import every_url
from tests.test_impersonation_matrix import address_of

pytestmark = pytest.mark.django_db

WEBHOOK = "djstripe:djstripe_webhook_by_uuid"


@pytest.fixture
def scene(stripe_account: SandboxProcess) -> Scene:
    return put_back(make_scene)


def strict(person: User | None = None) -> Client:
    client = Client(enforce_csrf_checks=True)
    if person is not None:
        client.force_login(person)
    return client


def test_no_form_that_is_filled_in_well_does_anything_without_the_token(scene: Scene) -> None:
    clients = {
        kind: strict(person) for kind, person in scene.people.items() if kind in {"owner", "staff"}
    }
    clients["visitor"] = strict()
    before = rows_of_all()
    for page in PAGES:
        if page.method == "POST":
            for kind, client in clients.items():
                assert page.open(client, scene).status_code == 403, (page.key, kind)
    assert rows_of_all() == before


def test_no_url_takes_a_post_without_the_token_but_stripes(cast: Cast) -> None:
    names = names_of() - {WEBHOOK}
    assert len(names) > 150
    for client in (strict(), strict(cast.alice), strict(cast.dana)):
        met = {name: client.post(address_of(name)).status_code for name in names}
        assert {name: status for name, status in met.items() if status != 403} == {}


def test_stripes_webhook_alone_is_exempt() -> None:
    exempt = {url.name for url in every_url() if getattr(url.callback, "csrf_exempt", False)}
    assert exempt == {WEBHOOK}


def test_a_token_of_another_browser_is_worth_nothing(cast: Cast) -> None:
    mine, theirs = strict(), strict()
    page = reverse("account_login")
    token = mine.get(page).context["csrf_token"]
    theirs.get(page)
    form = {"login": "bob@example.com", "password": PASSWORD, "csrfmiddlewaretoken": str(token)}
    assert theirs.post(page, form).status_code == 403
    assert mine.post(page, form).status_code == 302


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver.evil", "null"])
def test_with_the_token_it_still_must_come_from_here(cast: Cast, origin: str) -> None:
    client, page = strict(), reverse("account_login")
    token = str(client.get(page).context["csrf_token"])
    form = {"login": "bob@example.com", "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post(page, form, headers={"origin": origin}).status_code == 403


def test_the_token_is_another_after_log_in(cast: Cast) -> None:
    client, page = strict(), reverse("account_login")
    token = str(client.get(page).context["csrf_token"])
    before = client.cookies["csrftoken"].value
    form = {"login": "bob@example.com", "password": PASSWORD, "csrfmiddlewaretoken": token}
    client.post(page, form)
    assert client.cookies["csrftoken"].value != before
    rename = {"name": "Eve", "csrfmiddlewaretoken": token}
    assert client.post(reverse("accounts:rename"), rename).status_code == 403


class Forms(HTMLParser):
    """The forms of a page that post: where to, and whether they carry the token."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []
        self._posts = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self._posts = (values.get("method") or "").lower() == "post"
            if self._posts:
                self.found.append((values.get("action") or "", False))
        elif tag == "input" and self._posts and values.get("name") == "csrfmiddlewaretoken":
            self.found[-1] = (self.found[-1][0], bool(values.get("value")))


def forms_of(client: Client, *starts: str) -> list[tuple[str, str, bool]]:
    crawler = Crawler(client, at_most=1).walk(*starts)
    found = []
    for url, answer in crawler.answers.items():
        forms = Forms()
        forms.feed(answer.source)
        found += [(url, urljoin(url, action), carries) for action, carries in forms.found]
    return found


@pytest.mark.parametrize("kind", ["visitor", "of none", "member", "owner", "staff"])
def test_each_form_that_posts_carries_the_token_and_only_home(scene: Scene, kind: str) -> None:
    person = scene.people[kind]
    client = Client() if person is None else prove(person)
    starts = ["/", reverse("account_login"), reverse("mfa_index")]
    starts += [reverse("admin:index")] if kind == "staff" else []
    found = forms_of(client, *starts)
    assert len(found) > 3
    assert [(url, action) for url, action, carries in found if not carries] == []
    assert {urlsplit(action).netloc for _, action, _ in found} == {urlsplit(SITE).netloc}
