"""What a person gets who asks for everything that is stored about her."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from services.identity.tests.conftest import Browser, PersonFactory, make_identity, some_email
from sqlalchemy import text

from identity_service.api.export import IdentityExportSchema
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import SignedOut
from identity_service.domain.people import Onboarding, OrganizerProfile, Role
from identity_service.domain.second_factor import attempt_keys
from identity_service.models import Base, UserRow
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.collect_export import collect_export
from identity_service.usecases.create_api_token import create_api_token
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.onboard import onboard
from identity_service.usecases.recognise_person import recognise_person
from identity_service.usecases.set_admin_password import set_admin_password
from identity_service.usecases.set_platform_fee import set_platform_fee
from identity_service.usecases.sign_in import sign_in
from identity_service.wiring import Wiring

SECTIONS = {
    "user": "account",
    "account": "provider_accounts",
    "session": "sessions",
    "api_token": "api_tokens",
    "organizer_profile": "organizer_profile",
    "comedian_profile": "comedian_profile",
    "approval": "approvals",
    "standing": "standing",
    "admin_password": "admin_password",
}
WITHHELD = {
    "token_hash",  # of a secret
    "password_hash",  # of a secret
    "user_id",  # is the account's
    "admin_id",  # somebody else
    "closed_by",  # whoever exports is not being deleted
    "reference",  # what the audit log calls the person, which it is told by instead
}


def own_part(use: Wiring, user_id: UUID) -> dict[str, Any]:
    found = collect_export(use.read, {}, user_id=user_id)
    shown = IdentityExportSchema().dump(found["identity"])
    assert isinstance(shown, dict)
    return shown


def has_user(table: str) -> bool:
    columns = Base.metadata.tables[f"identity.{table}"].columns
    targets = {key.column for column in columns for key in column.foreign_keys}
    return table == "user" or UserRow.__table__.columns.id in targets


def test_everything_that_a_person_has_here_is_exported(
    use: Wiring, person_with: PersonFactory
) -> None:
    identity, admin_id = make_identity(), person_with()
    sign_in(use.begin, use.policy, identity=identity, replaced_token=None)
    user_id = recognise_person(use.begin, use.policy, identity=identity)
    answers = Onboarding("Asha Rao", 31, "Hyderabad", watched_comedy=True, phone="9000000000")
    onboard(use.begin, user_id=user_id, answers=answers)
    _, secret = create_api_token(
        use.begin, user_id=user_id, name="box office", lifetime=use.policy.idle
    )
    profile = OrganizerProfile(id=uuid4(), name="Laughs", social_links={"instagram": "laughs"})
    apply_as_creator(use.begin, user_id=user_id, profile=profile)
    for decision in (ApprovalStatus.APPROVED, ApprovalStatus.REVOKED):
        decide_application(
            use.begin, user_id=user_id, decision=decision, admin_id=admin_id, reason="No-shows"
        )
    set_platform_fee(
        use.begin, user_id=user_id, role=Role.ORGANIZER, basis_points=750, admin_id=admin_id
    )

    told = own_part(use, user_id)

    assert told["account"]["email"] == identity.email
    assert told["account"]["watchedComedy"] is True
    assert told["providerAccounts"][0]["subject"] == identity.subject
    assert len(told["sessions"]) == 1
    assert [token["name"] for token in told["apiTokens"]] == ["box office"]
    assert told["organizerProfile"]["socialLinks"] == {"instagram": "laughs"}
    assert told["organizerProfile"]["customPlatformFee"] == 7.5
    assert told["comedianProfile"] is None
    assert [(each["status"], each["reason"]) for each in told["approvals"]] == [
        ("PENDING", None),
        ("APPROVED", "No-shows"),
        ("REVOKED", "No-shows"),
    ]
    assert (told["standing"]["allowed"], told["standing"]["version"]) == (False, 1)
    fee, revoked, approved = told["auditEntries"]
    assert (fee["byYou"], fee["aboutYou"]) == (False, True)
    assert fee["after"] == {"platformFeeBasisPoints": 750}
    assert [entry["after"]["standing"] for entry in (approved, revoked)] == ["APPROVED", "REVOKED"]
    assert secret not in str(told)
    assert str(admin_id) not in str(told)


def test_an_admin_is_told_what_she_did_but_not_what_became_of_others(
    use: Wiring, person_with: PersonFactory
) -> None:
    email = some_email()
    listed = replace(use.policy, admin_emails=frozenset({email}))
    identity = make_identity(subject=email)
    admin_id = recognise_person(use.begin, listed, identity=identity)
    sign_in(use.begin, listed, identity=identity, replaced_token=None)
    with use.begin() as tx:
        [session] = tx.sessions.of(admin_id)
        tx.admin_passwords.count_attempt(attempt_keys(str(admin_id), f"10.0.0.{uuid4()}"))
    set_admin_password(
        use.begin,
        user_id=admin_id,
        session_id=session.id,
        address="10.1.2.3",
        password="seven silly llamas",
        current_password=None,
    )
    creator = person_with(name="Somebody Else")
    apply_as_creator(
        use.begin, user_id=creator, profile=OrganizerProfile(id=uuid4(), name="Laughs")
    )
    decide_application(
        use.begin, user_id=creator, decision=ApprovalStatus.REJECTED, admin_id=admin_id
    )

    told = own_part(use, admin_id)

    decided, password_set, gained = told["auditEntries"]
    assert (decided["action"], decided["byYou"], decided["aboutYou"]) == (
        "CREATOR_DECIDED",
        True,
        False,
    )
    assert (decided["before"], decided["after"]) == (None, None)
    assert str(creator) not in str(told)
    assert (password_set["byYou"], gained["byYou"]) == (True, False)
    assert told["adminPassword"].keys() == {"createdAt", "updatedAt"}
    assert told["passwordAttempts"]["failures"] == 1


def test_every_column_about_a_person_is_exported_or_withheld_for_a_reason() -> None:
    shown = {name: field.schema for name, field in schemas_of(IdentityExportSchema()).items()}
    for table in Base.metadata.sorted_tables:
        if not has_user(table.name) or table.name == "audit_person":
            continue
        columns = {column.key for column in table.columns} - WITHHELD
        assert columns == shown[SECTIONS[table.name]].fields.keys(), table.name


def schemas_of(schema: Any) -> dict[str, Any]:
    return {name: getattr(field, "inner", field) for name, field in schema.fields.items()}


def test_with_a_service_away_there_is_no_half_of_an_export(browser: Browser) -> None:
    browser.sign_in(some_email())

    answer = browser.client.get("/api/v1/profile/export", headers=browser.bearer())

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json is not None
    assert "Please try again" in answer.json["error"]


def test_somebody_who_is_gone_gets_no_export(use: Wiring, person_with: PersonFactory) -> None:
    user_id = person_with()
    with use.engine.begin() as connection:
        connection.execute(text('DELETE FROM identity."user" WHERE id = :id'), {"id": user_id})

    with pytest.raises(SignedOut):
        collect_export(use.read, use.holders, user_id=user_id)
