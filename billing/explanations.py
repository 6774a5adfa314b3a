"""Why a person can or cannot come in, and do something: each leg in order, in sentences.

For support, who paste them into a mail: so they name what was looked at, and say what would change
the answer. The answers themselves are `billing.access.decide`'s and `orgs.permissions.explain`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from accounts import times
from accounts.models import User
from billing.access import Access, Reason, decide
from billing.models import Standing
from billing.reasons import words_for
from orgs.models import Organization, UserRoleAssignment
from orgs.permissions import Leg, Verdict, explain, forget, holdings


def explain_access(
    user: User, permission: str | None, organization: Organization | None, now: datetime
) -> list[str]:
    """Return sentences: who they are, whether they come in, and whether they may do this.

    `organization` is where they want to do it: their own for members. `permission` is
    `app.codename`, or None to ask about coming in alone.
    """
    forget(user)
    sentences = [_who(user), _coming_in(decide(user, now), user, now)]
    if organization is not None and (standing := _standing(organization)):
        sentences.append(standing)
    if permission is not None:
        sentences += _doing(user, permission, organization, now)
    return sentences


def _who(user: User) -> str:
    facts = {"person": user.email, "organization": str(user.organization)}
    if user.deleted_at is not None:
        return _("%(person)s was deleted.") % facts
    if not user.is_active:
        return _("%(person)s is deactivated.") % facts
    if user.is_developer:
        return _("%(person)s is a developer, of our own staff.") % facts
    if user.organization is None:
        return _("%(person)s belongs to no organization.") % facts
    if user.organization.owner_id == user.pk:
        return _("%(person)s owns %(organization)s.") % facts
    return _("%(person)s is a member of %(organization)s.") % facts


def _coming_in(access: Access, user: User, now: datetime) -> str:
    organization = user.organization
    facts = {
        "organization": str(organization),
        "since": times.minute(organization.locked_from)
        if organization is not None and organization.is_locked(now) and organization.locked_from
        else "",
    }
    words = {
        Reason.INACTIVE: _("They cannot come in: nobody who is deactivated or deleted can."),
        Reason.DEVELOPER: _("They can come in: developers always can."),
        Reason.NO_ORGANIZATION: _("They can come in, and found or join an organization."),
        Reason.OPEN: _("They can come in: %(organization)s is neither locked nor closed."),
        Reason.LOCKED: _("They can come in although %(organization)s is locked since %(since)s: ")
        + _("the owner can, to pay.")
        if access.allowed
        else _("They cannot come in: %(organization)s is locked since %(since)s."),
        Reason.CLOSED: _("They can come in although %(organization)s is closed: the owner can.")
        if access.allowed
        else _("They cannot come in: %(organization)s is closed."),
    }
    return words[access.reason] % facts


def _standing(organization: Organization) -> str | None:
    standing = Standing.objects.filter(organization=organization).first()
    if standing is None:
        return None
    facts = {
        "organization": organization.name,
        "status": standing.get_status_display(),
        "reason": words_for(standing.reason) or _("nothing special"),
        "subscription": standing.subscription_id or _("no subscription"),
        "synced": times.minute(standing.synced_at) if standing.synced_at else _("never"),
    }
    words = _("Billing of %(organization)s: %(status)s (%(reason)s), %(subscription)s, ")
    words += _("synced: %(synced)s.")
    if standing.exempt_until is not None:
        facts["until"] = times.minute(standing.exempt_until)
        facts["why"] = standing.exempt_reason
        words += " " + _("Exempt until %(until)s: %(why)s")
    return words % facts


def _doing(
    user: User, permission: str, organization: Organization | None, now: datetime
) -> Iterator[str]:
    if organization is None:
        yield _("Say in which organization: they belong to none.")
        return
    yield _held(user, permission, organization)
    verdict = explain(user, permission, organization, now)
    held = holdings(user, organization, now)
    tier = organization.tier_at(now)
    facts = {"tier": tier.name, "permission": permission}
    if permission in held.entitlements:
        yield _("The tier %(tier)s entitles to %(permission)s.") % facts
    else:
        yield _("The tier %(tier)s does not entitle to %(permission)s.") % facts
    yield _answer(verdict, permission, organization)


def _held(user: User, permission: str, organization: Organization) -> str:
    """Name the rows that were looked at: roles, held and revoked, and direct grants."""
    assignments = UserRoleAssignment.objects.filter(user=user).select_related("role")
    roles = [f"{each.role.key} (#{each.pk}{_ended(each)})" for each in assignments]
    grants = [
        f"{grant.permission.codename} (#{grant.pk})"
        for grant in organization.grants.filter(user=user).select_related("permission")
    ]
    facts = {"roles": ", ".join(roles) or _("none"), "grants": ", ".join(grants) or _("none")}
    return _("Roles: %(roles)s. Direct grants here: %(grants)s.") % facts


def _ended(assignment: UserRoleAssignment) -> str:
    if assignment.is_active:
        return ""
    if assignment.revoked_at is None:
        return ", " + _("ended by the deletion #%(pk)s") % {"pk": assignment.disabled_by_id}
    return ", " + _("revoked")


def _answer(verdict: Verdict, permission: str, organization: Organization) -> str:
    facts = {
        "permission": permission,
        "organization": organization.name,
        "detail": verdict.detail,
    }
    words = {
        Leg.OWNER: _("So yes, %(permission)s: owners hold whatever the tier entitles to."),
        Leg.ROLE: _("So yes, %(permission)s: by the role %(detail)s."),
        Leg.GRANT: _("So yes, %(permission)s: by a direct grant."),
        Leg.DEVELOPER: _("So yes, %(permission)s: as a developer, whatever the tier."),
        Leg.NO_ROLE: _("So no, not %(permission)s: no active role and no grant gives it."),
        Leg.TIER: _(
            "So no, not %(permission)s: it is theirs, but the tier does not entitle to it."
        ),
        Leg.LOCKED: _("So no, not %(permission)s while %(organization)s is locked."),
        Leg.CLOSED: _("So no, not %(permission)s: %(organization)s is closed."),
        Leg.NOT_A_MEMBER: _("So no, not %(permission)s: they are no member of %(organization)s."),
        Leg.INACTIVE: _("So no, not %(permission)s: they are deactivated or deleted."),
    }
    return words[verdict.leg] % facts
