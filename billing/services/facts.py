"""Asking Stripe: everything that one sync must know, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing import gateway, mirror
from billing.gateway import StripeJson
from billing.services.leases import Lease
from billing.standing import is_live, is_over, prices_of


@dataclass(frozen=True)
class Facts:
    """What Stripe said about an organization's customer."""

    customer: StripeJson
    subscriptions: list[StripeJson] = field(default_factory=list)
    open_invoices: list[StripeJson] = field(default_factory=list)
    # Invoices that were open when we last looked.
    settled_invoices: list[StripeJson] = field(default_factory=list)
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
        checkouts: list[StripeJson] = []
    else:
        checkouts = _own_checkouts(customer["id"], lease.owner_id)
        listed = gateway.list_subscriptions(customer["id"])
        open_invoices = gateway.list_open_invoices(customer["id"])
    subscriptions, gone_subscriptions = _with_unlisted(customer["id"], listed)
    if ends_billing:
        subscriptions = [_ended(each) for each in subscriptions]
    settled, gone_invoices = _settled_invoices(customer["id"], open_invoices)
    facts = Facts(
        customer=customer,
        subscriptions=subscriptions,
        open_invoices=open_invoices,
        settled_invoices=settled,
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
    customer_id: str, still_open: list[StripeJson]
) -> tuple[list[StripeJson], list[str]]:
    found, gone = [], []
    for id in sorted(mirror.open_invoices(customer_id) - {each["id"] for each in still_open}):
        invoice = gateway.retrieve_invoice(id)
        if invoice is None:
            gone.append(id)
        else:
            found.append(invoice)
    return found, gone


def _new_prices(subscriptions: list[StripeJson]) -> list[StripeJson]:
    ids = {id for each in subscriptions for id in prices_of(each)}
    return [gateway.retrieve_price(id) for id in sorted(mirror.missing_prices(ids))]
