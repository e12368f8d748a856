"""The steps of a deletion, on real Postgres: each may be repeated, one run decides."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from services.identity.tests.conftest import NOBODY, PersonFactory, make_identity
from sqlalchemy import text

from identity_service.app import create_app
from identity_service.clients.erasure_journal import ErasureJournal
from identity_service.clients.holders import HolderClient
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.deletions import PATIENCE, Deletion, DeletionState
from identity_service.domain.errors import (
    AccountClosed,
    AdminsStay,
    AnotherErasureKey,
    DeletionOver,
    SignedOut,
    UnknownDeletion,
    UnknownPerson,
)
from identity_service.domain.people import Onboarding, OrganizerProfile
from identity_service.domain.second_factor import attempt_keys
from identity_service.domain.sign_in import hashed
from identity_service.models import Base
from identity_service.repositories.work import deletion_work_id
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.collect_export import collect_export
from identity_service.usecases.create_api_token import create_api_token
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.delete_account import (
    OwnHolder,
    decide,
    end_refused,
    fence_holder,
    lift_fence_of_holder,
    purge_holder,
    write_down,
)
from identity_service.usecases.look_after_deletions import conclude_deletions, resume_deletions
from identity_service.usecases.onboard import onboard
from identity_service.usecases.recognise_person import recognise_person
from identity_service.usecases.replay_deletions import replay_deletions
from identity_service.usecases.request_deletion import request_deletion
from identity_service.usecases.retry_deletion import retry_deletion
from identity_service.usecases.sign_in import sign_in
from identity_service.usecases.update_profile import update_profile
from identity_service.wiring import Wiring, work_queue
from identity_service.workflows.version import VERSION
from service_kit.peers import Peer, PeerUnavailable
from service_kit.person_hashes import PersonHashes

STATES = DeletionState


def request(use: Wiring, user_id: UUID) -> UUID:
    return request_deletion(use.begin, use.person_hashes, use.deletion_links, user_id=user_id)


def found(use: Wiring, saga_id: UUID) -> Deletion:
    with use.read() as tx:
        deletion = tx.deletions.get(saga_id)
    assert deletion is not None
    return deletion


def own(use: Wiring) -> OwnHolder:
    return OwnHolder(use.begin)


def away(name: str) -> HolderClient:
    """A service that nobody reaches."""
    return HolderClient(name, Peer(name, NOBODY, None, timeout=0.5))


def fence_own(use: Wiring, saga_id: UUID) -> bool:
    return fence_holder(use.begin, "identity", own(use), saga_id=saga_id)


def withdraw(use: Wiring, saga_id: UUID) -> None:
    lift_fence_of_holder(use.begin, "identity", own(use), saga_id=saga_id)
    end_refused(use.begin, saga_id=saga_id)


def sql(use: Wiring, statement: str, **values: Any) -> list[Any]:
    with use.engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return list(result.all()) if result.returns_rows else []


def has_tried_for_two_minutes(use: Wiring, saga_id: UUID, step: str) -> None:
    sql(
        use,
        "UPDATE identity.account_deletion_step SET started_at = started_at - :patience"
        " WHERE saga_id = :saga_id AND name = :step",
        patience=PATIENCE,
        saga_id=saga_id,
        step=step,
    )


def without_deletions(use: Wiring) -> dict[str, list[str]]:
    """Return every row of every table but those of the deletions and of their audit."""
    kept = [
        table
        for table in Base.metadata.sorted_tables
        if table.name not in {"account_deletion", "account_deletion_step"}
        and not table.name.startswith("audit_")
    ]
    return {table.name: rows_of(use, table.name) for table in kept}


def rows_of(use: Wiring, table: str) -> list[str]:
    query = f'SELECT t::text FROM identity."{table}" t'  # noqa: S608 one of our own tables
    return sorted(row for (row,) in sql(use, query))


@pytest.fixture
def creator(use: Wiring) -> Callable[[], tuple[UUID, str]]:
    """Make an organizer with a session, an API token and a history; return also the subject."""

    def make() -> tuple[UUID, str]:
        identity = make_identity()
        sign_in(use.begin, use.policy, identity=identity, replaced_token=None)
        user_id = recognise_person(use.begin, use.policy, identity=identity)
        profile = OrganizerProfile(id=uuid4(), name="Laughs")
        apply_as_creator(use.begin, user_id=user_id, profile=profile)
        decide_application(
            use.begin, user_id=user_id, decision=ApprovalStatus.APPROVED, admin_id=user_id
        )
        create_api_token(use.begin, user_id=user_id, name="script", lifetime=use.policy.idle)
        return user_id, identity.subject

    return make


def test_two_requests_begin_one_deletion(use: Wiring, person_with: PersonFactory) -> None:
    user_id = person_with()

    with ThreadPoolExecutor(max_workers=8) as requests:
        begun = set(requests.map(lambda _n: request(use, user_id), range(8)))

    assert len(begun) == 1


def test_the_age_of_the_oldest_deletion_is_known(use: Wiring, person_with: PersonFactory) -> None:
    saga_id = request(use, person_with())
    sql(
        use,
        "UPDATE identity.account_deletion SET requested_at = now() - interval '1 day'"
        " WHERE saga_id = :saga_id",
        saga_id=saga_id,
    )

    with use.read() as tx:
        assert tx.deletions.age_of_oldest() >= timedelta(days=1)

    over = "UPDATE identity.account_deletion SET state = 'REFUSED', ended_at = now()"
    sql(use, f"{over} WHERE saga_id = :saga_id", saga_id=saga_id)
    with use.read() as tx:
        assert tx.deletions.age_of_oldest() < timedelta(days=1)


def test_an_administrators_account_is_not_deleted(use: Wiring) -> None:
    email = f"{uuid4().hex}@example.org"
    listed = replace(use.policy, admin_emails=frozenset({email}))
    admin_id = recognise_person(use.begin, listed, identity=make_identity(subject=email))

    with pytest.raises(AdminsStay):
        request(use, admin_id)


def test_who_becomes_an_administrator_meanwhile_stays(
    use: Wiring, person_with: PersonFactory
) -> None:
    email = f"{uuid4().hex}@example.org"
    user_id = person_with(subject=email)
    saga_id = request(use, user_id)
    listed = replace(use.policy, admin_emails=frozenset({email}))
    recognise_person(use.begin, listed, identity=make_identity(subject=email))

    assert fence_own(use, saga_id) is False

    assert decide(use.begin, saga_id=saga_id) is False
    assert [reason.code for reason in found(use, saga_id).reasons] == ["ADMIN"]


def test_nobody_signs_in_or_changes_anything_while_the_account_is_closed(
    use: Wiring, creator: Callable[[], tuple[UUID, str]]
) -> None:
    user_id, subject = creator()
    identity = make_identity(subject=subject)
    token = sign_in(use.begin, use.policy, identity=identity, replaced_token=None).token
    _, script = create_api_token(
        use.begin, user_id=user_id, name="another", lifetime=use.policy.idle
    )
    assert use.live_credentials.session(hashed(token))

    assert fence_own(use, request(use, user_id))

    assert use.live_credentials.session(hashed(token)) is None
    assert use.live_credentials.api_token(hashed(script)) is None
    with pytest.raises(AccountClosed):
        sign_in(use.begin, use.policy, identity=identity, replaced_token=None)
    with pytest.raises(SignedOut):
        update_profile(use.begin, user_id=user_id, own={"bio": "x"}, creator={}, handles={})
    with pytest.raises(SignedOut):
        create_api_token(use.begin, user_id=user_id, name="x", lifetime=use.policy.idle)
    with pytest.raises(UnknownPerson):
        onboard(use.begin, user_id=user_id, answers=Onboarding("A", 30, "X", watched_comedy=True))
    with pytest.raises(UnknownPerson):
        decide_application(
            use.begin, user_id=user_id, decision=ApprovalStatus.REVOKED, admin_id=uuid4()
        )


def test_after_a_refusal_everything_is_as_before(
    use: Wiring, creator: Callable[[], tuple[UUID, str]]
) -> None:
    user_id, _ = creator()
    before = without_deletions(use)
    saga_id = request(use, user_id)
    assert fence_own(use, saga_id)
    with pytest.raises(PeerUnavailable):
        fence_holder(use.begin, "booking", away("booking"), saga_id=saga_id)
    has_tried_for_two_minutes(use, saga_id, "fence_booking")

    assert fence_holder(use.begin, "booking", away("booking"), saga_id=saga_id) is False
    assert decide(use.begin, saga_id=saga_id) is False
    assert found(use, saga_id).state is STATES.WITHDRAWING
    withdraw(use, saga_id)

    refused = found(use, saga_id)
    assert refused.state is STATES.REFUSED
    assert [reason.code for reason in refused.reasons] == ["TRY_LATER"]
    assert [(step.name, step.failures) for step in refused.steps if step.done_at is None] == [
        ("fence_booking", 2)
    ]
    assert without_deletions(use) == before


def test_a_holder_that_was_never_asked_is_not_waited_for_to_give_back(
    use: Wiring, person_with: PersonFactory
) -> None:
    saga_id = request(use, person_with())
    fence_own(use, saga_id)

    lift_fence_of_holder(use.begin, "catalog", away("catalog"), saga_id=saga_id)

    assert [step.name for step in found(use, saga_id).steps] == ["fence_identity"]


def test_once_decided_there_is_no_way_back_and_once_refused_none_forward(
    use: Wiring, person_with: PersonFactory
) -> None:
    gone, kept = request(use, person_with()), request(use, person_with())
    fence_own(use, gone)
    fence_own(use, kept)
    with pytest.raises(PeerUnavailable):
        fence_holder(use.begin, "booking", away("booking"), saga_id=kept)
    has_tried_for_two_minutes(use, kept, "fence_booking")
    fence_holder(use.begin, "booking", away("booking"), saga_id=kept)

    assert decide(use.begin, saga_id=gone) is True
    assert decide(use.begin, saga_id=gone) is True
    assert fence_holder(use.begin, "booking", away("booking"), saga_id=gone) is False
    assert found(use, gone).state is STATES.PURGING
    assert decide(use.begin, saga_id=kept) is False
    assert found(use, kept).state is STATES.WITHDRAWING


def test_of_many_runs_one_decides(use: Wiring, person_with: PersonFactory) -> None:
    saga_id = request(use, person_with())
    fence_own(use, saga_id)
    with pytest.raises(PeerUnavailable):
        fence_holder(use.begin, "booking", away("booking"), saga_id=saga_id)
    has_tried_for_two_minutes(use, saga_id, "fence_booking")

    def run(number: int) -> bool:
        if number % 2:
            fence_holder(use.begin, "booking", away("booking"), saga_id=saga_id)
        return decide(use.begin, saga_id=saga_id)

    with ThreadPoolExecutor(max_workers=8) as runs:
        decisions = set(runs.map(run, range(8)))

    assert len(decisions) == 1
    assert found(use, saga_id).state in {STATES.PURGING, STATES.WITHDRAWING}


def test_a_purged_person_is_in_no_table_any_more(
    use: Wiring, creator: Callable[[], tuple[UUID, str]], tmp_path: Path
) -> None:
    user_id, subject = creator()
    with use.begin() as tx:
        tx.admin_passwords.count_attempt(attempt_keys(str(user_id), "10.9.8.7"))
    refused = request(use, user_id)
    fence_own(use, refused)
    with pytest.raises(PeerUnavailable):
        fence_holder(use.begin, "booking", away("booking"), saga_id=refused)
    has_tried_for_two_minutes(use, refused, "fence_booking")
    fence_holder(use.begin, "booking", away("booking"), saga_id=refused)
    withdraw(use, refused)
    saga_id = request(use, user_id)
    fence_own(use, saga_id)
    decide(use.begin, saga_id=saga_id)

    write_down(use.begin, ErasureJournal(tmp_path), saga_id=saga_id)
    purge_holder(use.begin, "identity", own(use), saga_id=saga_id)
    purge_holder(use.begin, "identity", own(use), saga_id=saga_id)

    everything = str([rows_of(use, table.name) for table in Base.metadata.sorted_tables])
    for trace in (str(user_id), user_id.hex, subject, subject.partition("@")[0]):
        assert trace not in everything
    deletion = found(use, saga_id)
    assert (deletion.state, deletion.person_id) == (STATES.PURGED, None)
    [purge] = [step for step in deletion.steps if step.name == "purge_identity"]
    assert purge.counts == {
        "accounts": 1,
        "sessions": 1,
        "apiTokens": 1,
        "profiles": 1,
        "approvals": 2,
    }
    assert ErasureJournal(tmp_path).hashes() == [use.person_hashes.of(user_id)]


def test_signing_in_again_makes_a_new_person(
    use: Wiring, creator: Callable[[], tuple[UUID, str]]
) -> None:
    user_id, subject = creator()
    saga_id = request(use, user_id)
    fence_own(use, saga_id)
    decide(use.begin, saga_id=saga_id)
    purge_holder(use.begin, "identity", own(use), saga_id=saga_id)

    new_id = recognise_person(use.begin, use.policy, identity=make_identity(subject=subject))

    assert new_id != user_id
    told = collect_export(use.read, {}, user_id=new_id)["identity"]
    assert told["organizer_profile"] is None
    assert told["approvals"] == []
    assert told["account_deletions"] == []


def test_a_deletion_is_completed_once_the_traces_of_its_work_are_gone(
    use: Wiring, person_with: PersonFactory
) -> None:
    saga_id = request(use, person_with())
    fence_own(use, saga_id)
    decide(use.begin, saga_id=saga_id)
    purge_holder(use.begin, "identity", own(use), saga_id=saga_id)
    queue = work_queue(use.engine)

    conclude_deletions(use.begin, queue, version=VERSION)
    assert found(use, saga_id).state is STATES.PURGED  # a worker has the work before it
    finish_work(use, saga_id)
    conclude_deletions(use.begin, queue, version=VERSION)

    deletion = found(use, saga_id)
    assert deletion.state is STATES.COMPLETED
    assert deletion.receipt is not None
    assert deletion.receipt["identity"]["accounts"] == 1
    assert work_of(use, saga_id) == []


def test_what_an_older_release_left_behind_is_taken_up_by_the_next(
    use: Wiring, person_with: PersonFactory
) -> None:
    saga_id = request(use, person_with())
    queue = work_queue(use.engine)
    sql(
        use,
        "UPDATE identity_workflows.workflow_status SET status = 'PENDING',"
        " application_version = 'older' WHERE workflow_uuid = :work",
        work=deletion_work_id(saga_id, 1),
    )

    resume_deletions(use.begin, queue, version=VERSION)
    assert found(use, saga_id).attempt == 1  # its worker may be alive
    stands_still(use, saga_id)
    resume_deletions(use.begin, queue, version=VERSION)
    stands_still(use, saga_id)
    resume_deletions(use.begin, queue, version=VERSION)

    assert found(use, saga_id).attempt == 2  # and that run is waited for
    assert work_of(use, saga_id) == [deletion_work_id(saga_id, n) for n in (1, 2)]


def test_a_deletion_that_is_over_is_not_tried_again(
    use: Wiring, person_with: PersonFactory
) -> None:
    saga_id = request(use, person_with())
    fence_own(use, saga_id)
    decide(use.begin, saga_id=saga_id)
    purge_holder(use.begin, "identity", own(use), saga_id=saga_id)

    with pytest.raises(DeletionOver):
        retry_deletion(use.begin, saga_id=saga_id)
    with pytest.raises(UnknownDeletion):
        retry_deletion(use.begin, saga_id=uuid4())


def test_whom_a_backup_brings_back_is_deleted_again(
    use: Wiring, person_with: PersonFactory, tmp_path: Path
) -> None:
    back, stays = person_with(), person_with()
    journal = ErasureJournal(tmp_path)
    for gone in (back, uuid4()):
        journal.add(use.person_hashes.of(gone))

    def replay() -> int:
        return replay_deletions(use.begin, journal, use.person_hashes, use.deletion_links, {})

    assert (replay(), replay()) == (1, 0)

    with use.read() as tx:
        saga_id = tx.deletions.under_way_of(back)
        assert tx.deletions.under_way_of(stays) is None
    assert saga_id is not None
    assert found(use, saga_id).state is STATES.PURGING
    assert fence_own(use, saga_id) is False  # there is nothing to ask any more
    assert decide(use.begin, saga_id=saga_id) is True
    purge_holder(use.begin, "identity", own(use), saga_id=saga_id)
    assert found(use, saga_id).state is STATES.PURGED
    with use.read() as tx:
        assert (tx.people.exists(back), tx.people.exists(stays)) == (False, True)


def test_deletions_are_remembered_under_one_key_for_ever(
    use: Wiring, client: FlaskClient, creator: Callable[[], tuple[UUID, str]]
) -> None:
    assert client.get("/readyz").status_code == 200
    another = replace(use, person_hashes=PersonHashes("another key"))
    user_id, _ = creator()

    assert create_app(another).test_client().get("/readyz").status_code == 503
    with pytest.raises(AnotherErasureKey):
        request(another, user_id)

    assert client.get("/readyz").status_code == 200
    assert request(use, user_id)


def test_what_an_admin_decides_who_is_gone_by_then_is_nobodys_decision(
    use: Wiring, creator: Callable[[], tuple[UUID, str]]
) -> None:
    user_id, _ = creator()
    nobody = uuid4()  # whose token is good for some seconds more

    decide_application(use.begin, user_id=user_id, decision=ApprovalStatus.REVOKED, admin_id=nobody)

    with use.read() as tx:
        newest = tx.personal_data.of(user_id)
    assert newest is not None
    assert newest["approvals"][-1] is not None
    assert {each["admin_id"] for each in newest["approvals"]} == {None, user_id}
    assert str(nobody) not in str(
        [rows_of(use, table.name) for table in Base.metadata.tables.values()]
    )


def stands_still(use: Wiring, saga_id: UUID) -> None:
    sql(
        use,
        "UPDATE identity.account_deletion SET moved_at = moved_at - interval '1 min'"
        " WHERE saga_id = :saga_id",
        saga_id=saga_id,
    )


def finish_work(use: Wiring, saga_id: UUID) -> None:
    sql(
        use,
        "UPDATE identity_workflows.workflow_status SET status = 'SUCCESS'"
        " WHERE workflow_uuid LIKE :work",
        work=f"deletion:{saga_id}:%",
    )


def work_of(use: Wiring, saga_id: UUID) -> list[str]:
    return [
        work
        for (work,) in sql(
            use,
            "SELECT workflow_uuid FROM identity_workflows.workflow_status"
            " WHERE workflow_uuid LIKE :work ORDER BY 1",
            work=f"deletion:{saga_id}:%",
        )
    ]
