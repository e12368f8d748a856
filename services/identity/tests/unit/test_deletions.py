"""Deletions of accounts: links nobody guesses, a journal nobody loses, receipts without names."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.domain.deletion_links import DeletionLinks
from identity_service.domain.deletions import (
    DECIDED,
    FENCING,
    GONE,
    OPEN,
    PURGING,
    Deletion,
    DeletionState,
    DeletionStep,
    Reason,
    read_reasons,
    stored_reasons,
)
from identity_service.settings import HOLDERS

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SAGA = UUID("5f0c8a52-9c61-4f6d-8a42-0c7d3a1b2c3d")


def deletion(state: DeletionState, *steps: DeletionStep) -> Deletion:
    return Deletion(SAGA, None, state, (), 1, NOW, NOW, NOW, NOW, steps)


def test_a_repeated_request_gets_the_same_link() -> None:
    assert DeletionLinks("key").token(SAGA) == DeletionLinks("key").token(SAGA)


def test_nobody_guesses_a_link_who_knows_only_the_deletion() -> None:
    links = DeletionLinks("key")

    assert len(links.token(SAGA)) == 43  # 256 bits
    assert links.token(SAGA) != DeletionLinks("another").token(SAGA)
    assert links.token(SAGA) != links.token(uuid4())
    assert links.token(SAGA).encode() not in links.hash_of(SAGA)


def test_the_journal_remembers_everybody_once(tmp_path: Path) -> None:
    journal = ErasureJournal(tmp_path / "journal")
    journal.add(b"\x01" * 32)
    journal.add(b"\x02" * 32)
    journal.add(b"\x01" * 32)
    (tmp_path / "journal" / "README").write_text("not an entry")

    assert journal.hashes() == [b"\x01" * 32, b"\x02" * 32]


def test_an_entry_of_the_journal_says_when_and_nothing_else(tmp_path: Path) -> None:
    journal = ErasureJournal(tmp_path)
    journal.add(b"\xab" * 32)
    first = (tmp_path / ("ab" * 32)).read_text()
    journal.add(b"\xab" * 32)

    assert datetime.fromisoformat(first.strip()).tzinfo is not None
    assert (tmp_path / ("ab" * 32)).read_text() == first


def test_a_journal_that_was_never_written_to_is_empty(tmp_path: Path) -> None:
    assert ErasureJournal(tmp_path / "none").hashes() == []


def test_reasons_are_read_as_they_were_kept() -> None:
    reasons = (
        Reason("SHOWS_WITH_TICKETS", "You have a show.", ({"id": "1", "title": "Open Mic"},)),
        Reason("TRY_LATER", "Later."),
    )

    assert read_reasons(stored_reasons(reasons)) == reasons


def test_only_a_completed_deletion_has_a_receipt() -> None:
    purged = DeletionStep("purge_booking", NOW, NOW, 0, None, {"bookingsAnonymised": 2})
    fenced = DeletionStep("fence_booking", NOW, NOW, 0, None, None)

    assert deletion(DeletionState.PURGING, fenced, purged).receipt is None
    assert deletion(DeletionState.COMPLETED, fenced, purged).receipt == {
        "booking": {"bookingsAnonymised": 2}
    }


def test_every_holder_of_personal_data_is_purged_and_this_service_last() -> None:
    assert set(PURGING) == {*HOLDERS, "identity"}
    assert PURGING[-1] == "identity"
    assert set(FENCING) <= set(PURGING)


def test_a_deletion_is_open_or_over() -> None:
    assert set(DeletionState) - OPEN == {DeletionState.REFUSED, DeletionState.COMPLETED}
    assert DECIDED - {DeletionState.REFUSED} == GONE
