"""A cast for the demo, made by the real services, and by real forms at Stripe's stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import services as accounts
from accounts.models import User, UserType
from billing import services as billing
from billing.models import Standing, Status, TierPrice
from config.browser import Browser
from orgs import services as orgs
from orgs.models import Organization

PASSWORD = "holdfast-demo-1"
PAYS = "4242424242424242"
FAILS_LATER = "4000000000000341"
# Each step of the clock is shorter than the days between a first failed payment and the end of
# the retries, so that an organization is seen past due on the way.
STEP = timedelta(days=4)
MOST_STEPS = 20
# Past the longest one, to where both have been charged again.
A_MONTH = timedelta(days=32)


@dataclass(frozen=True)
class Team:
    name: str
    owner: str
    member: str
    status: Status


TEAMS = (
    Team("Fern Studio", "Fay Fern", "Finn Fern", Status.FREE),
    Team("Cedar Works", "Cleo Cedar", "Cyrus Cedar", Status.CURRENT),
    Team("Poplar & Co", "Pia Poplar", "Paul Poplar", Status.PAST_DUE),
    Team("Larch Labs", "Lena Larch", "Luis Larch", Status.LAPSED),
)
DEVELOPER = "Dana Developer"


class Command(BaseCommand):
    help = (
        "Set up Stripe, and plant an organization in each standing, and a developer. For "
        "development only."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG or settings.STRIPE_LIVE_MODE:
            raise CommandError("The cast has a well-known password: it is for development only.")
        # In this process, since a demo's first page would wait a second for another to load.
        call_command("stripe_setup", "--no-proof", stdout=StringIO())
        teams = {team.status: _ensure_team(team) for team in TEAMS}
        _ensure_developer()
        _bring_about(teams)
        self._introduce()

    def _introduce(self) -> None:
        self.stdout.write(f"Log in with the password {PASSWORD} as")
        for team in TEAMS:
            for person, part in ((team.owner, "owns"), (team.member, "is a member of")):
                line = f"  {_email(person):<24} {part} {team.name} ({team.status.label})"
                self.stdout.write(line)
        self.stdout.write(f"  {_email(DEVELOPER):<24} is a developer with admin rights")


def _email(name: str) -> str:
    return f"{name.split(' ')[0].lower()}@example.com"


def _ensure_team(team: Team) -> Organization:
    owner = User.objects.filter(email=_email(team.owner)).first() or orgs.sign_up(
        email=_email(team.owner),
        password=PASSWORD,
        name=team.owner,
        organization_name=team.name,
        is_email_verified=True,
    )
    organization = Organization.objects.get(owner=owner)
    if not User.objects.filter(email=_email(team.member)).exists():
        now = timezone.now()
        invitation = orgs.invite(
            organization=organization, email=_email(team.member), by=owner, now=now
        )
        orgs.join_as_new_person(invitation=invitation, name=team.member, password=PASSWORD, now=now)
    return organization


def _ensure_developer() -> None:
    if User.objects.filter(email=_email(DEVELOPER)).exists():
        return
    accounts.create_person(
        email=_email(DEVELOPER),
        password=PASSWORD,
        name=DEVELOPER,
        user_type=UserType.DEVELOPER,
        is_staff=True,
        is_superuser=True,
        is_email_verified=True,
    )


def _bring_about(teams: dict[Status, Organization]) -> None:
    """Subscribe, spoil cards and move the clock until everybody stands where the cast says.

    What has come about already is left as it is, so that this can be interrupted and repeated.
    """
    if _standings(teams) == {status: status for status in teams}:
        return
    _subscribe(teams[Status.CURRENT], "business", PAYS)
    _subscribe(teams[Status.LAPSED], "pro", FAILS_LATER)
    # Ten days later, so that the one is still being retried when the other has been given up.
    if not _has_subscribed(teams[Status.PAST_DUE]):
        billing.advance_test_clock(by=timedelta(days=10))
        _subscribe(teams[Status.PAST_DUE], "pro", FAILS_LATER)
        billing.advance_test_clock(by=A_MONTH)
    for _step in range(MOST_STEPS):
        if _standings(teams) == {status: status for status in teams}:
            return
        billing.advance_test_clock(by=STEP)
    raise CommandError(
        "The cast's standings did not come about. Start afresh: make reset, then make demo."
    )


def _standings(teams: dict[Status, Organization]) -> dict[Status, str]:
    for organization in teams.values():
        billing.sync_organization(organization)
    found = Standing.objects.in_bulk(field_name="organization_id")
    return {status: found[team.pk].status for status, team in teams.items()}


def _has_subscribed(organization: Organization) -> bool:
    return Standing.objects.get(organization=organization).subscription_id is not None


def _subscribe(organization: Organization, tier: str, card: str) -> None:
    """Do at Stripe's pages what a person would: subscribe with a good card, then change it."""
    if _has_subscribed(organization):
        return
    at_stripe = Browser()
    at_stripe.open(
        billing.start_checkout(
            organization=organization,
            price=TierPrice.objects.get(tier__key=tier, interval="month"),
            by=organization.owner,
            return_url=settings.STRIPE_API_HOST,
            cancel_url=settings.STRIPE_API_HOST,
        )
    )
    at_stripe.submit("checkout-form", card=PAYS)
    if card != PAYS:
        at_stripe.open(
            billing.open_portal(
                organization=organization,
                by=organization.owner,
                return_url=settings.STRIPE_API_HOST,
            )
        )
        at_stripe.submit("card-form", card=card)
    billing.sync_organization(organization)
