from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.models import TierPrice
from orgs.models import FEATURES, Organization
from orgs.permissions import seen_by


class SubscribeForm(forms.Form):
    """The button beside a price: people choose, they type nothing."""

    price = forms.ModelChoiceField(TierPrice.objects.select_related("tier"))


class WhyForm(forms.Form):
    """What staff ask about a person: may they do this, and where."""

    permission = forms.ChoiceField(
        label=_("May they"),
        choices=[(f"orgs.{name}", words) for name, words in FEATURES.items()],
    )
    organization = forms.CharField(
        label=_("In the organization"),
        required=False,
        help_text=_("Its slug. Empty: the person's own."),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def clean_organization(self) -> Organization | None:
        slug: str = self.cleaned_data["organization"]
        if not slug:
            return None
        # Others are as if they were not there (orgs.admin_scope).
        organization = seen_by(self.by).select_related("tier").filter(slug=slug).first()
        if organization is None:
            raise forms.ValidationError(_("There is no organization with this slug."))
        return organization
