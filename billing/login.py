from __future__ import annotations

from allauth.account.stages import LoginStage
from django.http import HttpResponse

from accounts import services as accounts
from accounts.events import Event
from billing import refusals
from billing.access import decide
from billing.metrics import count_decision
from orgs import clock


class AccessStage(LoginStage):
    """The last step of log-in: refuse members of a lapsed organization, on the friendly screen.

    It stands after password and second factor, so that nobody without them learns of it.
    """

    key = "access"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        person = self.login.user
        access = decide(person, clock.now())
        count_decision("log_in", access)
        if access.allowed:
            return None, True
        accounts.record_event(
            Event.LOGIN_BLOCKED,
            user=person,
            organization_id=person.organization_id,
            data={"reason": access.reason},
        )
        return refusals.respond(self.request, person, access.reason), False
