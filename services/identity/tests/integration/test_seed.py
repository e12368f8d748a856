"""The people and services that a new system starts with."""

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import Person, Role
from identity_service.domain.service_clients import GRANTS
from identity_service.domain.sign_in import hashed
from identity_service.seed import PEOPLE, seed_clients, seed_people
from identity_service.usecases.decide_application import decide_application
from identity_service.wiring import Wiring
from service_kit.seeding import seed_id


def person(use: Wiring, email: str) -> Person:
    with use.begin() as tx:
        user_id = tx.people.of_account(use.policy.provider, email)
        assert user_id is not None
        found = tx.people.get(user_id)
    assert found is not None
    return found


def test_people_of_every_role_can_be_signed_in_as(use: Wiring) -> None:
    seed_people(use.begin, use.policy)

    standings = {
        email: (person(use, email).role, person(use, email).approval)
        for email in (f"{seeded.mailbox}@comedy.example" for seeded in PEOPLE[:8])
    }
    assert standings == {
        "admin@comedy.example": (Role.ADMIN, None),
        "audience@comedy.example": (Role.AUDIENCE, None),
        "organizer@comedy.example": (Role.ORGANIZER, ApprovalStatus.APPROVED),
        "hitec@comedy.example": (Role.ORGANIZER, ApprovalStatus.APPROVED),
        "newcomer@comedy.example": (Role.ORGANIZER, ApprovalStatus.PENDING),
        "comedian@comedy.example": (Role.COMEDIAN, ApprovalStatus.APPROVED),
        "vikram@comedy.example": (Role.COMEDIAN, ApprovalStatus.APPROVED),
        "zoya@comedy.example": (Role.COMEDIAN, ApprovalStatus.APPROVED),
    }
    assert all(person(use, seeded.email).onboarding_completed for seeded in PEOPLE)
    organizer = "organizer@comedy.example"
    assert person(use, organizer).id == seed_id(f"user:{organizer}")


def test_seeding_again_leaves_what_has_changed_since(use: Wiring) -> None:
    seed_people(use.begin, use.policy)
    hitec, admin = (person(use, f"{name}@comedy.example").id for name in ("hitec", "admin"))
    decide_application(use.begin, user_id=hitec, decision=ApprovalStatus.REVOKED, admin_id=admin)

    seed_people(use.begin, use.policy)

    assert person(use, "hitec@comedy.example").approval is ApprovalStatus.REVOKED
    decide_application(use.begin, user_id=hitec, decision=ApprovalStatus.APPROVED, admin_id=admin)


def test_every_service_becomes_a_client_with_its_own_grants(
    use: Wiring,
) -> None:
    seed_clients(use.begin, {name: f"secret of {name}" for name in GRANTS})

    with use.read() as tx:
        clients = {name: tx.service_clients.get(name) for name in GRANTS}
    for name, client in clients.items():
        assert client is not None
        assert client.grants == GRANTS[name]
        assert client.knows(hashed(f"secret of {name}"))
        assert not client.knows(hashed(f"secret of another {name}"))
