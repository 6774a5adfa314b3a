"""Asking Stripe: everything that one sync must know, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing import gateway, mirror
from billing.gateway import StripeJson
from billing.invoices import default_payment_method, owed_invoices, own_payment_method
from billing.payment_methods import Brief, brief
from billing.services.leases import Lease
from billing.standing import is_live, is_over, prices_of

# Of so many invoices that are owed, the oldest first, we ask whether one waits to be confirmed.
MOST_CONFIRMATIONS = 3


@dataclass(frozen=True)
class Facts:
    """What Stripe said about an organization's customer."""

    customer: StripeJson
    subscriptions: list[StripeJson] = field(default_factory=list)
    open_invoices: list[StripeJson] = field(default_factory=list)
    # The newest ones, and those that were open when we last looked.
    settled_invoices: list[StripeJson] = field(default_factory=list)
    # Ids of those whose payment waits for the owner to confirm it.
    unconfirmed_invoices: list[str] = field(default_factory=list)
    # What each living subscription is paid with, by its id.
    payment_methods: dict[str, Brief] = field(default_factory=dict)
    open_checkouts: list[StripeJson] = field(default_factory=list)
    new_prices: list[StripeJson] = field(default_factory=list)
    # Ids that the mirror has and Stripe has not.
    gone_subscriptions: list[str] = field(default_factory=list)
    gone_invoices: list[str] = field(default_factory=list)
    # Everything was ended while we asked: the organization is closed, or is being closed.
    is_billing_ended: bool = False

    @property
    def is_customer_deleted(self) -> bool:
        return bool(self.customer.get("deleted"))

    @property
    def has_live_subscription(self) -> bool:
        return any(map(is_live, self.subscriptions))


def fetch(lease: Lease, *, starts_afresh: bool = False, ends_billing: bool = False) -> Facts:
    """Ask Stripe for all of it, and tell Stripe what it should know.

    A missing customer is created; e-mail and name follow the organization; open checkouts are
    expired where they are a former owner's, or where a subscription lives already. With
    `starts_afresh` a new customer takes the place of one whose deletion was recorded. With
    `ends_billing`, and always where the organization is closed, every subscription is canceled
    and every open checkout expired. Raises BillingUnavailable.
    """
    ends_billing = ends_billing or lease.is_closed
    customer = _customer(lease, starts_afresh=starts_afresh)
    if customer.get("deleted"):
        listed: list[StripeJson] = []
        open_invoices: list[StripeJson] = []
        recent: list[StripeJson] = []
        checkouts: list[StripeJson] = []
    else:
        checkouts = _own_checkouts(customer["id"], lease.owner_id)
        listed = gateway.list_subscriptions(customer["id"], with_methods=True)
        open_invoices, recent = _invoices(customer["id"])
    payment_methods = _payment_methods(customer, listed)
    subscriptions, gone_subscriptions = _with_unlisted(customer["id"], listed)
    if ends_billing:
        subscriptions = [_ended(each) for each in subscriptions]
    settled, gone_invoices = _settled_invoices(customer["id"], [*open_invoices, *recent])
    facts = Facts(
        customer=customer,
        subscriptions=subscriptions,
        open_invoices=open_invoices,
        settled_invoices=[*recent, *settled],
        unconfirmed_invoices=_unconfirmed(open_invoices, subscriptions),
        payment_methods=payment_methods,
        open_checkouts=checkouts,
        new_prices=_new_prices(subscriptions),
        gone_subscriptions=gone_subscriptions,
        gone_invoices=gone_invoices,
        is_billing_ended=ends_billing,
    )
    if facts.has_live_subscription or ends_billing:
        for session in facts.open_checkouts:
            gateway.expire_checkout(session["id"])
    return facts


def _customer(lease: Lease, *, starts_afresh: bool) -> StripeJson:
    """Return the organization's customer at Stripe, made if need be, with today's name on it."""
    if lease.customer_id is None or (starts_afresh and lease.is_customer_deleted):
        customer = _find_or_create_customer(lease)
    else:
        customer = gateway.retrieve_customer(lease.customer_id)
    if customer.get("deleted"):
        return customer
    wanted = {"email": lease.email, "name": lease.name}
    if any(customer.get(field) != value for field, value in wanted.items()):
        customer = gateway.update_customer(customer["id"], **wanted)
    return customer


def _find_or_create_customer(lease: Lease) -> StripeJson:
    if not lease.is_retry:
        return gateway.create_customer(key=lease.customer_key)
    if found := gateway.find_customer(key=lease.customer_key):
        return found
    created = gateway.create_customer(key=lease.customer_key)
    # A repeated key is answered as it was the first time, also when that customer is gone.
    return gateway.retrieve_customer(created["id"])


def _own_checkouts(customer_id: str, owner_id: int) -> list[StripeJson]:
    """Return the owner's open checkouts, and expire those of people who owned it before."""
    own = []
    for session in gateway.list_open_checkouts(customer_id):
        if (session.get("metadata") or {}).get("owner") == str(owner_id):
            own.append(session)
        else:
            gateway.expire_checkout(session["id"])
    return own


def _invoices(customer_id: str) -> tuple[list[StripeJson], list[StripeJson]]:
    """Return the open invoices, all of them, and the newest of the rest but for drafts."""
    newest, has_more = gateway.list_recent_invoices(customer_id)
    still_open = [each for each in newest if each["status"] == "open"]
    if has_more:
        still_open = gateway.list_open_invoices(customer_id)
    known = {each["id"] for each in still_open}
    # Between two calls one may have been opened or paid: what was asked last counts.
    rest = [
        each
        for each in newest
        if each["id"] not in known and each["status"] not in ("draft", "open")
    ]
    return still_open, rest


def _payment_methods(customer: StripeJson, listed: list[StripeJson]) -> dict[str, Brief]:
    """Return what each living subscription is paid with: its own method, else the customer's.

    The subscriptions keep no more than its id: the rest names people.
    """
    found = {}
    for subscription in listed:
        method = subscription.get("default_payment_method")
        if isinstance(method, dict):
            found[subscription["id"]] = brief(method)
            subscription["default_payment_method"] = own_payment_method(subscription)
    living = {each["id"] for each in listed if is_live(each)}
    default = default_payment_method(customer)
    if default and living - found.keys() and (method := gateway.retrieve_payment_method(default)):
        found = dict.fromkeys(living, brief(method)) | found
    return {id: method for id, method in found.items() if id in living}


def _unconfirmed(open_invoices: list[StripeJson], subscriptions: list[StripeJson]) -> list[str]:
    owed = owed_invoices(open_invoices, subscriptions)[:MOST_CONFIRMATIONS]
    return [each["id"] for each in owed if gateway.needs_confirmation(each["id"])]


def _with_unlisted(
    customer_id: str, listed: list[StripeJson]
) -> tuple[list[StripeJson], list[str]]:
    """Add those that the mirror believes in and the list lacks; return what is gone apart.

    Stripe's list leaves out nothing that lives, but a deleted customer has none.
    """
    found, gone = list(listed), []
    for id in sorted(mirror.unended_subscriptions(customer_id) - {each["id"] for each in listed}):
        subscription = gateway.retrieve_subscription(id)
        if subscription is None:
            gone.append(id)
        else:
            found.append(subscription)
    return found, gone


def _ended(subscription: StripeJson) -> StripeJson:
    """Return the subscription, canceled if it could still bill."""
    if is_over(subscription):
        return subscription
    # Somebody else may have ended it since we asked.
    return (
        gateway.cancel_subscription(subscription["id"])
        or gateway.retrieve_subscription(subscription["id"])
        or subscription
    )


def _settled_invoices(
    customer_id: str, known: list[StripeJson]
) -> tuple[list[StripeJson], list[str]]:
    """Return what became of those that were open and are not among the known ones."""
    found, gone = [], []
    for id in sorted(mirror.open_invoices(customer_id) - {each["id"] for each in known}):
        invoice = gateway.retrieve_invoice(id)
        if invoice is None:
            gone.append(id)
        else:
            found.append(invoice)
    return found, gone


def _new_prices(subscriptions: list[StripeJson]) -> list[StripeJson]:
    ids = {id for each in subscriptions for id in prices_of(each)}
    return [gateway.retrieve_price(id) for id in sorted(mirror.missing_prices(ids))]
