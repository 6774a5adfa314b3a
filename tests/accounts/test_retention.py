"""Old lines go into a file, and only what a file holds leaves the database."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import retention
from accounts.events import Event
from accounts.models import LogExport, UserEventLog
from tests.cast import Cast

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 5, 1, 12, tzinfo=UTC)
YEAR_2021 = datetime(2021, 1, 1, tzinfo=UTC)


def add_lines(number: int, event: Event = Event.LOGIN, at: datetime = LONG_AGO) -> None:
    UserEventLog.objects.bulk_create(
        UserEventLog(event=event, data={"number": each}, created_at=at) for each in range(number)
    )


def export(path: Path, before: datetime = YEAR_2021) -> LogExport | None:
    return retention.export_lines(path=path, before=before, now=timezone.now())


def test_lines_go_into_a_file_and_then_out_of_the_database(tmp_path: Path) -> None:
    add_lines(2500)
    add_lines(2, at=timezone.now())
    made = export(tmp_path / "log.jsonl")
    assert made is not None
    written = (tmp_path / "log.jsonl").read_bytes()
    assert made.sha256 == hashlib.sha256(written).hexdigest()
    told = [json.loads(line) for line in written.splitlines()]
    assert [line["data"]["number"] for line in told] == list(range(2500))
    assert {line["event"] for line in told} == {"login"}
    assert (made.first_id, made.last_id, made.lines) == (told[0]["id"], told[-1]["id"], 2500)
    assert list(tmp_path.iterdir()) == [tmp_path / "log.jsonl"]

    assert retention.remove_exported_lines() == 2500
    assert UserEventLog.objects.count() == 2
    assert retention.remove_exported_lines() == 0


def test_where_ownership_and_billing_came_from_stays(cast: Cast, tmp_path: Path) -> None:
    add_lines(3)
    add_lines(1, Event.STANDING_CHANGED)
    founding = UserEventLog.objects.get(event=Event.ORGANIZATION_FOUNDED)
    export(tmp_path / "log.jsonl")
    retention.remove_exported_lines()
    assert UserEventLog.objects.filter(pk=founding.pk).exists()
    assert UserEventLog.objects.filter(event=Event.STANDING_CHANGED).exists()
    assert not UserEventLog.objects.filter(event=Event.LOGIN).exists()


def test_a_line_that_no_file_holds_stays(tmp_path: Path) -> None:
    add_lines(1)
    export(tmp_path / "first.jsonl")
    add_lines(1, Event.LOGOUT)
    for lines in (UserEventLog.objects.all(), UserEventLog.objects.filter(event=Event.LOGOUT)):
        with pytest.raises(IntegrityError), transaction.atomic():
            lines.delete()
    retention.remove_exported_lines()
    assert [line.event for line in UserEventLog.objects.all()] == [Event.LOGOUT]


def test_the_next_export_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    add_lines(2)
    first = export(tmp_path / "first.jsonl")
    assert export(tmp_path / "nothing.jsonl") is None
    add_lines(3)
    second = export(tmp_path / "second.jsonl")
    assert first is not None
    assert second is not None
    assert (first.lines, second.lines) == (2, 3)
    assert first.last_id < second.first_id
    assert not (tmp_path / "nothing.jsonl").exists()


def test_what_breaks_off_leaves_the_log_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the file is to be made sure of."""
    add_lines(2)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            export(tmp_path / "log.jsonl")
    assert not (tmp_path / "log.jsonl").exists()
    assert not LogExport.objects.exists()
    made = export(tmp_path / "log.jsonl")
    assert made is not None
    assert made.lines == 2


def test_the_commands_say_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_lines(2)
    file = tmp_path / "log.jsonl"
    call_command("export_log", str(file), "--before", "2021-01-01")
    assert f"2 lines ({LogExport.objects.get()}) are in {file}." in capsys.readouterr().out
    call_command("remove_exported_log_lines")
    assert capsys.readouterr().out == "2 lines removed.\n"
    call_command("export_log", str(tmp_path / "more.jsonl"), "--before", "2021-01-01")
    assert "No file was made." in capsys.readouterr().out


def test_the_command_refuses_what_cannot_be_done(tmp_path: Path) -> None:
    add_lines(1)
    tomorrow = str((timezone.now() + timedelta(days=1)).date())
    with pytest.raises(CommandError, match="Name an earlier day"):
        call_command("export_log", str(tmp_path / "log.jsonl"), "--before", tomorrow)
    (tmp_path / "there.jsonl").touch()
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_log", str(tmp_path / "there.jsonl"), "--before", "2021-01-01")
    with pytest.raises(CommandError, match="Nothing changed"):
        call_command("export_log", str(tmp_path / "no" / "log.jsonl"), "--before", "2021-01-01")
    assert not LogExport.objects.exists()
