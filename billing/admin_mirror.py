"""What Stripe said, in the admin: dj-stripe's mirror, looked at here and changed by nobody.

Of dj-stripe's own admins, each shows the secret API key to whoever may look, and allows edits. The
mirror has a table for everything that Stripe knows; here are those that are written.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from djstripe import admin as djstripe_admin
from djstripe.models import (
    Customer,
    Event,
    Invoice,
    Price,
    Product,
    Subscription,
    WebhookEndpoint,
)

from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin
from accounts.chips import BAD, GOOD, PLAIN, WARN, chip
from billing.at_stripe import page_of
from billing.money import format_money
from billing.services.webhooks import customer_of
from orgs.admin_links import organization_link
from orgs.models import Organization
from orgs.permissions import VIEW

# Of the words by which Stripe says how something is.
LOOKS = {
    **dict.fromkeys(("active", "enabled", "paid", "trialing"), GOOD),
    **dict.fromkeys(("incomplete", "open", "past_due", "paused"), WARN),
    **dict.fromkeys(("uncollectible", "unpaid"), BAD),
}
SECRETS = frozenset({"secret"})
# Said below in full, or told above by its id: dj-stripe has a statement for the name of each.
HIDDEN = frozenset({"customer", "data", "djstripe_id", "djstripe_owner_account", "stripe_data"})
# What dj-stripe keeps beside what Stripe said.
KEPT = ("djstripe_created", "djstripe_updated", "livemode", "created", "metadata")


class MirrorAdmin(ReadOnlyAdminMixin, LongListAdmin[models.Model]):
    """Objects of a kind: where they belong, where they are at Stripe, and all that it said."""

    # What Stripe's dashboard calls the kind; empty where it has no page for one.
    kind: ClassVar[str] = ""
    # What a page begins with, after the id.
    told: ClassVar[tuple[str, ...]] = ()
    list_display: Any = ("id", "created", "livemode")
    list_select_related: ClassVar[Any] = False
    search_fields: ClassVar[Any] = ("id__startswith",)
    search_help_text = _("The beginning of the id")

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Stripe's rows speak of all organizations: for staff who see all of them."""
        return super().has_view_permission(request, obj) and request.user.has_perm(VIEW)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first = ("id", *self.told, *(("at_stripe",) if self.kind else ()))
        left_out = {*first, *KEPT, *SECRETS, *HIDDEN}
        others = [field.name for field in self.opts.fields if field.name not in left_out]
        return [
            (None, {"fields": first}),
            (_("What Stripe said"), {"fields": [*others, "said"]}),
            (_("In the mirror"), {"fields": KEPT}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("id", *self.told, "at_stripe", "said")

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # dj-stripe's own name for a row is one for developers.
        context["subtitle"] = context["original"].id
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("status"))
    def state(self, row: Any) -> str:
        status = (row.stripe_data or {}).get("status")
        return chip(status.replace("_", " "), LOOKS.get(status, PLAIN)) if status else "-"

    @admin.display(description=_("organization"))
    def organization(self, row: Any) -> str:
        return organization_link(self.organization_of(row))

    def organization_of(self, row: Any) -> Organization | None:
        """Return whose it is, where it is somebody's."""
        return getattr(row.customer, "organization", None) if row.customer else None

    @admin.display(description=_("at Stripe"))
    def at_stripe(self, row: Any) -> str:
        url = page_of(self.kind, row.id)
        return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', url, row.id)

    @admin.display(description=_("all of it"))
    def said(self, row: Any) -> str:
        data = {key: each for key, each in (row.stripe_data or {}).items() if key not in SECRETS}
        text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False)
        return format_html('<pre class="data" tabindex="0">{}</pre>', text)


class CustomerAdmin(MirrorAdmin):
    kind = "customers"
    list_display = ("id", "organization", "email", "created", "livemode")
    list_select_related = ("organization",)
    told = ("organization",)

    def organization_of(self, row: Any) -> Organization | None:
        return getattr(row, "organization", None)


class OfCustomerAdmin(MirrorAdmin):
    list_display: Any = ("id", "state", "organization", "customer_id", "created", "livemode")
    list_select_related = ("customer__organization",)
    search_fields = ("id__startswith", "customer__exact")
    search_help_text = _("The beginning of the id, or cus_…")
    told: ClassVar[tuple[str, ...]] = ("state", "organization", "customer_page")

    @admin.display(description=_("customer"))
    def customer_id(self, row: Any) -> str:
        return row.customer_id or "-"

    @admin.display(description=_("customer"))
    def customer_page(self, row: Any) -> str:
        if row.customer is None:
            return "-"
        url = reverse("admin:djstripe_customer_change", args=[row.customer.pk])
        return format_html('<a href="{}">{}</a>', url, row.customer.id)


class SubscriptionAdmin(OfCustomerAdmin):
    kind = "subscriptions"


class InvoiceAdmin(OfCustomerAdmin):
    kind = "invoices"
    list_display = ("id", "state", "due", "organization", "customer_id", "created", "livemode")
    told = ("state", "due", "organization", "customer_page")

    @admin.display(description=_("to pay"))
    def due(self, row: Any) -> str:
        data = row.stripe_data or {}
        amount, currency = data.get("amount_due"), data.get("currency")
        return "-" if amount is None or not currency else format_money(amount, currency)


class EventAdmin(MirrorAdmin):
    kind = "events"
    list_display = ("id", "type", "created", "livemode")
    told = ("type", "organization")

    def organization_of(self, row: Any) -> Organization | None:
        customer = customer_of({"data": row.data})
        found = Organization.objects.filter(stripe_customer=customer) if customer else None
        return found.first() if found is not None else None


class PriceAdmin(MirrorAdmin):
    kind = "prices"
    list_display = ("id", "product", "currency", "active", "livemode")
    list_select_related = ("product",)


class ProductAdmin(MirrorAdmin):
    kind = "products"
    list_display = ("id", "name", "active", "livemode")


class WebhookEndpointAdmin(MirrorAdmin):
    list_display = ("id", "url", "status", "livemode")


WRITTEN: dict[Any, type[MirrorAdmin]] = {
    Customer: CustomerAdmin,
    Event: EventAdmin,
    Invoice: InvoiceAdmin,
    Price: PriceAdmin,
    Product: ProductAdmin,
    Subscription: SubscriptionAdmin,
    WebhookEndpoint: WebhookEndpointAdmin,
}

# Imported above, so that its registrations are made by now. Keys are secrets from end to end.
assert djstripe_admin
for model in [each for each in admin.site._registry if each._meta.app_label == "djstripe"]:
    admin.site.unregister(model)
for model, page in WRITTEN.items():
    admin.site.register(model, page)
