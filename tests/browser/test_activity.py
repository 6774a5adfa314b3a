"""Staff's page of activity in a real browser: drawn where there is JavaScript, said where not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.activity import week_of
from accounts.models import ActiveWeek, User
from tests.browser.looking import SCHEMES, faults, opened
from tests.browser.people import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Our own script listens already, and is told first.
AWAIT_CHANGE = """() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    window.changed = new Promise((done) => dark.addEventListener("change", () => done()));
}"""
PAGE = "/admin/orgs/organization/activity/"


@pytest.fixture
def busy(team: Team) -> Team:
    week = week_of(timezone.now())
    for ago, people in enumerate([[team.owner], [team.owner, team.member]]):
        for person in people:
            ActiveWeek.objects.create(
                person=person,
                organization_id=team.organization.pk,
                week=week - ago * timedelta(weeks=1),
            )
    return team


def drawn(page: Page) -> bool:
    """Whether the canvas shows anything but one colour."""
    return bool(
        page.evaluate(
            """() => {
                const canvas = document.getElementById("chart");
                const { data } = canvas
                    .getContext("2d")
                    .getImageData(0, 0, canvas.width, canvas.height);
                return new Set(new Uint32Array(data.buffer)).size > 2;
            }"""
        )
    )


def test_the_chart_is_drawn_and_says_what_the_table_says(
    live_server: LiveServer, busy: Team, staff: User
) -> None:
    with opened(live_server, staff) as page:
        page.goto("/admin/orgs/organization/")
        page.get_by_role("link", name="Activity by week").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Activity by week")
        assert drawn(page)
        data = page.evaluate("Chart.getChart('chart').data.datasets.map(d => d.data)")
        assert [line[-2:] for line in data] == [[2, 1], [1, 1]]
        table = page.get_by_role("table", name="Active people and organizations by week")
        rows = table.get_by_role("row")
        expect(rows.nth(1)).to_contain_text("so far")
        expect(rows.nth(2).get_by_role("cell")).to_have_text(["2", "1"])
        assert faults(page, within="#content") == []
        colours = set()
        for scheme in SCHEMES:
            # They were looked at in the dark last, so each of these is a change.
            page.evaluate(AWAIT_CHANGE)
            page.emulate_media(color_scheme=scheme)
            page.evaluate("window.changed")
            chart = "Chart.getChart('chart')"
            colours.add(page.evaluate(f"{chart}.data.datasets[1].borderColor"))
        assert len(colours) == len(SCHEMES)


def test_an_organizations_page_and_the_filtered_lists_open(
    live_server: LiveServer, busy: Team, staff: User
) -> None:
    with opened(live_server, staff) as page:
        page.goto(f"/admin/orgs/organization/{busy.organization.pk}/change/")
        expect(page.locator("#engagement")).to_contain_text("2 people are on the team.")
        expect(page.get_by_role("table", name="Who was active last")).to_contain_text("Alice")
        assert faults(page, within="#engagement") == []
        page.goto(PAGE)
        page.get_by_role("link", name="Dormant people").click()
        expect(page.get_by_text("0 people")).to_be_visible()
        page.get_by_role("link", name="Never").click()
        expect(page.get_by_role("link", name="alice@example.com")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download this list as CSV").click()
        assert download.value.suggested_filename == "people.csv"
