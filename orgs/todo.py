"""What somebody's home page says is to be done, from what is known of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orgs.seats import Seats


@dataclass(frozen=True)
class Todo:
    """`page` is the name of the URL at which it is done."""

    text: str
    action: str
    page: str
    icon: str


@dataclass(frozen=True)
class Known:
    is_owner: bool
    may_invite: bool
    owner: str
    seats: Seats
    has_second_factor: bool
    # Invitations whose time ran out, which can be sent again.
    expired_invitations: int
    # To whom the owner asked to hand the organization, where our staff have not answered.
    handing_to: str | None


def todo_of(known: Known) -> list[Todo]:
    """Return it, what matters most first; empty where nothing is to be done."""
    found = []
    if known.handing_to is not None:
        text = _("You asked to hand the organization to %(person)s. Our staff will answer.")
        facts = {"person": known.handing_to}
        found.append(Todo(text % facts, _("Look at the request"), "orgs:request_transfer", "clock"))
    if known.may_invite and not known.seats.is_one_free:
        found.append(_full(known))
    elif known.is_owner and known.seats.taken == 1:
        text = _("It is only you so far. Invite the people you work with.")
        found.append(Todo(text, _("Invite your team"), "orgs:team", "team"))
    if known.may_invite and known.expired_invitations:
        text = ngettext(
            "%(number)s invitation has expired.",
            "%(number)s invitations have expired.",
            known.expired_invitations,
        )
        facts = {"number": str(known.expired_invitations)}
        found.append(Todo(text % facts, _("Send again or take back"), "orgs:team", "mail"))
    if not known.has_second_factor:
        text = _("Only your password protects your account.")
        found.append(Todo(text, _("Set up a second factor"), "mfa_index", "key"))
    return found


def _full(known: Known) -> Todo:
    facts = {"limit": known.seats.limit, "owner": known.owner}
    text = ngettext(
        "The only seat is taken: nobody new can come in.",
        "All %(limit)s seats are taken: nobody new can come in.",
        known.seats.limit or 0,
    )
    text %= facts
    if known.is_owner:
        return Todo(text, _("Change your plan"), "billing:overview", "team")
    words = _("Ask %(owner)s for a plan with more.") % facts
    return Todo(f"{text} {words}", _("See the team"), "orgs:team", "team")
