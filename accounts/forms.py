from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

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


class NameForm(forms.ModelForm[User]):
    """What a person wants to be called."""

    class Meta:
        model = User
        fields = ("name",)
        labels = {"name": _("Your name")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True


class AddPasskeyForm(AddWebAuthnForm):
    """A new passkey. The browser makes it and fills in what is not seen."""

    field_order = ("name", "passwordless")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("What you call it")
        alone = self.fields["passwordless"]
        alone.label = _("Log in with it alone")
        alone.help_text = _(
            "Without e-mail address and password: the device asks for your fingerprint, face or "
            "PIN. Untick it for a key that has none of these."
        )
        alone.initial = True
