"""Creators are told of decisions by mail, and everybody of the end of a deletion."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from services.identity.tests.conftest import PersonFactory, some_email
from sqlalchemy import text

from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import ComedianProfile, OrganizerProfile
from identity_service.usecases import tell_creator as telling
from identity_service.usecases import tell_deleted as telling_last
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.delete_account import OwnHolder, decide, fence_holder, purge_holder
from identity_service.usecases.replay_deletions import replay_deletions
from identity_service.usecases.request_deletion import request_deletion
from identity_service.usecases.tell_creator import tell_creator
from identity_service.usecases.tell_deleted import tell_deleted
from identity_service.wiring import Wiring
from mail_catcher import MailCatcher, mail_catcher
from service_kit.mail import MailSettings, Post
from service_kit.peers import PeerUnavailable

APPROVED, REJECTED, REVOKED = (
    ApprovalStatus.APPROVED,
    ApprovalStatus.REJECTED,
    ApprovalStatus.REVOKED,
)


@pytest.fixture(scope="module")
def mails() -> Iterator[MailCatcher]:
    with mail_catcher() as catcher:
        yield catcher


@pytest.fixture(scope="module")
def post(mails: MailCatcher) -> Post:
    settings = MailSettings(mails.url, "tickets@comedy.example", "", needs_tls=False)
    return Post("identity_service", settings)


@pytest.fixture(scope="module")
def nobody() -> Post:
    """A mail server that is not there."""
    settings = MailSettings("smtp://127.0.0.1:9", "tickets@comedy.example", "", needs_tls=False)
    return Post("identity_service", settings)


def creator(use: Wiring, person_with: PersonFactory, email: str, *, comedian: bool = False) -> UUID:
    user_id = person_with(email=email)
    profile = (
        ComedianProfile(id=uuid4(), stage_name="Asha")
        if comedian
        else OrganizerProfile(id=uuid4(), name="Laughs")
    )
    apply_as_creator(use.begin, user_id=user_id, profile=profile)
    return user_id


def decided(
    use: Wiring, user_id: UUID, decision: ApprovalStatus, *, reason: str | None = None
) -> UUID:
    """Take a decision; return the one that a worker is to tell of."""
    decide_application(
        use.begin, user_id=user_id, decision=decision, admin_id=uuid4(), reason=reason
    )
    (newest,) = queued(use)
    return newest


def queued(use: Wiring) -> list[UUID]:
    """Take what is to be told from the queue."""
    with use.engine.begin() as connection:
        found = connection.execute(
            text(
                "DELETE FROM identity_workflows.workflow_status WHERE queue_name = 'mail'"
                " RETURNING workflow_uuid"
            )
        )
        return [UUID(name.partition(":")[2]) for name in found.scalars()]


@pytest.fixture(autouse=True)
def _nothing_queued(use: Wiring) -> None:
    queued(use)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def deletion_of(use: Wiring, user_id: UUID) -> UUID:
    """Have a deletion decided, which all other services have carried out."""
    saga_id = request_deletion(use.begin, use.person_hashes, use.deletion_links, user_id=user_id)
    assert fence_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)
    assert decide(use.begin, saga_id=saga_id)
    return saga_id


def test_a_creator_is_told_of_every_decision(
    use: Wiring, post: Post, mails: MailCatcher, person_with: PersonFactory
) -> None:
    email = some_email()
    user_id = creator(use, person_with, email)
    reason = "Fake <b>links</b>\r\nBcc: all@example.org"
    for decision in (REJECTED, APPROVED, REVOKED, APPROVED):
        approval_id = decided(
            use, user_id, decision, reason=reason if decision is REJECTED else None
        )
        tell_creator(use.begin, post, approval_id=approval_id)

    told = mails.to(email)
    assert [mail["Subject"] for mail in told] == [
        "Your application as an organizer was not accepted",
        "You are approved as an organizer",
        "Your approval as an organizer was withdrawn",
        "You are approved as an organizer",
    ]
    assert len({mail["Message-ID"] for mail in told}) == 4
    assert "The reason: Fake <b>links</b> Bcc: all@example.org" in text_of(told[0])
    assert "Fake &lt;b&gt;links&lt;/b&gt;" in html_of(told[0])
    assert "reason" not in text_of(told[1]) + html_of(told[1])


def test_a_comedian_is_told_as_a_comedian(
    use: Wiring, post: Post, mails: MailCatcher, person_with: PersonFactory
) -> None:
    email = some_email()
    user_id = creator(use, person_with, email, comedian=True)

    tell_creator(use.begin, post, approval_id=decided(use, user_id, APPROVED))

    assert mails.to(email)[0]["Subject"] == "You are approved as a comedian"


def test_a_decision_is_told_when_the_mail_server_is_back_as_the_same_mail(
    use: Wiring, post: Post, nobody: Post, mails: MailCatcher, person_with: PersonFactory
) -> None:
    email = some_email()
    approval_id = decided(use, creator(use, person_with, email), APPROVED)
    with pytest.raises(PeerUnavailable):
        tell_creator(use.begin, nobody, approval_id=approval_id)

    for _ in range(2):  # as after a kill in between
        tell_creator(use.begin, post, approval_id=approval_id)

    ids = [mail["Message-ID"] for mail in mails.to(email)]
    assert ids == [f"<{approval_id}@comedy.example>"] * 2


def test_an_address_that_takes_no_mail_is_given_up_sooner_or_later(
    use: Wiring,
    post: Post,
    mails: MailCatcher,
    person_with: PersonFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusing, deferring = some_email(), some_email()
    mails.answers |= {refusing: "550 no such user", deferring: "451 later"}
    refused, deferred = (
        decided(use, creator(use, person_with, each), APPROVED) for each in (refusing, deferring)
    )

    tell_creator(use.begin, post, approval_id=refused)
    with pytest.raises(PeerUnavailable):
        tell_creator(use.begin, post, approval_id=deferred)
    monkeypatch.setattr(telling, "PATIENCE", timedelta())
    tell_creator(use.begin, post, approval_id=deferred)

    assert mails.to(refusing) == mails.to(deferring) == []


def test_who_is_deleted_is_told_of_no_decision_any_more(
    use: Wiring, post: Post, mails: MailCatcher, person_with: PersonFactory
) -> None:
    email = some_email()
    user_id = creator(use, person_with, email)
    approval_id = decided(use, user_id, APPROVED)
    saga_id = deletion_of(use, user_id)

    tell_creator(use.begin, post, approval_id=approval_id)
    purge_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)
    tell_creator(use.begin, post, approval_id=approval_id)

    assert mails.to(email) == []


def test_what_is_to_be_told_names_nobody(use: Wiring, person_with: PersonFactory) -> None:
    email = some_email()
    user_id = creator(use, person_with, email)
    decide_application(use.begin, user_id=user_id, decision=APPROVED, admin_id=uuid4())

    with use.engine.connect() as connection:
        stored = connection.execute(
            text(
                "SELECT s::text, coalesce(i.inputs, s.inputs)"
                " FROM identity_workflows.workflow_status AS s"
                " LEFT JOIN identity_workflows.workflow_input AS i USING (workflow_uuid)"
                " WHERE queue_name = 'mail'"
            )
        ).all()
    ((row, packed),) = stored
    work = row + base64.b64decode(packed).decode(errors="replace")
    assert email not in work
    assert str(user_id) not in work


def test_the_last_mail_tells_that_the_account_is_deleted(
    use: Wiring, post: Post, mails: MailCatcher, person_with: PersonFactory
) -> None:
    email = some_email()
    saga_id = deletion_of(use, person_with(email=email))

    tell_deleted(use.begin, post, saga_id=saga_id)
    purge_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)
    tell_deleted(use.begin, post, saga_id=saga_id)

    (mail,) = mails.to(email)
    assert mail["Subject"] == "Your account is deleted"
    assert mail["Message-ID"] == f"<{saga_id}@comedy.example>"


def test_a_deletion_does_not_wait_for_a_mail_that_cannot_be_sent(
    use: Wiring,
    post: Post,
    nobody: Post,
    mails: MailCatcher,
    person_with: PersonFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_last, "PAUSE_SECONDS", 0)
    refusing = some_email()
    mails.answers[refusing] = "550 no such user"
    for email, way in ((refusing, post), (some_email(), nobody)):
        saga_id = deletion_of(use, person_with(email=email))
        tell_deleted(use.begin, way, saga_id=saga_id)
        purge_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)
        with use.read() as tx:
            assert tx.deletions.person_of(saga_id)[0] is None


def test_who_comes_back_with_a_backup_is_not_told_again(
    use: Wiring, post: Post, mails: MailCatcher, person_with: PersonFactory, tmp_path: Path
) -> None:
    email = some_email()
    user_id = person_with(email=email)

    journal = ErasureJournal(tmp_path)
    journal.add(use.person_hashes.of(user_id))
    replay_deletions(use.begin, journal, use.person_hashes, use.deletion_links, {})
    with use.read() as tx:
        saga_id = tx.deletions.under_way_of(user_id)
    assert saga_id is not None

    tell_deleted(use.begin, post, saga_id=saga_id)

    assert mails.to(email) == []
    purge_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)
