"""Every page, whoever opens it in whatever standing, and every mail: valid HTML."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from allauth.core.ratelimit import respond_429
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from billing import mails
from billing.models import PayerMail
from billing.notices import Kind, notices_of
from config.errors import server_error
from tests import second_factor
from tests.billing.situations import EACH
from tests.billing.stripe_objects import NOW
from tests.cast import PASSWORD, Cast, signed_in
from tests.crawler import Crawler
from tests.html.checker import faults
from tests.kept import put_back
from tests.matrix import PAGES, Scene, log_in_and_delete, make_scene, undone
from tests.orgs import two_organizations
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess
from tests.test_matrix import KINDS, STANDINGS, THIRD_PARTY, address, read

pytestmark = [pytest.mark.html, pytest.mark.django_db]

# What a page says, which differs without making the page another one.
SAID = re.compile(r'(?<=>)[^<>]*[^<>\s][^<>]*(?=<)|(?<=value=")[^"]+|(?<=aria-label=")[^"]+')
ALIKE = re.compile(r"\?|/admin/djstripe/(?!customer/)")
# Those whose forms come back.
WRITERS = ("owner", "role admin")
# To whom a standing of Acme makes no difference.
OTHERS = {"visitor", "of none", "outsider", "developer", "staff", "deleted"}
# Where it is about money, or locks all members alike.
FEW = ("owner", "member", "role billing_viewer")


class Looking:
    """Collects the faults of pages; looks at pages that are built alike once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._seen: set[str] = set()

    @property
    def pages(self) -> int:
        return len(self._seen)

    def at(self, answer: Any, where: str) -> None:
        if answer.headers.get("Content-Type", "").startswith("text/html") and answer.content:
            self.at_source(answer.content.decode(), where)

    def at_all(self, crawler: Crawler, when: str) -> None:
        for answer in crawler.answers.values():
            self.at(answer.response, f"{answer.url} {when}")

    def at_source(self, source: str, where: str) -> None:
        shape = SAID.sub("…", source)
        if shape not in self._seen:
            self._seen.add(shape)
            self.found += [f"{where}: {fault}" for fault in faults(source)]


@pytest.fixture
def scene(stripe_account: SandboxProcess) -> Scene:
    return put_back(make_scene)


def looked_at_by(standing: str) -> Collection[str]:
    if standing == "free":
        return KINDS.values()
    return set(KINDS.values()) - OTHERS if standing == "current" else FEW


@pytest.mark.parametrize("standing", STANDINGS)
def test_pages_of_ours(scene: Scene, standing: str) -> None:
    clients, looking = log_in_and_delete(scene), Looking()
    STANDINGS[standing][0](scene.cast.acme)
    for page in PAGES:
        is_asked = page.method == "GET"
        # Nothing filled in: the form comes back with what is wrong.
        page = page if is_asked else replace(page, data=lambda scene: {})
        for kind in looked_at_by(standing) if is_asked else WRITERS:
            with undone(clients[kind]):
                looking.at(page.open(clients[kind], scene), f"{page.key} for {kind}, {standing}")
    assert looking.found == []
    assert looking.pages > 15


def test_pages_of_allauth(scene: Scene) -> None:
    clients, looking = log_in_and_delete(scene), Looking()
    for kind in ("visitor", "of none", "owner", "member"):
        for name in read(THIRD_PARTY):
            for ask in (clients[kind].get, clients[kind].post):
                with undone(clients[kind]):
                    looking.at(ask(address(name)), f"{name} for {kind}")
    assert looking.found == []
    assert looking.pages > 20


def test_pages_behind_a_second_factor(scene: Scene) -> None:
    alice, looking = scene.cast.alice, Looking()
    client = signed_in(alice)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    with override_settings(SECOND_FACTOR_NEEDED_BY="everybody"):
        looking.at(client.get(reverse("home"), follow=True), "where everybody needs one")
    looking.at(client.get(reverse("mfa_activate_totp")), "setting one up")
    looking.at(client.post(reverse("mfa_activate_totp"), {"code": "x"}), "a wrong code")
    proven = second_factor.prove(alice)
    for name in sorted(read(THIRD_PARTY)):
        if name.startswith("mfa_") or "reauthenticate" in name:
            looking.at(proven.get(address(name)), name)
    looking.at(proven.post(reverse("mfa_generate_recovery_codes")), "new codes")
    looking.at(proven.get(reverse("mfa_view_recovery_codes"), follow=True), "the codes")
    visitor = Client()
    visitor.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    looking.at(visitor.get(reverse("mfa_authenticate")), "the second step")
    looking.at(visitor.post(reverse("mfa_authenticate"), {"code": "x"}), "a wrong second step")
    assert looking.found == []
    assert looking.pages >= 10


def test_pages_of_whoever_pays(payer: Payer, cast: Cast) -> None:
    client, looking = signed_in(cast.alice), Looking()

    def look(when: str) -> None:
        payer.sync()
        looking.at_all(Crawler(client, at_most=2).walk(reverse("billing:overview")), when)

    payer.subscribe()
    look("paid")
    payer.cancel()
    look("ending")
    payer.resume()
    payer.change_card("4000000000000341")
    payer.advance(32)
    look("owing")
    assert looking.found == []
    assert looking.pages > 10


@pytest.mark.parametrize("is_scoped", [False, True], ids=["all", "scoped"])
def test_pages_of_the_admin(db: None, is_scoped: bool) -> None:
    scene, looking = put_back(two_organizations.make_scene), Looking()
    client = signed_in(scene.scoped if is_scoped else scene.cast.dana)
    # Not each way to ask, and of the mirror, whose lists are all alike, one.
    crawler = Crawler(client, at_most=1, leaves_out=lambda url: bool(ALIKE.search(url)))
    looking.at_all(crawler.walk(reverse("admin:index")), "")
    assert looking.found == []
    assert looking.pages > 60


def test_pages_that_say_what_went_wrong(cast: Cast, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    answers = {
        400: Client().get("/", headers={"Host": "elsewhere.example"}),
        403: Client(enforce_csrf_checks=True).post(reverse("account_login")),
        404: Client().get("/nowhere/"),
        429: respond_429(request),
        500: server_error(request),
    }
    looking = Looking()
    for status, answer in answers.items():
        assert answer.status_code == status
        looking.at(answer, str(status))
    assert looking.found == []


@pytest.mark.parametrize("kind", EACH)
def test_mails_to_whoever_pays(cast: Cast, kind: Kind) -> None:
    for notice in notices_of(EACH[kind], NOW):
        row = PayerMail(organization=cast.acme, kind=notice.key.kind, facts=notice.facts)
        assert faults(mails.render(row).html) == []
