"""The kinds of things that the log knows: one list, so that filters, pages and tests see all.

The rooms above write theirs by these names too. A kind is never renamed or taken out: lines that
bear it stay.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Event(TextChoices):
    # Logging in
    LOGIN = "login", _("logged in")
    LOGOUT = "logout", _("logged out")
    LOGIN_FAILED = "login_failed", _("failed to log in")
    SECOND_FACTOR_FAILED = "second_factor_failed", _("gave a wrong second factor")
    LOGIN_BLOCKED = "login_blocked", _("was kept out at log-in")
    # One's own account
    PERSON_CREATED = "person_created", _("got an account")
    PASSWORD_CHANGED = "password_changed", _("changed the password")
    PASSWORD_RESET = "password_reset", _("reset the password by e-mail")
    EMAIL_ADDED = "email_added", _("added an e-mail address")
    EMAIL_CONFIRMED = "email_confirmed", _("confirmed an e-mail address")
    EMAIL_CHANGED = "email_changed", _("changed the e-mail address")
    EMAIL_REMOVED = "email_removed", _("removed an e-mail address")
    SESSIONS_ENDED = "sessions_ended", _("logged out everywhere else")
    SECOND_FACTOR_ADDED = "second_factor_added", _("added a second factor")
    SECOND_FACTOR_REMOVED = "second_factor_removed", _("removed a second factor")
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed", _("renewed the recovery codes")
    # People
    PERSON_ACTIVATED = "person_activated", _("was activated")
    PERSON_DEACTIVATED = "person_deactivated", _("was deactivated")
    PERSON_SOFT_DELETED = "person_soft_deleted", _("was deleted, for the time being")
    PERSON_RESTORED = "person_restored", _("was restored")
    PERSON_DELETED = "person_deleted", _("was deleted for good")
    ERASURE_REQUESTED = "erasure_requested", _("will be erased")
    PERSON_ERASED = "person_erased", _("was erased")
    PERSON_RENAMED = "person_renamed", _("changed their name")
    # The team
    MEMBER_INVITED = "member_invited", _("invited somebody")
    INVITATION_RESENT = "invitation_resent", _("sent an invitation again")
    INVITATION_REVOKED = "invitation_revoked", _("took an invitation back")
    OFFERED_ROLES_WITHHELD = "offered_roles_withheld", _("got less than the invitation offered")
    MEMBER_JOINED = "member_joined", _("joined")
    MEMBER_LEFT = "member_left", _("left")
    MEMBER_REMOVED = "member_removed", _("was removed")
    ROLE_ASSIGNED = "role_assigned", _("got a role")
    ROLE_REVOKED = "role_revoked", _("lost a role")
    PERMISSION_GRANTED = "permission_granted", _("was granted a permission")
    PERMISSION_REVOKED = "permission_revoked", _("lost a permission")
    ROLE_CREATED = "role_created", _("made a role")
    ROLE_CHANGED = "role_changed", _("changed a role")
    ROLE_DELETED = "role_deleted", _("deleted a role")
    # The organization
    ORGANIZATION_FOUNDED = "organization_founded", _("founded the organization")
    ORGANIZATION_CHANGED = "organization_changed", _("changed the organization's details")
    ORGANIZATION_CLOSED = "organization_closed", _("closed the organization")
    ORGANIZATION_REOPENED = "organization_reopened", _("reopened the organization")
    ORGANIZATION_REMOVED = "organization_removed", _("was detached from the organization")
    ORGANIZATION_DELETED = "organization_deleted", _("the organization was removed")
    OWNERSHIP_TRANSFER_REQUESTED = (
        "ownership_transfer_requested",
        _("was proposed as the new owner"),
    )
    OWNERSHIP_TRANSFER_WITHDRAWN = (
        "ownership_transfer_withdrawn",
        _("is no longer proposed: the owner withdrew it"),
    )
    OWNERSHIP_TRANSFER_DECLINED = (
        "ownership_transfer_declined",
        _("is no longer proposed: staff declined it"),
    )
    OWNERSHIP_GIVEN = "ownership_given", _("handed over ownership")
    OWNERSHIP_RECEIVED = "ownership_received", _("became the owner")
    # Billing
    STANDING_CHANGED = "standing_changed", _("billing changed")
    LOCK_BEGAN = "lock_began", _("the organization was locked")
    FREE_TIER_CHOSEN = "free_tier_chosen", _("went on with the free plan")
    PLAN_CANCELED = "plan_canceled", _("canceled the plan, to its end")
    PLAN_RESUMED = "plan_resumed", _("resumed the plan")
    EXEMPTION_GRANTED = "exemption_granted", _("our staff let the organization in, unpaid")
    EXEMPTION_ENDED = "exemption_ended", _("the exemption from billing ended")
    SYNC_REQUESTED = "sync_requested", _("had billing looked up at Stripe")
    PAYER_TOLD = "payer_told", _("got a mail about billing")
    PAYER_MAIL_RETRIED = "payer_mail_retried", _("had a mail about billing sent again")
    CUSTOMER_LINKED = "customer_linked", _("a customer at Stripe was linked")
    CUSTOMER_DELETED = "customer_deleted", _("the customer was deleted at Stripe")
    # Staff
    TIER_CREATED = "tier_created", _("made a tier")
    TIER_CHANGED = "tier_changed", _("changed a tier")
    TIER_PRICE_SAVED = "tier_price_saved", _("saved a price")
    ADMIN_ADDED = "admin_added", _("added a row in the admin")
    ADMIN_CHANGED = "admin_changed", _("changed a row in the admin")
    ADMIN_DELETED = "admin_deleted", _("deleted a row in the admin")
    IMPERSONATION_STARTED = (
        "impersonation_started",
        _("our staff began to look at the product as this person"),
    )
    IMPERSONATION_ENDED = (
        "impersonation_ended",
        _("our staff no longer look at the product as this person"),
    )
    IMPERSONATION_REFUSED = (
        "impersonation_refused",
        _("our staff were refused a change while looking as this person"),
    )
    # Exports
    ACTIVITY_EXPORTED = "activity_exported", _("exported the activity log")
    PERSON_EXPORTED = "person_exported", _("took a copy of their own data")
    ORGANIZATION_EXPORTED = "organization_exported", _("took a copy of the organization's data")
    LIST_EXPORTED = "list_exported", _("downloaded a list of the admin")


# What guards and invariants read stays, exported or not: where ownership and billing came from.
KEPT_FOR_EVER = (
    Event.ORGANIZATION_FOUNDED,
    Event.OWNERSHIP_GIVEN,
    Event.OWNERSHIP_RECEIVED,
    Event.STANDING_CHANGED,
    Event.CUSTOMER_LINKED,
    Event.CUSTOMER_DELETED,
)

# What pages filter by: a key, what people call it, and the kinds.
GROUPS: dict[str, tuple[str | Promise, tuple[Event, ...]]] = {
    "login": (
        _("Logging in"),
        (
            Event.LOGIN,
            Event.LOGOUT,
            Event.LOGIN_FAILED,
            Event.SECOND_FACTOR_FAILED,
            Event.LOGIN_BLOCKED,
        ),
    ),
    "account": (
        _("Password, address and second factor"),
        (
            Event.PASSWORD_CHANGED,
            Event.PASSWORD_RESET,
            Event.EMAIL_ADDED,
            Event.EMAIL_CONFIRMED,
            Event.EMAIL_CHANGED,
            Event.EMAIL_REMOVED,
            Event.SESSIONS_ENDED,
            Event.SECOND_FACTOR_ADDED,
            Event.SECOND_FACTOR_REMOVED,
            Event.RECOVERY_CODES_RENEWED,
        ),
    ),
    "people": (
        _("People"),
        (
            Event.PERSON_CREATED,
            Event.MEMBER_INVITED,
            Event.INVITATION_RESENT,
            Event.INVITATION_REVOKED,
            Event.OFFERED_ROLES_WITHHELD,
            Event.MEMBER_JOINED,
            Event.MEMBER_LEFT,
            Event.MEMBER_REMOVED,
            Event.PERSON_ACTIVATED,
            Event.PERSON_DEACTIVATED,
            Event.PERSON_SOFT_DELETED,
            Event.PERSON_RESTORED,
            Event.PERSON_DELETED,
            Event.ERASURE_REQUESTED,
            Event.PERSON_ERASED,
            Event.PERSON_RENAMED,
        ),
    ),
    "roles": (
        _("Roles and grants"),
        (
            Event.ROLE_ASSIGNED,
            Event.ROLE_REVOKED,
            Event.PERMISSION_GRANTED,
            Event.PERMISSION_REVOKED,
            Event.ROLE_CREATED,
            Event.ROLE_CHANGED,
            Event.ROLE_DELETED,
        ),
    ),
    "organization": (
        _("Organization and ownership"),
        (
            Event.ORGANIZATION_FOUNDED,
            Event.ORGANIZATION_CHANGED,
            Event.ORGANIZATION_CLOSED,
            Event.ORGANIZATION_REOPENED,
            Event.ORGANIZATION_REMOVED,
            Event.ORGANIZATION_DELETED,
            Event.OWNERSHIP_TRANSFER_REQUESTED,
            Event.OWNERSHIP_TRANSFER_WITHDRAWN,
            Event.OWNERSHIP_TRANSFER_DECLINED,
            Event.OWNERSHIP_GIVEN,
            Event.OWNERSHIP_RECEIVED,
        ),
    ),
    "billing": (
        _("Billing"),
        (
            Event.STANDING_CHANGED,
            Event.LOCK_BEGAN,
            Event.FREE_TIER_CHOSEN,
            Event.PLAN_CANCELED,
            Event.PLAN_RESUMED,
            Event.EXEMPTION_GRANTED,
            Event.EXEMPTION_ENDED,
            Event.SYNC_REQUESTED,
            Event.PAYER_TOLD,
            Event.PAYER_MAIL_RETRIED,
            Event.CUSTOMER_LINKED,
            Event.CUSTOMER_DELETED,
        ),
    ),
    "staff": (
        _("Staff, and exports"),
        (
            Event.TIER_CREATED,
            Event.TIER_CHANGED,
            Event.TIER_PRICE_SAVED,
            Event.ADMIN_ADDED,
            Event.ADMIN_CHANGED,
            Event.ADMIN_DELETED,
            Event.IMPERSONATION_STARTED,
            Event.IMPERSONATION_ENDED,
            Event.IMPERSONATION_REFUSED,
            Event.ACTIVITY_EXPORTED,
            Event.PERSON_EXPORTED,
            Event.ORGANIZATION_EXPORTED,
            Event.LIST_EXPORTED,
        ),
    ),
}

# What a person's own security page shows of what happened to them.
SECURITY = (
    *GROUPS["login"][1],
    *GROUPS["account"][1],
    Event.PERSON_ACTIVATED,
    Event.PERSON_DEACTIVATED,
    Event.PERSON_SOFT_DELETED,
    Event.PERSON_RESTORED,
    Event.ERASURE_REQUESTED,
    Event.PERSON_EXPORTED,
    Event.IMPERSONATION_STARTED,
    Event.IMPERSONATION_ENDED,
)
