"""Making and changing tiers. What a tier entitles to changes at once for all who have it."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs.models import Tier, features
from orgs.services.allowed import require_staff
from orgs.tier_facts import TierFacts, facts_of

ADD = "orgs.add_tier"
CHANGE = "orgs.change_tier"

COLUMNS = ("name", "rank", "is_offered", "seat_limit")


class NotAFeature(Exception):
    """A tier entitles to features of organizations alone: `codenames` names what is none."""

    def __init__(self, codenames: list[str]) -> None:
        super().__init__(codenames)
        self.codenames = codenames

    def __str__(self) -> str:
        words = _("A tier can entitle to features of organizations only, not to %(names)s.")
        return str(words % {"names": ", ".join(self.codenames)})


class TierChanged(Exception):
    """The tier is not any more as whoever changes it saw it."""

    def __str__(self) -> str:
        return str(_("The tier has changed in the meantime. Look again before you go on."))


@transaction.atomic
def create_tier(
    *,
    key: str,
    by: User,
    name: str,
    rank: int,
    is_offered: bool,
    seat_limit: int | None,
    entitlements: Collection[Permission],
) -> Tier:
    """Make a tier, whose key is for ever.

    Raises NotAllowed unless staff may add tiers, NotAFeature, and ValidationError for a bad value
    or a key that is taken.
    """
    by = require_staff(by, ADD)
    _require_features(entitlements)
    after = TierFacts.of(
        name=name,
        rank=rank,
        is_offered=is_offered,
        seat_limit=seat_limit,
        entitlements=entitlements,
    )
    tier = Tier(key=key)
    _fill(tier, after, COLUMNS)
    tier.save()
    tier.entitlements.set(entitlements)
    _record(Event.TIER_CREATED, tier, by, None, after)
    return tier


@transaction.atomic
def change_tier(
    *,
    tier: Tier,
    by: User,
    name: str,
    rank: int,
    is_offered: bool,
    seat_limit: int | None,
    entitlements: Collection[Permission],
    seen: TierFacts | None = None,
) -> None:
    """Change a tier, but for its key, at once for all who have it. Retired, it keeps serving them.

    `seen` is the tier as whoever changes it saw it: if it is another by now, TierChanged tells
    them. Raises NotAllowed unless staff may change tiers, NotAFeature, and ValidationError for a
    bad value.
    """
    # No key: a full lock would hold up whoever writes an organization that has the tier.
    current = Tier.objects.select_for_update(no_key=True).get(pk=tier.pk)
    by = require_staff(by, CHANGE)
    _require_features(entitlements)
    before = facts_of(current)
    if seen is not None and seen != before:
        raise TierChanged
    after = TierFacts.of(
        name=name,
        rank=rank,
        is_offered=is_offered,
        seat_limit=seat_limit,
        entitlements=entitlements,
    )
    if after == before:
        return
    changed = [each for each in COLUMNS if getattr(before, each) != getattr(after, each)]
    _fill(current, after, changed)
    if changed:
        current.save(update_fields=changed)
    current.entitlements.set(entitlements)
    _record(Event.TIER_CHANGED, current, by, before, after)


def _require_features(entitlements: Collection[Permission]) -> None:
    strangers = set(entitlements) - set(features())
    if strangers:
        raise NotAFeature(sorted(each.codename for each in strangers))


def _fill(tier: Tier, facts: TierFacts, columns: Collection[str]) -> None:
    for column in columns:
        setattr(tier, column, getattr(facts, column))
    tier.full_clean()


def _record(event: Event, tier: Tier, by: User, before: TierFacts | None, after: TierFacts) -> None:
    accounts.record_event(
        event,
        actor=by,
        data={
            "tier": tier.pk,
            "key": tier.key,
            "before": before and before.data,
            "after": after.data,
        },
    )
