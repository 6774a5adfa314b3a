"""Writes about money. `sync_organization` alone writes a standing, a tier or a lock."""

from billing.services.attempts import log_sync_request
from billing.services.checkout import (
    AlreadySubscribed,
    NothingToChange,
    NotOffered,
    SamePlan,
    change_plan,
    choose_free_tier,
    choose_plan,
    open_portal,
    preview_plan,
    start_checkout,
)
from billing.services.clock import NoTestClock, advance_test_clock
from billing.services.closing import close_organization, follow_closing, follow_removal
from billing.services.encrypting import encrypt_secrets
from billing.services.ending import NoPlan, cancel_plan, resume_plan
from billing.services.exemptions import (
    EndsTooSoon,
    MayNotExempt,
    ReasonNeeded,
    end_exemption,
    grant_exemption,
)
from billing.services.marks import log_begun_locks, open_standing, request_sync, sync_due
from billing.services.payer_mails import (
    NotGivenUp,
    recipients_of,
    retry_payer_mail,
    send_payer_mails,
)
from billing.services.prices import save_tier_price
from billing.services.proof import NotProven, prove_setup
from billing.services.reconciling import (
    AlreadyReconciling,
    begin_partial_run,
    begin_run,
    reconcile,
    reconcile_one,
    reconcile_since,
)
from billing.services.revenue import count_revenue, count_revenue_now
from billing.services.setup import carry_out, plan_setup, set_up_stripe
from billing.services.setup_prices import plant_prices
from billing.services.setup_steps import Action, Step
from billing.services.sync import Outcome, sync_now, sync_organization
from billing.services.walk import WrongAccount
from billing.services.webhooks import receive_event

__all__ = [
    "Action",
    "AlreadyReconciling",
    "AlreadySubscribed",
    "EndsTooSoon",
    "MayNotExempt",
    "NoPlan",
    "NoTestClock",
    "NotGivenUp",
    "NotOffered",
    "NotProven",
    "NothingToChange",
    "Outcome",
    "ReasonNeeded",
    "SamePlan",
    "Step",
    "WrongAccount",
    "advance_test_clock",
    "begin_partial_run",
    "begin_run",
    "cancel_plan",
    "carry_out",
    "change_plan",
    "choose_free_tier",
    "choose_plan",
    "close_organization",
    "count_revenue",
    "count_revenue_now",
    "encrypt_secrets",
    "end_exemption",
    "follow_closing",
    "follow_removal",
    "grant_exemption",
    "log_begun_locks",
    "log_sync_request",
    "open_portal",
    "open_standing",
    "plan_setup",
    "plant_prices",
    "preview_plan",
    "prove_setup",
    "receive_event",
    "recipients_of",
    "reconcile",
    "reconcile_one",
    "reconcile_since",
    "request_sync",
    "resume_plan",
    "retry_payer_mail",
    "save_tier_price",
    "send_payer_mails",
    "set_up_stripe",
    "start_checkout",
    "sync_due",
    "sync_now",
    "sync_organization",
]
