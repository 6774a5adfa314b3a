"""Invitations: offered by the owner, accepted once, by the one they were sent to."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User, UserEventLog
from orgs import emails, services
from orgs.models import Invitation, Organization
from tests.cast import PASSWORD, Cast, OrganizationFactory, PersonFactory, signed_in

EVE = "eve@example.com"


def offer(cast: Cast, email: str = EVE) -> Invitation:
    return services.invite(organization=cast.acme, email=email, by=cast.alice, now=timezone.now())


def link(invitation: Invitation) -> str:
    return reverse("orgs:invitation", args=[emails.invitation_token(invitation)])


def join(client: Client, invitation: Invitation, **fields: str) -> Any:
    form = {"name": "Eve Evans", "password": PASSWORD} | fields
    return client.post(link(invitation), form, follow=True)


def test_the_owner_invites_and_the_link_goes_out_by_mail(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in(cast.alice).post(
            reverse("orgs:invite"), {"email": "Eve@Example.com"}, follow=True
        )
    assert EVE in answer.content.decode()
    (message,) = mail.outbox
    assert message.to == [EVE]
    found = re.search(r"http://testserver(/invitations/\S+)", str(message.body))
    assert found is not None
    assert Client().get(found.group(1)).status_code == 200


def test_a_new_person_joins_by_the_link_and_is_in(cast: Cast) -> None:
    client = Client()
    answer = join(client, offer(cast))
    eve = User.objects.get(email=EVE)
    assert eve.organization == cast.acme
    assert answer.redirect_chain[-1][0] == reverse("home")
    assert answer.context["user"] == eve
    line = UserEventLog.objects.get(event="member_joined", user=eve)
    assert line.organization == cast.acme


def test_somebody_with_an_account_and_no_team_joins_by_a_click(cast: Cast) -> None:
    invitation = offer(cast, cast.charlie.email)
    assert reverse("account_login") in Client().get(link(invitation)).content.decode()
    signed_in(cast.charlie).post(link(invitation))
    cast.charlie.refresh_from_db()
    assert cast.charlie.organization == cast.acme


def test_a_link_is_good_once(cast: Cast) -> None:
    invitation = offer(cast)
    join(Client(), invitation)
    assert join(Client(), invitation, name="Mallory").status_code == 410
    assert User.objects.filter(organization=cast.acme).count() == 3


def test_an_expired_link_lets_nobody_in(cast: Cast) -> None:
    invitation = offer(cast)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(link(invitation)).status_code == 410
    assert join(Client(), invitation).status_code == 410
    assert not User.objects.filter(email=EVE).exists()


@pytest.mark.parametrize("token", ["nonsense", "MQ:1xxxxx:forged"])
def test_a_forged_link_is_not_found(cast: Cast, token: str) -> None:
    offer(cast)
    assert Client().get(reverse("orgs:invitation", args=[token])).status_code == 404


def test_the_wrong_person_is_told_and_stays_where_they_are(cast: Cast) -> None:
    invitation = offer(cast)
    assert EVE in signed_in(cast.charlie).get(link(invitation)).content.decode()
    assert signed_in(cast.charlie).post(link(invitation)).status_code == 409
    cast.charlie.refresh_from_db()
    assert cast.charlie.organization is None


def test_a_member_elsewhere_is_told_and_stays_where_they_are(cast: Cast) -> None:
    other = OrganizationFactory.create()
    answer = signed_in(other.owner).post(link(offer(cast, other.owner.email)))
    assert answer.status_code == 409
    other.owner.refresh_from_db()
    assert other.owner.organization == other


def test_only_the_owner_invites(cast: Cast) -> None:
    answer = signed_in(cast.bob).post(reverse("orgs:invite"), {"email": EVE})
    assert answer.status_code == 403
    assert not Invitation.objects.filter(email=EVE).exists()


def test_a_member_is_not_invited_again(cast: Cast) -> None:
    answer = signed_in(cast.alice).post(reverse("orgs:invite"), {"email": "BOB@example.com"})
    assert answer.status_code == 422
    assert "on your team already" in answer.content.decode()


def test_inviting_an_address_again_renews_the_one_offer(cast: Cast) -> None:
    first = offer(cast)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    again = offer(cast, "EVE@example.com")
    assert again.pk == first.pk
    assert again.is_open(timezone.now())


def test_a_bad_password_is_named_and_joins_nobody(cast: Cast) -> None:
    answer = join(Client(), offer(cast), password="short")
    assert "password" in answer.context["form"].errors
    assert not User.objects.filter(email=EVE).exists()


def test_developers_cannot_be_members(cast: Cast) -> None:
    with pytest.raises(services.WrongPerson):
        services.accept_invitation(
            invitation=offer(cast, cast.dana.email), person=cast.dana, now=timezone.now()
        )


def test_a_closed_organization_takes_nobody_in(cast: Cast) -> None:
    invitation = offer(cast)
    cast.acme.closed_at = timezone.now()
    cast.acme.save(update_fields=["closed_at"])
    with pytest.raises(services.OrganizationIsClosed):
        services.accept_invitation(
            invitation=invitation, person=PersonFactory.create(email=EVE), now=timezone.now()
        )


def test_a_person_of_no_organization_founds_one(cast: Cast) -> None:
    signed_in(cast.charlie).post(reverse("orgs:found"), {"name": "Charlie's"})
    cast.charlie.refresh_from_db()
    assert cast.charlie.organization is not None
    assert cast.charlie.organization.owner == cast.charlie


def test_a_developer_founds_none_and_is_told(cast: Cast) -> None:
    page = signed_in(cast.dana).post(reverse("orgs:found"), {"name": "Ours"}, follow=True)
    assert "no developers, own a team" in page.content.decode()
    assert not Organization.objects.filter(name="Ours").exists()


def test_nobody_founds_a_second_organization(cast: Cast) -> None:
    signed_in(cast.bob).post(reverse("orgs:found"), {"name": "Bob's"})
    cast.bob.refresh_from_db()
    assert cast.bob.organization == cast.acme
