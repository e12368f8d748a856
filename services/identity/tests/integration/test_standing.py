"""What the other services are told when a creator's shows may, or may no longer, be on sale."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests
from services.identity.tests.conftest import NOBODY, PEERS, PersonFactory, make_identity
from sqlalchemy import text

from devstack.health import READY, ask
from devstack.ports import free_ports
from devstack.testing import eventually
from identity_service.clients.standing import StandingClient
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import DecisionNotPossible
from identity_service.domain.people import OrganizerProfile
from identity_service.domain.sign_in import SignInPolicy
from identity_service.domain.standing import RECEIVERS, Standing
from identity_service.settings import Settings
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.recognise_person import recognise_person
from identity_service.usecases.send_standing import send_standing
from identity_service.usecases.send_standings_again import send_standings_again
from identity_service.wiring import Wiring
from service_kit.peers import Peer

APPROVED, REJECTED, REVOKED = (
    ApprovalStatus.APPROVED,
    ApprovalStatus.REJECTED,
    ApprovalStatus.REVOKED,
)

CreatorFactory = Callable[..., UUID]


@pytest.fixture
def creator(use: Wiring, person_with: PersonFactory) -> CreatorFactory:
    """Make an organizer about whom these decisions have been taken."""

    def make(*decisions: ApprovalStatus, **identity: str) -> UUID:
        user_id = person_with(**identity)
        profile = OrganizerProfile(id=uuid4(), name="Laughs")
        apply_as_creator(use.begin, user_id=user_id, profile=profile)
        decide(use, user_id, *decisions)
        return user_id

    return make


def decide(use: Wiring, user_id: UUID, *decisions: ApprovalStatus) -> None:
    for decision in decisions:
        decide_application(use.begin, user_id=user_id, decision=decision, admin_id=user_id)


def told(use: Wiring, user_id: UUID) -> Standing:
    with use.read() as tx:
        return tx.standings.of(user_id)


def work(use: Wiring, user_id: UUID) -> set[tuple[int, str]]:
    """Return which versions are, or were, to be sent to whom."""
    with use.engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT work.workflow_uuid, work.queue_name, standing.id"
                " FROM identity_workflows.workflow_status work JOIN identity.standing"
                " ON work.workflow_uuid LIKE 'standing:' || standing.id || ':%'"
                " WHERE standing.user_id = :user_id"
            ),
            {"user_id": user_id},
        ).all()
    sent = set()
    for work_id, queue, standing_id in found:
        kind, of, version, receiver = work_id.split(":")
        assert (kind, of, receiver) == ("standing", str(standing_id), queue)
        sent.add((int(version), receiver))
    return sent


def to_everybody(*versions: int) -> set[tuple[int, str]]:
    return {(version, receiver) for version in versions for receiver in RECEIVERS}


def test_a_revocation_is_told_to_booking_and_catalog(use: Wiring, creator: CreatorFactory) -> None:
    user_id = creator(APPROVED, REVOKED)

    assert told(use, user_id) == Standing(user_id, allowed=False, version=1)
    assert work(use, user_id) == to_everybody(1)


def test_enabling_a_creator_again_is_told_under_the_next_version(
    use: Wiring, creator: CreatorFactory
) -> None:
    user_id = creator(APPROVED, REVOKED, APPROVED)

    assert told(use, user_id) == Standing(user_id, allowed=True, version=2)
    assert work(use, user_id) == to_everybody(1, 2)


@pytest.mark.parametrize("decisions", [(), (APPROVED,), (REJECTED,), (REJECTED, APPROVED)])
def test_before_a_first_revocation_there_is_nothing_to_tell(
    use: Wiring, creator: CreatorFactory, decisions: tuple[ApprovalStatus, ...]
) -> None:
    user_id = creator(*decisions)

    assert told(use, user_id) == Standing(user_id, allowed=True, version=0)
    assert work(use, user_id) == set()


def test_a_refused_decision_tells_nobody_anything(use: Wiring, creator: CreatorFactory) -> None:
    user_id = creator(APPROVED, REVOKED)

    with pytest.raises(DecisionNotPossible):
        decide(use, user_id, REVOKED)

    assert work(use, user_id) == to_everybody(1)


def test_a_revoked_creator_who_becomes_an_admin_and_ceases_to_be_one_is_told_of_both_times(
    use: Wiring, creator: CreatorFactory
) -> None:
    email = f"{uuid4().hex}@example.org"
    user_id = creator(APPROVED, REVOKED, subject=email)
    listed = replace(use.policy, admin_emails=frozenset({email}))

    def sign_in_under(policy: SignInPolicy) -> None:
        recognise_person(use.begin, policy, identity=make_identity(subject=email))

    sign_in_under(listed)
    assert told(use, user_id) == Standing(user_id, allowed=True, version=2)
    sign_in_under(listed)
    assert told(use, user_id).version == 2
    sign_in_under(use.policy)
    assert told(use, user_id) == Standing(user_id, allowed=False, version=3)
    assert work(use, user_id) == to_everybody(1, 2, 3)


def test_versions_are_in_the_order_of_the_decisions_whoever_decides(
    use: Wiring, creator: CreatorFactory
) -> None:
    user_id = creator(APPROVED)

    def decide_somehow(number: int) -> int:
        try:
            decide(use, user_id, REVOKED if number % 2 else APPROVED)
        except DecisionNotPossible:
            return 0
        return 1

    with ThreadPoolExecutor(8) as admins:
        taken = sum(admins.map(decide_somehow, range(40)))

    with use.read() as tx:
        ruling = tx.standings.ruling(user_id)
    assert told(use, user_id) == Standing(user_id, allowed=ruling is APPROVED, version=taken)
    assert work(use, user_id) == to_everybody(*range(1, taken + 1))


def test_every_creators_standing_can_be_told_again(use: Wiring, creator: CreatorFactory) -> None:
    revoked, enabled = creator(APPROVED, REVOKED), creator(APPROVED, REVOKED, APPROVED)
    approved = creator(APPROVED)

    send_standings_again(use.begin)

    assert told(use, revoked) == Standing(revoked, allowed=False, version=2)
    assert told(use, enabled) == Standing(enabled, allowed=True, version=3)
    assert told(use, approved) == Standing(approved, allowed=True, version=1)
    assert work(use, approved) == to_everybody(1)


def test_nobody_is_told_about_a_person_who_is_gone(use: Wiring) -> None:
    receiver = StandingClient("booking", Peer("booking", NOBODY, None))

    send_standing(use.begin, receiver, standing_id=uuid4())  # which would have failed


def test_the_worker_keeps_trying_to_tell_both_while_nobody_is_there(
    use: Wiring, settings: Settings, creator: CreatorFactory, tmp_path: Path
) -> None:
    user_id = creator(APPROVED, REVOKED)
    port = free_ports(["WORKER_PORT"])["WORKER_PORT"]
    worker = subprocess.Popen(
        [sys.executable, "-m", "identity_service.worker"],
        env={
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "WORKER_PORT": port,
            "WORKER_ID": f"test-{uuid4()}",
            "ERASURE_JOURNAL": str(tmp_path),
            **PEERS,
        },
        stdout=subprocess.DEVNULL,
    )

    def states() -> set[str]:
        with use.engine.connect() as connection:
            found = connection.scalars(
                text(
                    "SELECT status FROM identity_workflows.workflow_status, identity.standing"
                    " WHERE workflow_uuid LIKE 'standing:' || standing.id || ':%'"
                    " AND user_id = :user_id"
                ),
                {"user_id": user_id},
            )
            return set(found)

    def failures() -> float:
        metrics = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        series = 'durable_step_failures_total{kind="unavailable",step="send_standing"}'
        found = [line for line in metrics.splitlines() if line.startswith(series)]
        return float(found[0].split()[-1]) if found else 0

    try:
        eventually(lambda: ask(f"http://127.0.0.1:{port}/readyz") == READY)
        eventually(lambda: failures() > 0)
        before = failures()
        eventually(lambda: failures() > before + 2 * len(RECEIVERS))
        assert states() <= {"ENQUEUED", "PENDING"}
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
