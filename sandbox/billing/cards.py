"""Stripe's published test cards: what each does when it is saved and when it is charged. Pure."""

from dataclasses import dataclass
from enum import Enum


class Behaviour(Enum):
    SUCCEEDS = "succeeds"
    FAILS_LATER = "attaches, then is declined"
    LACKS_FUNDS = "is declined: insufficient funds"
    CONFIRMS_ONCE = "asks for confirmation (3-D Secure) once"
    CONFIRMS_ALWAYS = "asks for confirmation (3-D Secure) every time"


@dataclass(frozen=True)
class Card:
    number: str
    behaviour: Behaviour
    tokens: tuple[str, ...]

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        return " ".join(self.number[start : start + 4] for start in range(0, 16, 4))


CARDS = (
    Card("4242424242424242", Behaviour.SUCCEEDS, ("pm_card_visa",)),
    Card("4000000000000341", Behaviour.FAILS_LATER, ("pm_card_chargeCustomerFail",)),
    Card(
        "4000000000009995",
        Behaviour.LACKS_FUNDS,
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedInsufficientFunds"),
    ),
    Card("4000002500003155", Behaviour.CONFIRMS_ONCE, ("pm_card_authenticationRequiredOnSetup",)),
    Card("4000002760003184", Behaviour.CONFIRMS_ALWAYS, ("pm_card_authenticationRequired",)),
)


class InvalidNumber(Exception):
    """The number is none of the test cards."""


@dataclass(frozen=True)
class Refusal:
    """Why a bank says no, in Stripe's codes."""

    message: str
    code: str
    decline_code: str | None


GENERIC = Refusal("Your card was declined.", "card_declined", "generic_decline")
FUNDS = Refusal("Your card has insufficient funds.", "card_declined", "insufficient_funds")
CONFIRMATION = Refusal(
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
    "authentication_required",
)


def by_number(number: str) -> Card:
    """Find a test card by its number, or raise InvalidNumber."""
    digits = number.replace(" ", "").replace("-", "")
    for card in CARDS:
        if card.number == digits:
            return card
    raise InvalidNumber(number)


def by_token(token: str) -> Card | None:
    return next((card for card in CARDS if token in card.tokens), None)


def refusal_to_save(card: Card) -> Refusal | None:
    """Say why a card cannot be saved for later, if it cannot."""
    return FUNDS if card.behaviour is Behaviour.LACKS_FUNDS else None


def refusal_to_pay(card: Card) -> Refusal | None:
    """Say why a charge is refused, whoever confirms it."""
    if card.behaviour is Behaviour.FAILS_LATER:
        return GENERIC
    return FUNDS if card.behaviour is Behaviour.LACKS_FUNDS else None


def needs_confirmation(card: Card, *, is_set_up: bool) -> bool:
    """Say whether a charge waits for its owner.

    `is_set_up`: the owner confirmed this card when it was saved.
    """
    if card.behaviour is Behaviour.CONFIRMS_ALWAYS:
        return True
    return card.behaviour is Behaviour.CONFIRMS_ONCE and not is_set_up
