from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services import AddressTaken
from orgs import services
from orgs.models import (
    FEATURES,
    Organization,
    Role,
    SoftDeletion,
    UserRoleAssignment,
    features,
)


class FeatureChoiceField(forms.ModelMultipleChoiceField[Permission]):
    """Some of the features that roles give, each by its name."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(features(), **kwargs)

    def label_from_instance(self, permission: Permission) -> str:
        return str(FEATURES[permission.codename])


def _name_field() -> forms.CharField:
    return forms.CharField(
        label=_("Your name"),
        max_length=User._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class SignupForm(AllauthSignupForm):
    """Sign-up founds an organization: the person, the organization and its owner at once."""

    field_order = ("name", "organization_name", "email", "password1")

    name = _name_field()
    organization_name = forms.CharField(
        label=_("Organization"),
        help_text=_("Your team's or company's name."),
        min_length=2,
        max_length=Organization._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    account_already_exists: bool

    def clean(self) -> dict[str, Any]:
        """Hold the password against the name, too, of which allauth's form does not know."""
        # Out of its reach, so that it is judged once: another service is asked about it.
        password = self.cleaned_data.pop("password1", "")
        cleaned: dict[str, Any] = super().clean()
        if password:
            cleaned["password1"] = password
            person = User(email=cleaned.get("email", ""), name=cleaned.get("name", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return cleaned

    def try_save(self, request: HttpRequest) -> Any:
        if self.account_already_exists:
            # The answer for a taken address takes as long as the one for a new one.
            make_password(self.cleaned_data["password1"])
        try:
            return super().try_save(request)
        except AddressTaken:
            # Somebody took it while this form was being sent.
            self.account_already_exists = True
            return super().try_save(request)

    def save(self, request: HttpRequest) -> User:
        return services.sign_up(
            email=self.cleaned_data["email"],
            password=self.cleaned_data["password1"],
            name=self.cleaned_data["name"],
            organization_name=self.cleaned_data["organization_name"],
        )


class FoundForm(forms.ModelForm[Organization]):
    """Found an organization as a person who belongs to none."""

    class Meta:
        model = Organization
        fields = ("name",)


class DetailsForm(forms.ModelForm[Organization]):
    """What the organization is called, and where its bills go."""

    class Meta:
        model = Organization
        fields = ("name", "billing_email")
        labels = {"name": _("Name"), "billing_email": _("Billing e-mail")}
        help_texts = {
            "billing_email": _("Invoices and mails about paying go there. Empty: to the owner.")
        }


class InviteForm(forms.Form):
    """Whom to invite and, for those who may give roles, with which."""

    email = forms.EmailField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    roles = forms.ModelMultipleChoiceField(
        Role.objects.none(),
        label=_("Roles"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, *args: Any, organization: Organization, offers_roles: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        roles = self.fields["roles"]
        assert isinstance(roles, forms.ModelMultipleChoiceField)
        roles.queryset = Role.objects.for_members_of(organization)
        if not offers_roles:
            del self.fields["roles"]


class TeamFilterForm(forms.Form):
    """Which of the team to show."""

    q = forms.CharField(
        label=_("Name or e-mail"), required=False, max_length=100, widget=forms.SearchInput
    )
    role = forms.TypedChoiceField(label=_("Role"), required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.TypedChoiceField)
        role.choices = [("", _("Any role")), *((each.pk, each.label) for each in roles)]


class RoleForm(forms.Form):
    """One of the organization's own roles: its name, and what it gives."""

    name = forms.CharField(label=_("Name"), max_length=Role._meta.get_field("name").max_length)
    gives = FeatureChoiceField(label=_("What it gives"), required=False)

    def __init__(self, *args: Any, role: Role | None, **kwargs: Any) -> None:
        if role is not None:
            kwargs["initial"] = {"name": role.name, "gives": role.permissions.all()}
        super().__init__(*args, **kwargs)


class AssignRoleForm(forms.Form):
    """Which role somebody of this organization shall have."""

    person = forms.ModelChoiceField(User.objects.none(), widget=forms.HiddenInput)
    role = forms.ModelChoiceField(Role.objects.none(), label=_("Role"))

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person, role = self.fields["person"], self.fields["role"]
        assert isinstance(person, forms.ModelChoiceField)
        assert isinstance(role, forms.ModelChoiceField)
        person.queryset = organization.members.get_queryset().present()
        role.queryset = Role.objects.for_members_of(organization)


class JoinForm(forms.Form):
    """An invited person who is new here: a name and a password; the link gave the address."""

    name = _name_field()
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validation.password_validators_help_text_html(),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        person = User(email=self.email, name=self.cleaned_data.get("name", ""))
        password_validation.validate_password(password, person)
        return password


class PersonChoiceField(forms.ModelChoiceField[User]):
    def label_from_instance(self, person: User) -> str:
        return f"{person.name} ({person.email})" if person.name else person.email


class ChooseOwnerForm(forms.Form):
    """Who shall own the organization: one of its other members."""

    to = PersonChoiceField(User.objects.none(), label=_("New owner"))

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = organization.eligible_owners()


class ConfirmForm(forms.Form):
    """The organization's slug, typed by hand before something that nothing undoes."""

    slug = forms.CharField(label=_("The organization's slug"))

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.fields["slug"].help_text = _("Type %(slug)s to confirm.") % {"slug": organization.slug}

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug != self.organization.slug:
            raise forms.ValidationError(_("This is not the organization's slug."))
        return slug


class TransferForm(ConfirmForm):
    """Staff's confirmation: nothing undoes a transfer but another one."""

    field_order = ("reason", "slug", "keep_billing_email")

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept with the transfer for ever."),
    )
    keep_billing_email = forms.BooleanField(label=_("Keep the billing e-mail"), required=False)
    # Whom this page showed as the owner: if that is another by now, nothing is done.
    from_owner = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, organization=organization, **kwargs)
        self.fields["from_owner"].initial = organization.owner_id
        if not organization.billing_email:
            del self.fields["keep_billing_email"]

    def clean_from_owner(self) -> int:
        from_owner: int = self.cleaned_data["from_owner"]
        if from_owner != self.organization.owner_id:
            raise forms.ValidationError(str(services.OwnerChanged.message))
        return from_owner


class SoftDeleteForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept with the deletion."),
    )


class EraseForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept with the deletion until the data are erased."),
    )


class EndedRolesField(forms.ModelMultipleChoiceField[UserRoleAssignment]):
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, assignment: UserRoleAssignment) -> str:
        return assignment.role.label


class RestoreForm(forms.Form):
    """Which of the roles that a deletion ended shall come back. All, unless staff choose."""

    roles = EndedRolesField(
        UserRoleAssignment.objects.none(),
        label=_("Roles to bring back"),
        required=False,
        help_text=_("Those that are not ticked end for good."),
    )
    grants = forms.BooleanField(label=_("Direct grants"), required=False, initial=True)

    def __init__(self, *args: Any, deletion: SoftDeletion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = self.fields["roles"]
        assert isinstance(roles, forms.ModelMultipleChoiceField)
        ended = deletion.disabled_assignments.not_revoked().select_related("role")
        roles.queryset = ended
        roles.initial = list(ended.values_list("pk", flat=True))
        if not ended:
            del self.fields["roles"]
        if deletion.grants:
            names = ", ".join(each["permission"] for each in deletion.grants)
            self.fields["grants"].help_text = names
        else:
            del self.fields["grants"]


class TransferRequestForm(ChooseOwnerForm):
    """The owner's wish: whom, and why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
