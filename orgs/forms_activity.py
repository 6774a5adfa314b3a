from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.events import GROUPS
from orgs.activity import Wanted


class ActivityFilterForm(forms.Form):
    """Which lines of the log to show. What cannot be understood filters nothing, and is said."""

    q = forms.CharField(
        label=_("Name or e-mail"), required=False, max_length=100, widget=forms.SearchInput
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("Any kind")), *((key, label) for key, (label, _events) in GROUPS.items())],
    )
    first_day = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput({"type": "date"})
    )
    last_day = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput({"type": "date"})
    )

    @property
    def wanted(self) -> Wanted:
        self.is_valid()
        data = self.cleaned_data
        return Wanted(
            text=data.get("q", ""),
            group=data.get("kind", ""),
            first_day=data.get("first_day"),
            last_day=data.get("last_day"),
        )
