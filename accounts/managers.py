from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import BaseUserManager
from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef

if TYPE_CHECKING:
    from accounts.models import ActiveWeek, User

# Recovery codes stand in for one of these, and are none themselves.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class UserQuerySet(models.QuerySet["User"]):
    def present(self) -> UserQuerySet:
        """People who can come in: active, and not soft-deleted."""
        return self.filter(is_active=True, deleted_at__isnull=True)

    def undeleted(self) -> UserQuerySet:
        """People who are on the team, and take a seat there: all but the soft-deleted."""
        return self.filter(deleted_at__isnull=True)

    def with_access(self) -> UserQuerySet:
        """Load what decides on a page, in the statement that loads the person: the organization
        with its tier, and whether they have a second factor."""
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
        people = self.select_related("organization__tier")
        # The attribute that User declares.
        return people.annotate(has_second_factor=Exists(factors))  # type: ignore[no-redef]

    def active_since(self, moment: datetime) -> UserQuerySet:
        """People who were active then or later."""
        return self.filter(last_active__gte=moment)


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address as it is stored: lower case throughout (I7)."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person; without a password they cannot log in by one."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create one of our own staff with every permission.

        Whoever may do so on the server vouches for the address: log-in asks for no code.
        """
        fields |= {"user_type": "developer", "is_staff": True, "is_superuser": True}
        with transaction.atomic(using=self._db):
            user = self.create_user(email, password, **fields)
            # By its name: allauth's models build upon ours.
            addresses: Any = user.emailaddress_set  # type: ignore[attr-defined]
            addresses.create(email=user.email, primary=True, verified=True)
        return user


class ActiveWeekQuerySet(models.QuerySet["ActiveWeek"]):
    def counted_by_week(self) -> models.QuerySet[ActiveWeek, tuple[date, int, int]]:
        """The Monday of each week, how many people were active, and of how many organizations.

        Whoever was active in two organizations in a week is one person.
        """
        by_week = (
            self.order_by("week")
            .values("week")
            .annotate(
                people=Count("person", distinct=True),
                organizations=Count("organization_id", distinct=True),
            )
        )
        return by_week.values_list("week", "people", "organizations")
