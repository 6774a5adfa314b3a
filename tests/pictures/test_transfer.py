"""Walks a transfer of ownership, and takes the pictures of docs/ownership-transfer.md."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser import chromium
from tests.browser.people import PASSWORD
from tests.cast import OrganizationFactory, PersonFactory, add_member
from tests.pictures.gallery import Gallery, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.pictures,
    pytest.mark.django_db(transaction=True),
]

WISH = "I leave the company at the end of the month. Cyrus runs the workshop already."
REASON = "Cleo asked for it, and confirmed on the phone."
# Pages that are longer are taken in full.
SIZE = {"width": 1000, "height": 400}


@pytest.fixture
def dana(transactional_db: None) -> User:
    person: User = PersonFactory.create(
        email="dana@example.com",
        name="Dana Developer",
        user_type="developer",
        is_staff=True,
        is_superuser=True,
    )
    return person


def test_a_transfer_from_request_to_record(
    gallery: Gallery, live_server: LiveServer, dana: User
) -> None:
    cleo: User = PersonFactory.create(email="cleo@example.com", name="Cleo Cedar")
    cedar = OrganizationFactory.create(name="Cedar Works", owner=cleo)
    add_member(cedar, email="cyrus@example.com", name="Cyrus Cedar")
    with gallery.visit(live_server.url, cleo, **SIZE) as visit:
        visit.page.goto(reverse("orgs:request_transfer"))
        chromium.fill_in_request(visit.page, to="cyrus@example.com", reason=WISH)
        gallery.take_for_docs(visit, "transfer-1-request")
        chromium.send_request(visit.page)
    with gallery.visit(live_server.url, dana, **SIZE) as visit:
        answer(gallery, visit, cedar.slug)


def answer(gallery: Gallery, visit: Visit, slug: str) -> None:
    """Staff set up a second factor, look, mistype, and hand it on."""
    page = visit.page
    page.goto(reverse("mfa_activate_totp"))
    chromium.confirm_password(page, PASSWORD)
    chromium.switch_second_factor_on(page)
    page.goto(reverse("admin:orgs_ownershiptransferrequest_changelist"))
    page.locator("#toggle-nav-sidebar").click()
    # The table scrolls when it is wider than the page.
    way = page.locator('#result_list a[href*="/transfer/"]').first
    way.scroll_into_view_if_needed()
    gallery.take_for_docs(visit, "transfer-2-queue")
    way.click()
    form = page.locator("#transfer-form")
    form.wait_for()
    gallery.take_for_docs(visit, "transfer-3-preview")
    chromium.confirm_transfer(page, slug="cedar", reason=REASON)
    form.get_by_role("alert").or_(page.locator(".errornote, .errorlist")).first.wait_for()
    gallery.take_for_docs(visit, "transfer-4-refusal", part=form)
    chromium.confirm_transfer(page, slug=slug, reason=REASON)
    page.wait_for_url("**/ownershiptransfer/*/change/")
    gallery.take_for_docs(visit, "transfer-5-record")
