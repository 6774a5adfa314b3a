"""What of billing needs a human: its lines on the admin's front page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import actor_of
from billing.models import PayerMail, ReconcileFinding, Standing, StandingTotal
from orgs.needs import NEEDS, Need, rows_of
from orgs.permissions import sees_all

STANDINGS = "admin:billing_standing_changelist"


def _at_risk(request: HttpRequest, now: datetime) -> int | None:
    """Counted once a day: each organization that pays is looked at for it. A part of them is not
    counted."""
    if not sees_all(actor_of(request)):
        return None
    return StandingTotal.objects.aggregate(n=Sum("dormant"))["n"] or 0


def _of_standings(what: Any, next_step: Any, query: str, narrow: Any, figure: Any = "") -> Need:
    return Need(what, next_step, STANDINGS, query, rows_of(Standing, narrow), figure)


NEEDS += [
    _of_standings(
        _("Organizations that could not be synced"),
        _(
            "Run manage.py sync_billing --due and read what it says of them: Stripe cannot be "
            "reached, or says what cannot be understood."
        ),
        "sync=overdue",
        lambda standings, now: standings.overdue(now),
        # An event that cannot be understood leaves its organization marked.
        figure=_("Failed events"),
    ),
    _of_standings(
        _("Organizations of which nothing was heard for two days"),
        _("See to it that manage.py sync_billing --due runs every minute."),
        "sync=unheard",
        lambda standings, now: standings.unheard(now),
    ),
    _of_standings(
        _("Organizations that pay a price of no tier"),
        _("Add the price to a tier, under “Prices of tiers”; they are synced then."),
        "reason=unmapped_price",
        lambda standings, now: standings.filter(reason="unmapped_price"),
    ),
    _of_standings(
        _("Organizations with more than one subscription"),
        _("End one at Stripe, and pay back what was too much."),
        "is_billed_twice=True",
        lambda standings, now: standings.filter(is_billed_twice=True),
    ),
    _of_standings(
        _("Organizations whose customer was deleted at Stripe"),
        _("Find out who did it. The owner can subscribe again, as a new customer."),
        "reason=customer_deleted",
        lambda standings, now: standings.filter(reason="customer_deleted"),
    ),
    _of_standings(
        _("Exemptions that end within a week"),
        _("Exempt them for longer, or let it end: then what billing says counts again."),
        "exempt=ending",
        lambda standings, now: standings.exempt_until_soon(now),
    ),
    Need(
        what=_("Mails about billing that could not be sent"),
        next_step=_("Mend the address or the mail server, then send each again."),
        page="admin:billing_payermail_changelist",
        query="state=given_up",
        count=rows_of(PayerMail, lambda mails, now: mails & PayerMail.objects.given_up()),
    ),
    Need(
        what=_("Findings of the last reconcile that no sync can mend"),
        next_step=_("The list says what to do about each."),
        page="admin:billing_reconcilefinding_changelist",
        query="left=yes",
        count=rows_of(
            ReconcileFinding, lambda findings, now: findings & ReconcileFinding.objects.left()
        ),
        figure=_("Drift"),
    ),
    Need(
        what=_("Organizations that pay and that nobody uses"),
        next_step=_("Ask their owners what is missing, before they leave. Counted once a day."),
        page=STANDINGS,
        query="risk=dormant",
        count=_at_risk,
        figure=_("Dormant payers"),
    ),
]
