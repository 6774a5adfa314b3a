"""A password is taken as it is typed, however long it is, and whatever it is made of."""

from __future__ import annotations

import pytest

from tests.cast import PASSWORD, Cast
from tests.choosing_passwords import FOR_BOB, WAYS, Way, whose

CHOSEN = {
    "with spaces around": "  a good password  ",
    "of 64 characters": "long" * 16,
    "of 300 characters": "longer" * 50,
    "of any script": "пароль 密码 🔑🔑🔑🔑",
    "of small letters": "onlysmallletters",
    "of marks": "<>&\"'%$`{{}}\\;--",
}


@pytest.mark.parametrize("choose", WAYS)
@pytest.mark.parametrize("password", CHOSEN.values(), ids=CHOSEN.keys())
def test_it_is_kept_as_it_was_typed(cast: Cast, choose: Way, password: str) -> None:
    choose(cast, password)
    person = whose(choose)
    assert person is not None
    assert person.check_password(password)
    assert not person.check_password(password.strip() + "x")
    assert password.strip() == password or not person.check_password(password.strip())


@pytest.mark.parametrize("choose", FOR_BOB)
@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password123",
        "1234567890123",
        "bob@example.com",
        "Bob Brown 2026",
        "My-HoldFast-2026",
    ],
)
def test_what_is_easily_guessed_is_refused(cast: Cast, choose: Way, password: str) -> None:
    choose(cast, password)
    person = whose(choose)
    assert person is not None
    assert not person.check_password(password)
    assert person.check_password(PASSWORD)
