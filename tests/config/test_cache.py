"""Redis as the cache, and what is left of it when Redis falls: a real one, stopped and started."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.cache import cache, caches
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import session_store
from accounts.models import User
from config import cache as failover
from config.processes import LOCALHOST, free_port
from tests.cast import PASSWORD, Cast, signed_in
from tests.redis_process import RedisProcess

DATABASE = {
    "BACKEND": "django.core.cache.backends.db.DatabaseCache",
    "LOCATION": "holdfast_cache",
}
WRONG = {"login": "bob@example.com", "password": "wrong"}


def use(settings: Settings, url: str) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "config.cache.FailoverCache",
            "LOCATION": url,
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        },
        "database": DATABASE,
    }
    settings.SESSION_ENGINE = "accounts.session_store"
    call_command("createcachetable", verbosity=0)


@pytest.fixture(autouse=True)
def _no_outage_is_remembered(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(failover._Outage, "until", 0.0)


@pytest.fixture
def no_redis(settings: Settings) -> None:
    """A product that was told of a Redis, where there is none."""
    use(settings, f"redis://{LOCALHOST}:{free_port()}/0")


@pytest.fixture
def redis_process(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisProcess]:
    # It is asked again at once, as it would be after that time.
    monkeypatch.setattr(failover, "SECONDS_LEFT_ALONE", 0)
    with RedisProcess() as process:
        use(settings, process.url)
        yield process


# --- Without Redis --------------------------------------------------------------------------------


def test_people_get_in_and_about(no_redis: None, cast: Cast) -> None:
    client = Client()
    form = {"login": cast.bob.email, "password": PASSWORD}
    assert client.post(reverse("account_login"), form, follow=True).status_code == 200
    assert "Acme" in client.get(reverse("home")).content.decode()
    client.post(reverse("account_logout"))
    assert client.get(reverse("orgs:team")).status_code == 302


def test_attempts_to_log_in_are_still_counted(no_redis: None, cast: Cast) -> None:
    answers = [Client().post(reverse("account_login"), WRONG) for _ in range(6)]
    assert "not correct" in answers[4].content.decode()
    assert "Too many failed" in answers[5].content.decode()


def test_it_is_asked_once_and_then_left_alone(
    no_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        cache.set(f"key-{number}", number)
    assert [cache.get(f"key-{number}") for number in range(20)] == list(range(20))
    assert [record.name for record in caplog.records] == ["config.cache"]
    assert "Redis does not answer (ConnectionError)" in caplog.text


def test_the_table_does_all_that_a_cache_does(no_redis: None) -> None:
    assert cache.add("a", 1) and not cache.add("a", 2)
    assert cache.incr("a") == 2 and cache.decr("a") == 1
    assert "a" in cache and cache.touch("a", 60)
    assert cache.get_or_set("b", 3) == 3
    assert cache.set_many({"c": 4, "d": 5}) == []
    assert cache.get_many(["a", "b", "c", "x"]) == {"a": 1, "b": 3, "c": 4}
    assert cache.delete("a") and cache.get("a", "gone") == "gone"
    cache.delete_many(["b", "c"])
    assert cache.get_many(["b", "c", "d"]) == {"d": 5}
    cache.clear()
    assert "d" not in cache


# --- With Redis, which comes and goes -------------------------------------------------------------


@pytest.mark.redis
def test_what_is_kept_stands_in_redis_beside_what_others_keep_there(
    redis_process: RedisProcess,
) -> None:
    redis_process.client.set("rq:queue", "others")
    cache.set("a", 1, 60)
    assert any(b"a" in key for key in redis_process.client.scan_iter())
    assert caches["database"].get("a") is None
    cache.clear()
    assert cache.get("a") is None
    assert redis_process.client.get("rq:queue") == b"others"


@pytest.mark.redis
def test_whoever_is_in_stays_in_when_redis_falls_and_when_it_is_back_empty(
    redis_process: RedisProcess, cast: Cast
) -> None:
    client = signed_in(cast.bob)
    seen = [client.get(reverse("home")).status_code]
    redis_process.stop()
    seen.append(client.get(reverse("home")).status_code)
    redis_process.start()
    seen.append(client.get(reverse("home")).status_code)
    assert seen == [200, 200, 200]


@pytest.mark.redis
def test_a_session_is_read_from_redis_and_not_from_the_database(
    redis_process: RedisProcess, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(cast.bob)
    client.get(reverse("home"))
    assert any(b"accounts.session." in key for key in redis_process.client.scan_iter())
    assert str(client.session.session_key) not in str(redis_process.client.keys())
    store = session_store.SessionStore(client.session.session_key)
    with django_assert_num_queries(0):
        assert store["_auth_user_id"] == str(cast.bob.pk)


@pytest.mark.redis
def test_a_copy_that_could_not_be_removed_counts_for_a_minute_at_most(
    redis_process: RedisProcess, cast: Cast
) -> None:
    signed_in(cast.bob).get(reverse("home"))
    copies = list(redis_process.client.scan_iter("*accounts.session.*"))
    assert copies
    assert all(0 < redis_process.client.ttl(key) <= 60 for key in copies)


# --- Sessions: a copy may be lost, and must not outlive its row -----------------------------------


@pytest.fixture
def copies(settings: Settings) -> None:
    settings.SESSION_ENGINE = "accounts.session_store"


def logged_in(person: User) -> session_store.SessionStore:
    store = session_store.SessionStore()
    store["who"] = person.pk
    store.create()
    return store


def again(store: session_store.SessionStore) -> session_store.SessionStore:
    """The same session, as another process meets it."""
    return session_store.SessionStore(store.session_key)


def test_a_session_that_was_ended_is_over_for_everybody(copies: None, cast: Cast) -> None:
    store = logged_in(cast.bob)
    key = str(store.session_key)
    assert again(store)["who"] == cast.bob.pk
    store.flush()
    ended = session_store.SessionStore(key)
    assert "who" not in ended
    assert ended.session_key is None


def test_a_request_that_read_it_before_it_was_ended_cannot_bring_it_back(
    copies: None, cast: Cast
) -> None:
    store = logged_in(cast.bob)
    reading, writing = again(store), again(store)
    cache.clear()
    data = DatabaseStore.load(reading)
    writing["more"] = 1
    session_store.SessionStore().delete(store.session_key)
    # As `load` goes on with what it read.
    copy = (time.time() + 60, data)
    cache.add(session_store._copy_of(str(store.session_key)), copy, 60)
    with pytest.raises(UpdateError):
        writing.save()
    assert "who" not in again(store)


def test_without_its_copy_a_session_is_read_from_its_row(copies: None, cast: Cast) -> None:
    store = logged_in(cast.bob)
    cache.clear()
    assert again(store)["who"] == cast.bob.pk


def test_whatever_a_cookie_holds_finds_no_session(copies: None, no_redis: None) -> None:
    for cookie in ("x", "x" * 5000, "é\x00 \n", "../../etc"):
        assert session_store.SessionStore(cookie).load() == {}
