"""What people learn about themselves, and other services about people."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from services.identity.tests.conftest import PUBLIC_URL, Browser, PersonFactory, some_email

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import ComedianProfile, OrganizerProfile, Role
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.set_platform_fee import set_platform_fee
from identity_service.wiring import Wiring
from service_kit.tokens import SERVICE_TYPE

SOMEBODY = "0199c0de-0000-7000-8000-000000000001"
ANSWERS = {"name": "Asha Rao", "age": 31, "city": "Hyderabad", "watchedComedy": "yes"}


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    browser.sign_in(some_email())
    return browser


@pytest.fixture
def bearer(signed_in: Browser) -> dict[str, str]:
    """The header with which the gateway passes requests of the person on."""
    return {"Authorization": signed_in.exchange().headers["Authorization"]}


def ask_for(client: FlaskClient, use: Wiring, ids: str, *, what: str = "people") -> Any:
    return client.get(f"/internal/{what}?ids={ids}", headers=as_service(use))


def as_service(use: Wiring) -> dict[str, str]:
    claims = {
        "iss": PUBLIC_URL,
        "aud": "identity",
        "sub": "catalog",
        "scope": "identity:people:read identity:creators:read identity:contacts:read"
        " identity:figures:read",
        "iat": 0,
        "exp": 4_000_000_000,
    }
    return {"Authorization": f"Bearer {use.keyring.sign(SERVICE_TYPE, claims)}"}


def test_a_person_sees_everything_about_herself(signed_in: Browser, bearer: dict[str, str]) -> None:
    me = signed_in.get("/api/auth/me", headers=bearer).json

    assert me == signed_in.session()["user"]
    assert me is not None
    assert me.keys() == {
        *("id", "email", "name", "image", "role", "onboardingCompleted", "phone", "age", "city"),
        *("bio", "language", "interests", "heardAboutUs", "createdAt"),
        *("comedianProfile", "organizerProfile"),
    }
    assert me["interests"] == []
    assert (me["comedianProfile"], me["organizerProfile"]) == (None, None)


def test_a_token_of_somebody_who_is_gone_means_signed_out(
    client: FlaskClient, use: Wiring, bearer: dict[str, str], signed_in: Browser
) -> None:
    user_id = signed_in.session()["user"]["id"]
    with use.engine.begin() as connection:
        connection.exec_driver_sql('DELETE FROM identity."user" WHERE id = %s', (user_id,))

    assert client.get("/api/auth/me", headers=bearer).status_code == 401
    assert client.get("/api/v1/user/onboarding-status", headers=bearer).status_code == 401
    assert client.post("/api/v1/onboarding", json=ANSWERS, headers=bearer).status_code == 401


def test_onboarding_stores_the_answers(signed_in: Browser, bearer: dict[str, str]) -> None:
    client = signed_in.client
    before = client.get("/api/v1/user/onboarding-status", headers=bearer).json

    more = {"phone": "9000000000", "bio": "Likes puns", "interests": ["improv"]}
    answer = client.post(
        "/api/v1/onboarding", json={**ANSWERS, **more, "heardAboutUs": "a friend"}, headers=bearer
    )

    assert before == {"onboardingCompleted": False, "role": "AUDIENCE"}
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["success"] is True
    user = answer.json["user"]
    assert (user["name"], user["age"], user["city"]) == ("Asha Rao", 31, "Hyderabad")
    assert (user["phone"], user["bio"], user["interests"]) == tuple(more.values())
    assert user["heardAboutUs"] == "a friend"
    assert user["onboardingCompleted"] is True
    after = client.get("/api/v1/user/onboarding-status", headers=bearer).json
    assert after == {"onboardingCompleted": True, "role": "AUDIENCE"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "  "),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("name", "Asha\nRao"),
        ("name", "\u202eAsha"),
        ("name", "\u200b"),
        ("name", None),
        ("age", 0),
        ("age", 121),
        ("age", 30.5),
        ("age", "thirty"),
        ("city", ""),
        ("watchedComedy", "maybe"),
        ("interests", ["x"] * 51),
        ("interests", ["improv\x1b[31m"]),
        ("interests", "improv"),
        ("role", "ADMIN"),
        ("email", "other@example.org"),
        ("id", SOMEBODY),
    ],
)
def test_an_answer_that_does_not_fit_is_named(
    client: FlaskClient, bearer: dict[str, str], field: str, value: object
) -> None:
    answer = client.post("/api/v1/onboarding", json={**ANSWERS, field: value}, headers=bearer)

    assert answer.status_code == 422
    assert answer.json is not None
    assert any(name.split(".")[0] == field for name in answer.json["errors"])


@pytest.mark.parametrize("age", [1, 120])
def test_every_plausible_age_is_accepted(
    client: FlaskClient, bearer: dict[str, str], age: int
) -> None:
    answer = client.post("/api/v1/onboarding", json={**ANSWERS, "age": age}, headers=bearer)

    assert answer.status_code == 200


@pytest.mark.parametrize("nothing", ["", None])
def test_what_was_left_empty_in_onboarding_is_not_known(
    signed_in: Browser, bearer: dict[str, str], nothing: str | None
) -> None:
    left = dict.fromkeys(("phone", "bio", "heardAboutUs"), nothing)

    answer = signed_in.client.post(
        "/api/v1/onboarding", json={**ANSWERS, **left, "interests": None}, headers=bearer
    )

    assert answer.status_code == 200
    user = answer.get_json()["user"]
    assert [user[name] for name in left] == [None, None, None]
    assert user["interests"] == []


def test_onboarding_takes_json_only(client: FlaskClient, bearer: dict[str, str]) -> None:
    answer = client.post(
        "/api/v1/onboarding", data='{"name": "x"}', content_type="text/plain", headers=bearer
    )

    assert answer.status_code == 415


def test_services_learn_public_names_roles_and_standing(
    client: FlaskClient, use: Wiring, person_with: PersonFactory
) -> None:
    audience, organizer, comedian = (person_with(name="Private Name") for _ in range(3))
    apply_as_creator(
        use.begin, user_id=organizer, profile=OrganizerProfile(id=uuid4(), name="Laughs")
    )
    apply_as_creator(
        use.begin, user_id=comedian, profile=ComedianProfile(id=uuid4(), stage_name="Funny")
    )
    decide_application(
        use.begin, user_id=comedian, decision=ApprovalStatus.APPROVED, admin_id=audience
    )

    answer = ask_for(client, use, f"{audience},{organizer},{comedian},{uuid4()}")

    assert answer.status_code == 200
    assert {UUID(person["id"]): person for person in answer.json["people"]} == {
        audience: {
            "id": str(audience),
            "name": "Private Name",
            "role": "AUDIENCE",
            "approved": False,
            "image": None,
        },
        organizer: {
            "id": str(organizer),
            "name": "Laughs",
            "role": "ORGANIZER",
            "approved": False,
            "image": None,
        },
        comedian: {
            "id": str(comedian),
            "name": "Funny",
            "role": "COMEDIAN",
            "approved": True,
            "image": None,
        },
    }


def test_services_learn_what_was_agreed_with_creators(
    client: FlaskClient, use: Wiring, person_with: PersonFactory
) -> None:
    organizer, comedian, usual, admin = (person_with() for _ in range(4))
    for user_id in (organizer, usual):
        apply_as_creator(
            use.begin, user_id=user_id, profile=OrganizerProfile(id=uuid4(), name="Laughs")
        )
    apply_as_creator(
        use.begin, user_id=comedian, profile=ComedianProfile(id=uuid4(), stage_name="Funny")
    )
    for user_id, role, fee in (
        (organizer, Role.ORGANIZER, 0),
        (comedian, Role.COMEDIAN, 750),
    ):
        set_platform_fee(use.begin, user_id=user_id, role=role, basis_points=fee, admin_id=admin)

    ids = f"{organizer},{comedian},{usual},{admin},{uuid4()}"
    answer = ask_for(client, use, ids, what="creators/terms")

    assert answer.status_code == 200
    fees = {each["id"]: each["platformFeeBasisPoints"] for each in answer.json["creators"]}
    assert fees == {str(organizer): 0, str(comedian): 750, str(usual): None, str(admin): None}


def test_what_was_agreed_with_a_creator_holds_on_while_the_creator_is_an_admin(
    client: FlaskClient, use: Wiring, person_with: PersonFactory
) -> None:
    user_id = person_with()
    apply_as_creator(
        use.begin, user_id=user_id, profile=OrganizerProfile(id=uuid4(), name="Laughs")
    )
    set_platform_fee(
        use.begin, user_id=user_id, role=Role.ORGANIZER, basis_points=500, admin_id=user_id
    )
    with use.begin() as tx:
        assert tx.people.make_admin(user_id)

    answer = ask_for(client, use, str(user_id), what="creators/terms")

    assert answer.json["creators"] == [{"id": str(user_id), "platformFeeBasisPoints": 500}]


def test_services_learn_how_people_are_reached(
    client: FlaskClient, use: Wiring, person_with: PersonFactory
) -> None:
    email = some_email()
    audience, organizer = person_with(email=email.upper(), name="Asha"), person_with(name=None)
    apply_as_creator(
        use.begin, user_id=organizer, profile=OrganizerProfile(id=uuid4(), name="Laughs")
    )

    answer = ask_for(client, use, f"{audience},{organizer},{uuid4()}", what="contacts")

    contacts = {UUID(contact.pop("id")): contact for contact in answer.json["contacts"]}
    assert contacts.keys() == {audience, organizer}
    assert contacts[audience] == {
        "email": email.upper(),
        "name": "Asha",
        "organizerName": None,
        "stageName": None,
    }
    assert contacts[organizer]["organizerName"] == "Laughs"
    found = client.post("/internal/contacts/search", json={"email": email}, headers=as_service(use))
    assert found.json == {"ids": [str(audience)]}


def test_services_learn_how_many_people_there_are(
    client: FlaskClient, use: Wiring, person_with: PersonFactory
) -> None:
    def figures() -> dict[str, int]:
        answer = client.get("/internal/figures", headers=as_service(use))
        return dict(answer.get_json())

    before = figures()
    old, pending, approved = (person_with() for _ in range(3))
    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE identity.\"user\" SET created_at = now() - interval '25 h' WHERE id = %s",
            (old,),
        )
    for user_id in (pending, approved):
        apply_as_creator(
            use.begin, user_id=user_id, profile=OrganizerProfile(id=uuid4(), name="Laughs")
        )
    decide_application(use.begin, user_id=approved, decision=ApprovalStatus.APPROVED, admin_id=old)

    after = figures()
    assert after["totalUsers"] - before["totalUsers"] == 3
    assert after["newUsersToday"] - before["newUsersToday"] == 2
    assert after["pendingApprovals"] - before["pendingApprovals"] == 1


@pytest.mark.parametrize("what", ["people", "creators/terms", "contacts"])
@pytest.mark.parametrize("ids", ["", "not-an-id", ",".join(str(uuid4()) for _ in range(201))])
def test_services_ask_for_1_to_200_people(
    client: FlaskClient, use: Wiring, what: str, ids: str
) -> None:
    assert ask_for(client, use, ids, what=what).status_code == 422


def test_200_people_are_not_too_many(client: FlaskClient, use: Wiring) -> None:
    ids = ",".join(str(uuid4()) for _ in range(200))

    assert ask_for(client, use, ids).json == {"people": []}
