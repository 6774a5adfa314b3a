from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from accounts import services
from accounts.models import User


class PersonForm(forms.ModelForm[User]):
    """What staff change of a person in the admin."""

    class Meta:
        model = User
        fields = ("name", "is_active")

    def clean_is_active(self) -> bool:
        is_active: bool = self.cleaned_data["is_active"]
        if self.instance.erased_at is not None:
            raise ValidationError(str(services.PersonErased()))
        if is_active and self.instance.deleted_at is not None:
            raise ValidationError(str(services.PersonDeleted()))
        if not is_active:
            try:
                services.require_not_owner(self.instance)
            except services.OwnsOrganization as refusal:
                raise ValidationError(str(refusal)) from refusal
        return is_active
