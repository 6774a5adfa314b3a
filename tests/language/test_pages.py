"""Every page in the pseudo-locale: what reads as English there passed by translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.events import Event
from orgs.models import Organization
from tests import matrix
from tests.cast import PASSWORD
from tests.kept import put_back
from tests.language.reading import Answers, asking, english
from tests.matrix import PAGES, Page, Scene, log_in_and_delete, make_scene, undone
from tests.sandbox_process import SandboxProcess
from tests.second_factor import prove
from tests.test_matrix import THIRD_PARTY, address, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pseudo_locale")]

# Whose pages differ in each standing; the others' are put together of the same parts.
EVERYBODY = ("visitor", "of none", "member", "role billing_viewer", "owner", "staff")
OTHERS = ("of none", "member")
STANDINGS: dict[Callable[[Organization], None], tuple[str, ...]] = {
    matrix.free: EVERYBODY,
    matrix.current: ("owner", "role billing_viewer"),
    matrix.in_grace: ("owner", "member"),
    matrix.past_due: ("owner", "member"),
    matrix.lapsed: ("owner", "member"),
    matrix.closed: ("owner", "member"),
}
# What the log holds beside ids, where a line has a page say it.
TOLD: dict[Event, dict[str, Any]] = {
    Event.ROLE_ASSIGNED: {"key": "admin"},
    Event.PERMISSION_GRANTED: {"permission": "orgs.view_billing"},
    Event.LOGIN: {"methods": ["password", "mfa", "passkey"]},
    Event.LOGIN_BLOCKED: {"reason": "organization_locked"},
    Event.ORGANIZATION_CHANGED: {"fields": ["name", "slug", "billing_email"]},
    Event.STANDING_CHANGED: {
        "before": {"status": "current", "reason": "", "tier": "pro"},
        "after": {"status": "past_due", "reason": "payment_failed", "tier": "business"},
    },
}


@pytest.fixture
def scene(stripe_account: SandboxProcess) -> Scene:
    return put_back(make_scene)


@pytest.mark.parametrize("standing", STANDINGS, ids=lambda write: write.__name__)
def test_every_page_of_ours(scene: Scene, standing: Callable[[Organization], None]) -> None:
    clients = {kind: asking(client) for kind, client in log_in_and_delete(scene).items()}
    for client in clients.values():
        # Some pages ask who it is once more.
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    standing(scene.cast.acme)
    answers: Answers = []
    for kind in STANDINGS[standing]:
        for page in PAGES:
            # What others are refused reads the same for each of them, and in every standing.
            tries_forms = kind == "owner" or (standing is matrix.free and kind in OTHERS)
            if page.method == "GET" or tries_forms:
                with undone(clients[kind]):
                    answers += opened(clients[kind], page, scene, kind)
    written = [text for page in PAGES for text in page.data(scene).values()]
    assert english(answers, *written) == {}


def opened(client: Client, page: Page, scene: Scene, kind: str) -> Answers:
    """What comes, and after a form the page that it leads to, which says what was done."""
    answer = page.open(client, scene)
    answers = [(f"{page.key} as {kind}", answer)]
    if page.method == "POST" and answer.status_code == 302:
        location = answer.headers["Location"]
        if location.startswith("/"):
            answers.append((f"after {page.key} as {kind}", client.get(location)))
    return answers


def test_every_form_of_ours_that_is_filled_in_badly(scene: Scene) -> None:
    client = asking(prove(scene.cast.alice))
    bad = {"name": "x" * 300, "email": "bad", "person": 0, "role": 0, "to": 0, "slug": "bad"}
    answers: Answers = []
    for page in PAGES:
        for data in ({}, bad):
            with undone(client):
                url = reverse(page.name, args=page.arguments(scene))
                answers.append((page.key, client.post(url, data, follow=True)))
    assert english(answers, *bad.values()) == {}


def test_every_page_of_allauths(scene: Scene) -> None:
    clients = {"visitor": asking(Client()), "owner": asking(prove(scene.cast.alice))}
    answers: Answers = []
    for name in read(THIRD_PARTY):
        for kind, client in clients.items():
            for data in (
                None,
                {"email": "bad", "login": "bad", "code": "bad", "credential": "[0]"},
            ):
                with undone(client):
                    url = address(name)
                    answer = client.get(url) if data is None else client.post(url, data)
                    answers.append((f"{name} as {kind}", answer))
    assert english(answers, "bad") == {}


def test_every_kind_of_line_in_the_log(scene: Scene) -> None:
    matrix.current(scene.cast.acme)
    owner = scene.cast.alice
    for event in Event:
        accounts.record_event(
            event,
            user=owner,
            actor=owner,
            organization_id=scene.cast.acme.pk,
            data=TOLD.get(event, {}),
        )
    client = asking(scene.client("owner"))
    pages = [reverse("accounts:security"), reverse("orgs:activity")]
    answers: Answers = []
    for page in pages:
        while page:
            answer = client.get(page)
            answers.append((page, answer))
            page = answer.context.get("older") or ""
    assert len(answers) > len(pages)
    assert english(answers) == {}


def test_the_error_pages(scene: Scene) -> None:
    client = asking(Client(enforce_csrf_checks=True, raise_request_exception=False))
    answers: Answers = [
        ("404", client.get("/nowhere/")),
        ("csrf", client.post(reverse("account_login"), {"login": "x", "password": PASSWORD})),
    ]
    assert [answer.status_code for _name, answer in answers] == [404, 403]
    assert english(answers) == {}
