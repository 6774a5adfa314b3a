"""What people type in to delete their own account, and to come back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from orgs.models import Organization


class DeleteAccountForm(forms.Form):
    """The person's own address, typed by hand, and what closing their own team takes."""

    email = forms.EmailField(
        label=_("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    close_own = forms.BooleanField()

    def __init__(
        self, *args: Any, person: User, closing: Organization | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        # It is shown as it is, and an address may hold what is markup in a page.
        self.fields["email"].help_text = format_html(
            gettext("Type {email} to confirm."), email=person.email
        )
        if closing is None:
            del self.fields["close_own"]
        else:
            self.fields["close_own"].label = _("Close %(name)s for good") % {"name": closing.name}

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if email != self.person.email:
            raise forms.ValidationError(_("This is not the address of your account."))
        return email


class ComeBackForm(forms.Form):
    """The password of somebody who deleted their own account."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.person.check_password(password):
            raise forms.ValidationError(_("This is not the password of this account."))
        return password
