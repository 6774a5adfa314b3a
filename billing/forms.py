from __future__ import annotations

from django import forms

from billing.models import TierPrice


class SubscribeForm(forms.Form):
    """The button beside a price: people choose, they type nothing."""

    price = forms.ModelChoiceField(TierPrice.objects.select_related("tier"))
