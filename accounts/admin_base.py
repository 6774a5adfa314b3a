"""What the pages of the admin have in common."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User

Row = TypeVar("Row", bound=Model)

# The filter that an organization's page in the admin leads to.
ONE_ORGANIZATION = "organization__id__exact"
BY_PERSON_OR_ORGANIZATION = ("user__email__startswith", "organization__slug__startswith")
BY_PERSON_OR_ORGANIZATION_HELP = _(
    "The beginning of the person's e-mail address or of the organization's slug"
)
# So many rows of a kind are shown on the page of what they belong to, the newest first.
SHOWN = 10


class ReadOnlyAdminMixin:
    """Rows that are written elsewhere and only looked at in the admin."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LongListAdmin(admin.ModelAdmin[Row]):
    """A list that may have a million rows: what it shows and finds is read by an index.

    It is sorted in one way. What is looked for is the beginning, or the whole, of one of its
    `search_fields`, which are look-ups that an index serves.
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    # What no page shows, and what no address may ask the beginning of, letter by letter.
    secrets: ClassVar[frozenset[str]] = frozenset({"password", "secret"})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        is_secret = lookup.partition("__")[0] in self.secrets
        return not is_secret and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        each, *others = (
            self.model._default_manager.filter(**{field: wanted}).order_by().values("pk")
            for field in self.get_search_fields(request)
            for wanted in _forms_of(term, field)
        )
        # Each by its own index. An OR across tables would have the database read them whole.
        found = queryset.filter(pk__in=each.union(*others))
        # In an order that no index has, so that the few found are sorted. PostgreSQL would else
        # rather look for them among all rows, in order, and stop at a page: often at the end.
        return found.order_by(F("pk") * 0, *queryset.query.order_by), False


def _forms_of(term: str, field: str) -> set[str]:
    """Addresses, slugs and keys are stored in lower case; names of roles and Stripe's ids as they
    are; for the names of people and organizations, case is nothing to their index."""
    return {term} if field.endswith("__istartswith") else {term, term.lower()}


def seen(request: HttpRequest, model: type[Model]) -> QuerySet[Any]:
    """Return the rows that the admin's list of them shows to whoever asks, the newest first."""
    listed = admin.site.get_model_admin(model)
    rows: QuerySet[Any] = listed.get_queryset(request).order_by("-pk")
    return rows if listed.has_view_permission(request) else rows.none()


def actor_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
