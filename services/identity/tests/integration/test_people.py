"""Who somebody is, and how people become creators and admins."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from services.identity.tests.conftest import PersonFactory, make_identity
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import (
    AlreadyApplied,
    DecisionNotPossible,
    EmailNotVerified,
    IdentityError,
    NothingToDecide,
    RoleConflict,
    UnknownPerson,
)
from identity_service.domain.people import (
    ComedianProfile,
    Onboarding,
    OrganizerProfile,
    Person,
    Role,
)
from identity_service.domain.sign_in import hashed
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.onboard import onboard
from identity_service.usecases.purge_expired import purge_expired
from identity_service.usecases.recognise_person import recognise_person
from identity_service.usecases.sign_in import sign_in
from identity_service.wiring import Wiring

PENDING, APPROVED, REJECTED, REVOKED = ApprovalStatus


def profile() -> OrganizerProfile:
    return OrganizerProfile(
        id=uuid4(),
        name="Laughs",
        contact="9000000000",
        venue="Banjara Hills",
        description="Since 2016",
        youtube_urls=("https://youtu.be/x",),
        instagram_urls=("https://instagram.com/p/x",),
        social_links={"instagram": "laughs"},
    )


def person(use: Wiring, user_id: UUID) -> Person:
    with use.read() as tx:
        found = tx.people.get(user_id)
    assert found is not None
    return found


def history(use: Wiring, user_id: UUID) -> list[tuple[int, str, UUID | None, str | None]]:
    with use.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT number, status::text, admin_id, reason FROM identity.approval "
                "WHERE user_id = :id ORDER BY number"
            ),
            {"id": user_id},
        )
        return [tuple(row) for row in rows]


def test_a_person_is_recognised_by_the_subject_whatever_the_email_is(use: Wiring) -> None:
    identity = make_identity()
    first = recognise_person(use.begin, use.policy, identity=identity)

    moved = replace(identity, email="moved@example.org")

    assert recognise_person(use.begin, use.policy, identity=moved) == first
    assert person(use, first).email == "moved@example.org"


def test_the_same_email_under_another_subject_is_another_person(use: Wiring) -> None:
    identity = make_identity()
    first = recognise_person(use.begin, use.policy, identity=identity)

    second = recognise_person(use.begin, use.policy, identity=replace(identity, subject="other"))

    assert second != first


def test_the_same_subject_at_another_provider_is_another_person(use: Wiring) -> None:
    identity = make_identity()
    elsewhere = replace(use.policy, provider="another")

    assert recognise_person(use.begin, use.policy, identity=identity) != recognise_person(
        use.begin, elsewhere, identity=identity
    )


def test_twenty_first_sign_ins_at_the_same_moment_make_one_person(use: Wiring) -> None:
    identity = make_identity()

    with ThreadPoolExecutor(max_workers=8) as browsers:
        recognised = list(
            browsers.map(
                lambda _: recognise_person(use.begin, use.policy, identity=identity), range(20)
            )
        )

    assert len(set(recognised)) == 1


@pytest.mark.parametrize("changes", [{"email_verified": False}, {"email": ""}])
def test_without_a_verified_email_nobody_is_recognised(
    use: Wiring, changes: dict[str, object]
) -> None:
    identity = make_identity(**changes)

    with pytest.raises(EmailNotVerified):
        recognise_person(use.begin, use.policy, identity=identity)

    with use.begin() as tx:
        assert tx.people.of_account(use.policy.provider, identity.subject) is None


def test_a_name_the_person_chose_stays_at_the_next_sign_in(
    use: Wiring,
) -> None:
    identity = make_identity(name="From the provider")
    user_id = recognise_person(use.begin, use.policy, identity=identity)
    with use.begin() as tx:
        tx.people.refresh(user_id, replace(identity, name="Later", image="https://x/y.png"))

    assert person(use, user_id).name == "From the provider"
    assert person(use, user_id).image == "https://x/y.png"


@pytest.mark.parametrize("email", ["boss@example.org", "Boss@Example.ORG"])
def test_a_listed_email_makes_an_admin_in_any_case(use: Wiring, email: str) -> None:
    policy = replace(use.policy, admin_emails=frozenset({"boss@example.org"}))

    user_id = recognise_person(use.begin, policy, identity=make_identity(email=email))

    assert person(use, user_id).role is Role.ADMIN


@pytest.mark.parametrize("role", [Role.AUDIENCE, Role.ORGANIZER, Role.COMEDIAN])
def test_who_is_no_longer_listed_is_again_what_the_profile_shows(use: Wiring, role: Role) -> None:
    identity = make_identity()
    user_id = recognise_person(use.begin, use.policy, identity=identity)
    if role is Role.ORGANIZER:
        apply_as_creator(use.begin, user_id=user_id, profile=profile())
    if role is Role.COMEDIAN:
        apply_as_creator(
            use.begin, user_id=user_id, profile=ComedianProfile(id=uuid4(), stage_name="F")
        )
    listed = replace(use.policy, admin_emails=frozenset({identity.email}))
    recognise_person(use.begin, listed, identity=identity)
    assert person(use, user_id).role is Role.ADMIN

    recognise_person(use.begin, use.policy, identity=identity)

    assert person(use, user_id).role is role


def test_an_application_makes_a_creator_whose_approval_is_pending(
    use: Wiring, person_with: PersonFactory
) -> None:
    user_id, told = person_with(), profile()

    apply_as_creator(use.begin, user_id=user_id, profile=told)

    applicant = person(use, user_id)
    assert (applicant.role, applicant.approval) == (Role.ORGANIZER, PENDING)
    assert applicant.organizer_profile == told
    assert history(use, user_id) == [(1, "PENDING", None, None)]


def test_nobody_is_two_kinds_of_creator(use: Wiring, person_with: PersonFactory) -> None:
    user_id = person_with()
    apply_as_creator(use.begin, user_id=user_id, profile=profile())

    with pytest.raises(AlreadyApplied):
        apply_as_creator(use.begin, user_id=user_id, profile=profile())
    with pytest.raises(RoleConflict):
        apply_as_creator(
            use.begin, user_id=user_id, profile=ComedianProfile(id=uuid4(), stage_name="F")
        )


def test_two_applications_at_the_same_moment_make_one_creator(
    use: Wiring, person_with: PersonFactory
) -> None:
    user_id = person_with()

    def apply(kind: str) -> str:
        try:
            if kind == "organizer":
                apply_as_creator(use.begin, user_id=user_id, profile=profile())
            else:
                comedian = ComedianProfile(id=uuid4(), stage_name="F")
                apply_as_creator(use.begin, user_id=user_id, profile=comedian)
        except IdentityError as refusal:
            return refusal.code
        return "applied"

    with ThreadPoolExecutor(max_workers=8) as browsers:
        outcomes = list(browsers.map(apply, ["organizer", "comedian"] * 4))

    assert outcomes.count("applied") == 1
    assert len(history(use, user_id)) == 1


def test_an_admin_does_not_become_a_creator(use: Wiring) -> None:
    policy = replace(use.policy, admin_emails=frozenset({"chief@example.org"}))
    admin = recognise_person(use.begin, policy, identity=make_identity(email="chief@example.org"))

    with pytest.raises(RoleConflict):
        apply_as_creator(use.begin, user_id=admin, profile=profile())


def test_every_decision_stays_in_the_history(use: Wiring, person_with: PersonFactory) -> None:
    user_id, admin_id = person_with(), person_with()
    apply_as_creator(use.begin, user_id=user_id, profile=profile())

    for decision, reason in ((APPROVED, None), (REVOKED, "No-shows"), (APPROVED, "Sorted out")):
        decide_application(
            use.begin, user_id=user_id, decision=decision, admin_id=admin_id, reason=reason
        )

    assert person(use, user_id).approval is APPROVED
    assert history(use, user_id) == [
        (1, "PENDING", None, None),
        (2, "APPROVED", admin_id, None),
        (3, "REVOKED", admin_id, "No-shows"),
        (4, "APPROVED", admin_id, "Sorted out"),
    ]


def test_a_decision_is_taken_once_by_eight_admins(use: Wiring, person_with: PersonFactory) -> None:
    user_id, admin_id = person_with(), person_with()
    apply_as_creator(use.begin, user_id=user_id, profile=profile())

    def approve(_: int) -> bool:
        try:
            decide_application(use.begin, user_id=user_id, decision=APPROVED, admin_id=admin_id)
        except DecisionNotPossible:
            return False
        return True

    with ThreadPoolExecutor(max_workers=8) as admins:
        assert list(admins.map(approve, range(8))).count(True) == 1


def test_what_was_not_applied_for_cannot_be_decided(
    use: Wiring, person_with: PersonFactory
) -> None:
    admin_id = person_with()

    with pytest.raises(NothingToDecide):
        decide_application(use.begin, user_id=person_with(), decision=APPROVED, admin_id=admin_id)
    with pytest.raises(UnknownPerson):
        decide_application(use.begin, user_id=uuid4(), decision=APPROVED, admin_id=admin_id)
    with pytest.raises(UnknownPerson):
        apply_as_creator(use.begin, user_id=uuid4(), profile=profile())
    with pytest.raises(UnknownPerson):
        apply_as_creator(
            use.begin, user_id=uuid4(), profile=ComedianProfile(id=uuid4(), stage_name="F")
        )


@pytest.mark.parametrize(
    "change", ["UPDATE identity.approval SET reason = ''", "DELETE FROM identity.approval"]
)
def test_the_service_itself_cannot_rewrite_the_history(use: Wiring, change: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), use.engine.begin() as c:
        c.exec_driver_sql(change)


def test_with_a_person_goes_everything_that_is_the_persons(
    use: Wiring, person_with: PersonFactory
) -> None:
    identity = make_identity()
    user_id, admin_id = (
        recognise_person(use.begin, use.policy, identity=identity),
        person_with(),
    )
    sign_in(use.begin, use.policy, identity=identity, replaced_token=None)
    apply_as_creator(use.begin, user_id=user_id, profile=profile())
    decide_application(use.begin, user_id=user_id, decision=REJECTED, admin_id=admin_id)

    with use.engine.begin() as connection:
        connection.exec_driver_sql('DELETE FROM identity."user" WHERE id = %s', (user_id,))

    with use.engine.connect() as connection:
        for table in ("account", "session", "organizer_profile", "approval"):
            left = connection.exec_driver_sql(
                f"SELECT count(*) FROM identity.{table} WHERE user_id = %s",  # noqa: S608
                (user_id,),
            )
            assert (table, left.scalar_one()) == (table, 0)


def test_onboarding_nobody_is_refused(use: Wiring) -> None:
    answers = Onboarding(name="A", age=30, city="Hyderabad", watched_comedy=False)

    with pytest.raises(UnknownPerson):
        onboard(use.begin, user_id=uuid4(), answers=answers)


def test_what_has_expired_is_removed_and_nothing_else(
    use: Wiring, person_with: PersonFactory
) -> None:
    kept = sign_in(use.begin, use.policy, identity=make_identity(), replaced_token=None)
    gone = sign_in(use.begin, use.policy, identity=make_identity(), replaced_token=None)
    with use.engine.begin() as connection:
        connection.execute(
            text('UPDATE identity."session" SET expires_at = now() WHERE token_hash = :hash'),
            {"hash": hashed(gone.token)},
        )
        connection.execute(
            text(
                "INSERT INTO identity.sign_in_attempt VALUES "
                "(:hash, '', '', '', '', now() - interval '1 second')"
            ),
            {"hash": hashed(gone.token)},
        )

    with use.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO identity.api_token "
                "(id, user_id, token_hash, name, created_at, expires_at) "
                "VALUES (:id, :user_id, 'x', 'x', now() - interval '1 day', now())"
            ),
            {"id": uuid4(), "user_id": person_with()},
        )
        connection.execute(
            text(
                "INSERT INTO identity.password_attempts VALUES ('x', 1, now() - interval '2 days')"
            )
        )

        connection.execute(
            text(
                "INSERT INTO identity.signing_key VALUES "
                "('x', '', '{}', now() - interval '2 days', now() - interval '1 day')"
            )
        )

    assert all(count >= 1 for count in purge_expired(use.begin).values())
    assert use.live_credentials.session(hashed(kept.token)) is not None
    assert not any(purge_expired(use.begin).values())
