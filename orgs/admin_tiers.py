"""Tiers in the admin: changed by the services, after a look at who would lose what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import actor_of
from orgs import services
from orgs.forms import FeatureChoiceField
from orgs.models import Tier
from orgs.tier_facts import TierChange, TierFacts, facts_of
from orgs.tier_preview import preview_change

VALUES = ("name", "rank", "is_offered", "seat_limit", "entitlements")
# What the preview adds to the form that was posted: the tier as the preview showed it.
SEEN = "seen"


class TierForm(forms.ModelForm[Tier]):
    entitlements = FeatureChoiceField(
        label=_("Entitlements"),
        required=False,
        help_text=_("What people can do whose role, grant or ownership gives it to them."),
    )

    class Meta:
        model = Tier
        fields = ("key", *VALUES)
        help_texts = {
            "key": _("Never changes."),
            "is_offered": _(
                "People can choose it. Those who have it keep it either way, but for the free "
                "tier: while that is not offered, who does not pay is locked."
            ),
        }


class LookFirst(Exception):
    """The change takes something away, and has to be looked at before it is saved."""

    def __init__(self, tier_id: int, wanted: TierFacts, *, is_outdated: bool) -> None:
        super().__init__(tier_id)
        self.tier_id = tier_id
        self.wanted = wanted
        # It was looked at, but the tier has changed since.
        self.is_outdated = is_outdated


@admin.register(Tier)
class TierAdmin(admin.ModelAdmin[Tier]):
    list_display = ("name", "key", "rank", "is_offered", "seat_limit")
    ordering = ("rank",)
    form = TierForm

    def get_readonly_fields(self, request: HttpRequest, obj: Tier | None = None) -> tuple[str, ...]:
        return ("key",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Tier | None = None) -> bool:
        """Tiers are retired (`is_offered`), never deleted: organizations and prices name them."""
        return False

    def save_model(self, request: HttpRequest, obj: Tier, form: Any, change: bool) -> None:
        by = actor_of(request)
        values = {name: form.cleaned_data[name] for name in VALUES}
        if not change:
            obj.pk = services.create_tier(key=form.cleaned_data["key"], by=by, **values).pk
            return
        wanted = TierFacts.of(**values)
        present = facts_of(Tier.objects.get(pk=obj.pk))
        seen = request.POST.get(SEEN)
        if seen is None and TierChange(present, wanted).takes_something:
            raise LookFirst(obj.pk, wanted, is_outdated=False)
        if seen is not None and seen != present.mark:
            raise LookFirst(obj.pk, wanted, is_outdated=True)
        try:
            services.change_tier(tier=obj, by=by, seen=present, **values)
        except services.TierChanged:
            raise LookFirst(obj.pk, wanted, is_outdated=True) from None

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save nothing more: the service wrote the entitlements too."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except LookFirst as look:
            return self._preview(request, look)
        except services.NotAllowed as refusal:
            raise PermissionDenied from refusal

    def _preview(self, request: HttpRequest, look: LookFirst) -> HttpResponse:
        """Show who would lose what, with everything that was posted and a button to confirm."""
        tier = Tier.objects.get(pk=look.tier_id)
        present = facts_of(tier)
        if look.is_outdated:
            messages.warning(request, str(services.TierChanged()))
        posted = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in {SEEN, "csrfmiddlewaretoken"}
        ]
        page = {
            **self.admin_site.each_context(request),
            "title": _("Change %(name)s: who would lose what") % {"name": tier.name},
            "opts": self.opts,
            "tier": tier,
            "preview": preview_change(tier, TierChange(present, look.wanted)),
            "posted": [*posted, (SEEN, present.mark)],
        }
        return render(request, "admin/orgs/tier/preview.html", page)
