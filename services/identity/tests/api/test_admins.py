"""Admins: the second factor, what they decide about creators, and what is written down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from services.identity.tests.conftest import Browser, OpenBrowser, PersonFactory, some_email
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import UnknownPerson
from identity_service.domain.people import ComedianProfile, OrganizerProfile
from identity_service.domain.second_factor import FREE_ATTEMPTS
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.reset_admin_password import reset_admin_password
from identity_service.wiring import Wiring

ADMIN = "/api/v1/admin"
PASSWORD = "seven silly llamas"
OTHER = "eight angry camels"


@pytest.fixture
def admin(browser: Browser, use: Wiring) -> Browser:
    """A fresh admin without a password, at an address of her own."""
    email = some_email()
    listed = browser.served_by(use, admin_emails=frozenset({email}))
    listed.sign_in(email)
    listed.client.environ_base["REMOTE_ADDR"] = some_address()
    return listed


@pytest.fixture
def trusted(admin: Browser) -> Browser:
    """An admin who has given the second factor."""
    assert set_password(admin, PASSWORD).status_code == 200
    return admin


@pytest.fixture
def neighbour(trusted: Browser, use: Wiring, open_browser: OpenBrowser) -> Browser:
    """Another admin with a password, at the same address."""
    email = some_email()
    other = open_browser().served_by(use, admin_emails=frozenset({email}))
    other.sign_in(email)
    assert set_password(other, PASSWORD).status_code == 200
    other.client.environ_base["REMOTE_ADDR"] = trusted.client.environ_base["REMOTE_ADDR"]
    return other


def some_address() -> str:
    number = uuid4().int
    return f"10.{number % 256}.{number // 256 % 256}.{number // 65536 % 256}"


def post(browser: Browser, path: str, body: Any, **headers: str) -> TestResponse:
    return browser.client.post(
        f"{ADMIN}/{path}", json=body, headers={**browser.bearer(), **headers}
    )


def get(browser: Browser, path: str) -> TestResponse:
    return browser.client.get(f"{ADMIN}/{path}", headers=browser.bearer())


def set_password(browser: Browser, password: str, **more: str) -> TestResponse:
    body = {"password": password, "confirmPassword": password, **more}
    return post(browser, "set-password", body)


def verify(browser: Browser, password: str) -> TestResponse:
    return post(browser, "verify-password", {"password": password})


def end_second_factor(browser: Browser) -> None:
    assert post(browser, "auth/logout", {}).json == {"success": True}


def state(browser: Browser) -> tuple[bool, bool]:
    said = get(browser, "check-session").json
    assert said is not None
    return said["authenticated"], said["needsPasswordSetup"]


def user_id(browser: Browser) -> UUID:
    return UUID(browser.session()["user"]["id"])


def make_time_pass(use: Wiring, how_long: timedelta) -> None:
    with use.engine.begin() as connection:
        for statement in (
            "UPDATE identity.password_attempts SET blocked_until = blocked_until - :t, "
            "last_at = last_at - :t",
            "UPDATE identity.session SET second_factor_at = second_factor_at - :t",
        ):
            connection.execute(text(statement), {"t": how_long})


def audit_of(browser: Browser, **query: str) -> list[dict[str, Any]]:
    mine = {"actorId": str(user_id(browser)), **query}
    mine = {name: value for name, value in mine.items() if value}
    answer = browser.client.get(f"{ADMIN}/audit", query_string=mine, headers=browser.bearer())
    assert answer.status_code == 200, answer.text
    return list((answer.json or {})["entries"])


def make_organizer(use: Wiring, person_with: PersonFactory, **changes: Any) -> UUID:
    person = person_with(**changes)
    told = OrganizerProfile(id=uuid4(), name="Laughs", contact="9000000000", venue="Charminar")
    apply_as_creator(use.begin, user_id=person, profile=told)
    return person


def make_comedian(use: Wiring, person_with: PersonFactory) -> UUID:
    person = person_with()
    apply_as_creator(
        use.begin, user_id=person, profile=ComedianProfile(id=uuid4(), stage_name="Funny")
    )
    return person


def listed(browser: Browser, kind: str, person: UUID) -> dict[str, Any]:
    path = {"organizers": "organizers", "comedians": "comedian-users"}[kind]
    found = get(browser, f"{path}?limit=200").json
    assert found is not None
    [entry] = [each for each in found[kind] if each["id"] == str(person)]
    return dict(entry)


# ── the second factor


def test_without_the_second_factor_an_admin_decides_nothing(admin: Browser) -> None:
    for path in ("organizers", "comedian-users", "audit"):
        answer = get(admin, path)
        assert (answer.status_code, answer.json["code"]) == (403, "SECOND_FACTOR_REQUIRED")
    wish = {"organizerId": str(uuid4()), "action": "APPROVE"}
    assert post(admin, "organizers", wish).json["code"] == "SECOND_FACTOR_REQUIRED"


def test_the_first_password_is_set_and_then_given(admin: Browser) -> None:
    assert state(admin) == (False, True)

    assert set_password(admin, PASSWORD).json == {"success": True}
    assert state(admin) == (True, False)
    assert get(admin, "organizers").status_code == 200

    end_second_factor(admin)
    assert state(admin) == (False, False)
    assert get(admin, "organizers").status_code == 403

    assert verify(admin, PASSWORD).json == {"success": True}
    assert state(admin) == (True, False)


def test_the_second_factor_belongs_to_one_session(
    trusted: Browser, use: Wiring, open_browser: OpenBrowser
) -> None:
    email = trusted.session()["user"]["email"]
    phone = open_browser().served_by(use, admin_emails=frozenset({email}))
    phone.sign_in(email)

    assert (state(trusted), state(phone)) == ((True, False), (False, False))


def test_the_second_factor_lasts_for_two_hours(trusted: Browser, use: Wiring) -> None:
    make_time_pass(use, timedelta(minutes=119))
    assert state(trusted)[0] is True

    make_time_pass(use, timedelta(minutes=1))
    assert state(trusted)[0] is False


def test_a_password_that_is_not_set_cannot_be_given(admin: Browser) -> None:
    answer = verify(admin, PASSWORD)

    assert (answer.status_code, answer.json["code"]) == (409, "PASSWORD_NOT_SET")


def test_setting_up_again_does_not_get_around_the_password(trusted: Browser) -> None:
    end_second_factor(trusted)

    answer = set_password(trusted, OTHER)

    assert (answer.status_code, answer.json["code"]) == (409, "PASSWORD_ALREADY_SET")
    assert state(trusted) == (False, False)
    assert verify(trusted, OTHER).status_code == 403
    assert verify(trusted, PASSWORD).status_code == 200


def test_even_with_the_second_factor_a_change_needs_the_present_password(trusted: Browser) -> None:
    assert set_password(trusted, OTHER).json["code"] == "PASSWORD_ALREADY_SET"

    wrong = set_password(trusted, OTHER, currentPassword="not the one")
    assert (wrong.status_code, wrong.json["code"]) == (403, "WRONG_PASSWORD")

    assert set_password(trusted, OTHER, currentPassword=PASSWORD).status_code == 200
    assert verify(trusted, PASSWORD).status_code == 403
    assert verify(trusted, OTHER).status_code == 200


def test_a_change_ends_the_second_factor_of_all_other_sessions(
    trusted: Browser, use: Wiring, open_browser: OpenBrowser
) -> None:
    email = trusted.session()["user"]["email"]
    phone = open_browser().served_by(use, admin_emails=frozenset({email}))
    phone.sign_in(email)
    verify(phone, PASSWORD)
    assert state(phone)[0] is True

    set_password(trusted, OTHER, currentPassword=PASSWORD)

    assert (state(trusted)[0], state(phone)[0]) == (True, False)


def test_two_first_passwords_at_the_same_moment_are_one(admin: Browser) -> None:
    bearer = admin.bearer()

    def set_one(password: str) -> int:
        body = {"password": password, "confirmPassword": password}
        client = admin.client.application.test_client()
        return client.post(f"{ADMIN}/set-password", json=body, headers=bearer).status_code

    with ThreadPoolExecutor(max_workers=4) as tabs:
        outcomes = list(tabs.map(set_one, [PASSWORD, OTHER, PASSWORD, OTHER]))

    assert sorted(outcomes) == [200, 409, 409, 409]


@pytest.mark.parametrize(
    "password",
    [
        "",
        "nine char",
        "x" * 201,
        "password123",
        "P@ssw0rd2024!",
        "qwertyuiop",
        "1234567890",
        "98765432109876",
        "aaaaaaaaaaaa",
        "abababababab",
        "comedyconnect",
        "Welcome To Hyderabad",
        "letmeinletmein",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff11\uff12",
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(admin: Browser, password: str) -> None:
    answer = set_password(admin, password)

    assert (answer.status_code, answer.json["code"]) == (422, "PASSWORD_TOO_WEAK")
    assert state(admin) == (False, True)


def test_a_password_with_ones_own_mailbox_in_it_is_refused(admin: Browser) -> None:
    mailbox = admin.session()["user"]["email"].partition("@")[0]

    assert set_password(admin, f"{mailbox.upper()}!").json["code"] == "PASSWORD_TOO_WEAK"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"password": PASSWORD},
        {"password": PASSWORD, "confirmPassword": OTHER},
        {"password": None, "confirmPassword": None},
        {"password": 7, "confirmPassword": 7},
        {"password": "\x00" * 12, "confirmPassword": "\x00" * 12},
        {"password": "\ud800" * 12, "confirmPassword": "\ud800" * 12},
        {"password": PASSWORD, "confirmPassword": PASSWORD, "userId": str(uuid4())},
        [],
    ],
)
def test_a_password_that_cannot_be_read_is_refused(admin: Browser, body: object) -> None:
    assert post(admin, "set-password", body).status_code == 422
    assert state(admin) == (False, True)


@pytest.mark.parametrize("password", ["\x00", "\ud800", None, 7])
def test_an_attempt_that_cannot_be_read_is_refused(trusted: Browser, password: object) -> None:
    assert post(trusted, "verify-password", {"password": password}).status_code == 422


def test_the_same_characters_from_another_keyboard_are_the_same_password(admin: Browser) -> None:
    set_password(admin, "caf\u00e9 au lait 77")

    assert verify(admin, "cafe\u0301 au lait 77").status_code == 200
    assert verify(admin, "caf\u00e9 au lait 77" + "x" * 5000).status_code == 403


def test_of_a_password_only_the_argon2id_hash_is_stored(trusted: Browser, use: Wiring) -> None:
    with use.engine.connect() as connection:
        stored = connection.execute(
            text("SELECT password_hash FROM identity.admin_password WHERE user_id = :id"),
            {"id": user_id(trusted)},
        ).scalar_one()

    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


# ── a forgotten password


def test_who_forgot_the_password_chooses_another_one_after_signing_in_again(
    trusted: Browser, use: Wiring
) -> None:
    for _ in range(FREE_ATTEMPTS):
        verify(trusted, "wrong")
    email, admin_id = trusted.session()["user"]["email"], user_id(trusted)

    assert reset_admin_password(use.begin, email=email.upper()) == 1

    assert trusted.exchange().status_code == 401  # whoever holds a session chooses nothing
    trusted.sign_in(email)
    trusted.client.environ_base["REMOTE_ADDR"] = some_address()  # that from before is blocked
    assert state(trusted) == (False, True)
    assert set_password(trusted, OTHER).status_code == 200
    assert verify(trusted, OTHER).status_code == 200
    [reset] = audit_of(trusted, actorId="", subjectId=str(admin_id), action="PASSWORD_RESET")
    assert reset["actor"] is None


def test_a_reset_leaves_other_people_with_the_same_email_alone(
    trusted: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    email = trusted.session()["user"]["email"]
    namesake = person_with(email=email)
    with use.begin() as tx:
        tx.sessions.open(
            uuid4(), namesake, uuid4().bytes, idle=timedelta(days=1), absolute=timedelta(days=1)
        )

    reset_admin_password(use.begin, email=email)

    with use.read() as tx:
        assert len(tx.sessions.of(namesake)) == 1


def test_nobody_is_reset_who_is_no_admin(use: Wiring, person_with: PersonFactory) -> None:
    email = some_email()
    person_with(email=email)

    with pytest.raises(UnknownPerson):
        reset_admin_password(use.begin, email=email)


# ── guessing


def test_after_five_wrong_passwords_one_has_to_wait_longer_and_longer(
    trusted: Browser, use: Wiring
) -> None:
    end_second_factor(trusted)
    for _ in range(FREE_ATTEMPTS):
        assert verify(trusted, "wrong").json["code"] == "WRONG_PASSWORD"

    even_the_right_one = verify(trusted, PASSWORD)
    assert (even_the_right_one.status_code, even_the_right_one.json["code"]) == (
        429,
        "TOO_MANY_ATTEMPTS",
    )
    assert 25 <= int(even_the_right_one.headers["Retry-After"]) <= 30

    make_time_pass(use, timedelta(seconds=30))
    assert verify(trusted, "wrong").status_code == 403
    assert 55 <= int(verify(trusted, PASSWORD).headers["Retry-After"]) <= 60

    make_time_pass(use, timedelta(seconds=60))
    assert verify(trusted, PASSWORD).status_code == 200
    assert verify(trusted, "wrong").status_code == 403  # counted from the beginning


def test_the_count_is_in_the_database_and_outlives_the_process(
    trusted: Browser, use: Wiring
) -> None:
    for _ in range(FREE_ATTEMPTS):
        verify(trusted, "wrong")
    email = trusted.session()["user"]["email"]

    restarted = trusted.served_by(use, admin_emails=frozenset({email}))

    assert verify(restarted, PASSWORD).status_code == 429


def test_guesses_at_the_same_moment_count_one_after_the_other(trusted: Browser) -> None:
    bearer, address = trusted.bearer(), trusted.client.environ_base["REMOTE_ADDR"]

    def guess(_number: int) -> int:
        client = trusted.client.application.test_client()
        return client.post(
            f"{ADMIN}/verify-password",
            json={"password": "wrong"},
            headers=bearer,
            environ_base={"REMOTE_ADDR": address},
        ).status_code

    with ThreadPoolExecutor(max_workers=8) as tabs:
        outcomes = list(tabs.map(guess, range(16)))

    assert (outcomes.count(403), outcomes.count(429)) == (FREE_ATTEMPTS, 16 - FREE_ATTEMPTS)


def test_another_address_does_not_help_to_guess_at_one_account(trusted: Browser) -> None:
    for _ in range(FREE_ATTEMPTS):
        body = {"password": "wrong"}
        answer = post(trusted, "verify-password", body, **{"X-Forwarded-For": some_address()})
        assert answer.status_code == 403

    assert verify(trusted, PASSWORD).status_code == 429


def test_another_account_does_not_help_to_guess_from_one_address(
    trusted: Browser, use: Wiring, open_browser: OpenBrowser
) -> None:
    for _ in range(FREE_ATTEMPTS):
        verify(trusted, "wrong")
    email = some_email()
    other = open_browser().served_by(use, admin_emails=frozenset({email}))
    other.sign_in(email)
    set_password(other, PASSWORD)
    other.client.environ_base["REMOTE_ADDR"] = trusted.client.environ_base["REMOTE_ADDR"]

    assert verify(other, PASSWORD).status_code == 429

    other.client.environ_base["REMOTE_ADDR"] = some_address()
    assert verify(other, PASSWORD).status_code == 200


def test_knowing_one_password_does_not_help_to_guess_at_another_one(
    trusted: Browser, neighbour: Browser
) -> None:
    for _ in range(FREE_ATTEMPTS):
        assert verify(neighbour, "wrong").status_code == 403
        verify(trusted, PASSWORD)

    assert verify(neighbour, PASSWORD).status_code == 429
    assert verify(trusted, PASSWORD).status_code == 429  # for the address, not for the account


def test_wrong_passwords_of_ones_own_do_not_help_to_guess_at_another_one_either(
    trusted: Browser, neighbour: Browser
) -> None:
    for _ in range(FREE_ATTEMPTS - 1):
        assert verify(trusted, "wrong").status_code == 403
        assert verify(trusted, PASSWORD).status_code == 200
        assert verify(neighbour, "wrong").status_code == 403

    assert verify(neighbour, "wrong").status_code == 403
    assert verify(trusted, PASSWORD).status_code == 429


def test_a_right_password_forgives_what_its_person_got_wrong_from_this_address(
    trusted: Browser, neighbour: Browser
) -> None:
    for _ in range(FREE_ATTEMPTS + 1):
        assert verify(trusted, "wrong").status_code == 403
        assert verify(trusted, PASSWORD).status_code == 200
        assert verify(neighbour, "wrong").status_code == 403
        assert verify(neighbour, PASSWORD).status_code == 200


def test_a_right_password_forgives_nothing_that_came_from_another_address(
    trusted: Browser, neighbour: Browser
) -> None:
    elsewhere = {"X-Forwarded-For": some_address()}
    for _ in range(FREE_ATTEMPTS - 1):
        post(trusted, "verify-password", {"password": "wrong"}, **elsewhere)
        verify(neighbour, "wrong")

    assert verify(trusted, PASSWORD).status_code == 200
    assert verify(trusted, "wrong").status_code == 403  # the fifth of this address
    assert verify(trusted, PASSWORD).status_code == 429


def test_wrong_passwords_that_somebody_gave_up_on_do_not_count_for_ever_at_a_busy_address(
    trusted: Browser, neighbour: Browser, use: Wiring
) -> None:
    for _ in range(FREE_ATTEMPTS - 1):
        verify(neighbour, "wrong")
    make_time_pass(use, timedelta(hours=23))
    verify(trusted, PASSWORD)
    verify(trusted, "wrong")  # the fifth of this address
    assert verify(trusted, PASSWORD).status_code == 429

    make_time_pass(use, timedelta(hours=2))

    for _ in range(FREE_ATTEMPTS - 1):
        assert verify(trusted, "wrong").status_code == 403
    assert verify(trusted, PASSWORD).status_code == 429


def test_changing_the_password_is_no_second_way_to_guess(trusted: Browser) -> None:
    for _ in range(FREE_ATTEMPTS):
        set_password(trusted, OTHER, currentPassword="wrong")

    assert set_password(trusted, OTHER, currentPassword=PASSWORD).status_code == 429
    assert verify(trusted, PASSWORD).status_code == 429


def test_a_day_later_wrong_passwords_are_forgotten(trusted: Browser, use: Wiring) -> None:
    for _ in range(FREE_ATTEMPTS):
        verify(trusted, "wrong")
    make_time_pass(use, timedelta(days=1, minutes=1))

    for _ in range(FREE_ATTEMPTS):
        assert verify(trusted, "wrong").status_code == 403


def test_neighbours_with_ipv6_count_as_one_address(trusted: Browser, use: Wiring) -> None:
    prefix = f"2001:db8:{uuid4().int % 65536:x}:{uuid4().int % 65536:x}"
    for host in range(FREE_ATTEMPTS):
        body, header = {"password": "wrong"}, {"X-Forwarded-For": f"{prefix}::{host + 1:x}"}
        post(trusted, "verify-password", body, **header)

    with use.engine.connect() as connection:
        counted = connection.execute(
            text("SELECT failures FROM identity.password_attempts WHERE key = :key"),
            {"key": f"address:{prefix}::/64"},
        ).scalar_one()
    assert counted == FREE_ATTEMPTS


@pytest.mark.parametrize("said", ["not an address", "", "\x00", "::ffff:10.0.0.1", "1.2.3.4, x"])
def test_a_strange_address_is_no_error(trusted: Browser, said: str) -> None:
    headers = {**trusted.bearer()}
    answer = trusted.client.post(
        f"{ADMIN}/verify-password",
        json={"password": PASSWORD},
        headers=headers,
        environ_overrides={"HTTP_X_FORWARDED_FOR": said},
    )

    assert answer.status_code in {200, 429}


def test_a_script_cannot_give_the_second_factor(trusted: Browser, client: FlaskClient) -> None:
    made = trusted.client.post("/api/auth/tokens", json={"name": "x"}, headers=trusted.bearer())
    exchanged = trusted.exchange(X_Client_Authorization=f"Bearer {made.json['token']}")
    script = {"Authorization": exchanged.headers["Authorization"]}

    for path in ("organizers", "audit"):
        answer = client.get(f"{ADMIN}/{path}", headers=script)
        assert (answer.status_code, answer.json["code"]) == (403, "SECOND_FACTOR_REQUIRED")
    body = {"password": PASSWORD}
    assert client.post(f"{ADMIN}/verify-password", json=body, headers=script).status_code == 403
    assert client.get(f"{ADMIN}/check-session", headers=script).json == {
        "authenticated": False,
        "needsPasswordSetup": False,
    }


def test_who_is_no_longer_listed_can_do_nothing_any_more(trusted: Browser, use: Wiring) -> None:
    unlisted = trusted.served_by(use, admin_emails=frozenset())

    assert get(unlisted, "organizers").status_code == 403
    assert get(unlisted, "check-session").status_code == 403


def test_a_session_that_has_ended_gets_no_second_factor(trusted: Browser) -> None:
    bearer = trusted.bearer()
    trusted.client.delete("/api/auth/sessions", headers=bearer)

    answer = trusted.client.post(
        f"{ADMIN}/verify-password", json={"password": PASSWORD}, headers=bearer
    )

    assert answer.status_code == 401


# ── creators


def test_an_admin_sees_organizers_as_the_front_end_reads_them(
    trusted: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    email = some_email()
    person = make_organizer(use, person_with, email=email)
    post(trusted, "organizers", {"organizerId": str(person), "action": "REJECT", "reason": "No."})

    seen = listed(trusted, "organizers", person)

    profile = seen.pop("organizerProfile")
    assert seen == {"id": str(person), "email": email, "role": "ORGANIZER_UNVERIFIED"}
    assert (profile["name"], profile["contact"], profile["venue"]) == (
        "Laughs",
        "9000000000",
        "Charminar",
    )
    assert (profile["description"], profile["customPlatformFee"]) == (None, None)
    assert {"id", "createdAt", "updatedAt"} <= profile.keys()
    rejected, applied = profile["approvals"]
    assert (rejected["status"], rejected["reason"]) == ("REJECTED", "No.")
    assert rejected["admin"] == {"email": trusted.session()["user"]["email"]}
    assert (applied["status"], applied["reason"], applied["admin"]) == ("PENDING", None, None)
    assert applied["updatedAt"] == applied["createdAt"]


def test_an_admin_sees_comedians_as_the_front_end_reads_them(
    trusted: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    person = make_comedian(use, person_with)

    seen = listed(trusted, "comedians", person)

    assert (seen["name"], seen["image"], seen["role"]) == ("Asha", None, "COMEDIAN_UNVERIFIED")
    assert seen["comedianProfile"]["stageName"] == "Funny"
    assert [entry["status"] for entry in seen["comedianProfile"]["approvals"]] == ["PENDING"]


@pytest.mark.parametrize(
    ("kind", "path", "key"),
    [("organizers", "organizers", "organizerId"), ("comedians", "comedian-users", "comedianId")],
)
def test_an_admin_approves_revokes_and_enables(
    trusted: Browser, use: Wiring, person_with: PersonFactory, kind: str, path: str, key: str
) -> None:
    make = make_organizer if kind == "organizers" else make_comedian
    person = make(use, person_with)
    roles = []
    for action in ("APPROVE", "REVOKE", "ENABLE"):
        answer = post(trusted, path, {key: str(person), "action": action, "reason": ""})
        assert (answer.status_code, answer.json) == (200, {"success": True})
        roles.append(listed(trusted, kind, person)["role"].partition("_")[2])

    assert roles == ["VERIFIED", "UNVERIFIED", "VERIFIED"]
    again = post(trusted, path, {key: str(person), "action": "APPROVE"})
    assert (again.status_code, again.json["code"]) == (409, "DECISION_NOT_POSSIBLE")


def test_somebody_of_another_kind_is_unknown(
    trusted: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    comedian, audience = make_comedian(use, person_with), person_with()

    for person in (comedian, audience, uuid4()):
        for wish in ({"action": "APPROVE"}, {"action": "UPDATE_FEE", "customPlatformFee": 1}):
            answer = post(trusted, "organizers", {"organizerId": str(person), **wish})
            assert (answer.status_code, answer.json["code"]) == (404, "UNKNOWN_PERSON")


@pytest.mark.parametrize(
    ("percent", "basis_points"), [(8.5, 850), (0, 0), (100, 10000), (7.25, 725)]
)
def test_a_fee_is_agreed_upon_and_taken_back(
    trusted: Browser,
    use: Wiring,
    person_with: PersonFactory,
    percent: float,
    basis_points: int,
) -> None:
    person = make_organizer(use, person_with)
    wish = {"organizerId": str(person), "action": "UPDATE_FEE", "customPlatformFee": percent}

    assert post(trusted, "organizers", wish).status_code == 200
    assert listed(trusted, "organizers", person)["organizerProfile"]["customPlatformFee"] == percent
    post(trusted, "organizers", {**wish, "customPlatformFee": None})

    assert listed(trusted, "organizers", person)["organizerProfile"]["customPlatformFee"] is None
    back, agreed = audit_of(trusted, subjectId=str(person))
    assert (agreed["before"], agreed["after"]) == (
        {"platformFeeBasisPoints": None},
        {"platformFeeBasisPoints": basis_points},
    )
    assert back["before"] == {"platformFeeBasisPoints": basis_points}


@pytest.mark.parametrize(
    "wish",
    [
        {"action": "UPDATE_FEE"},
        {"action": "UPDATE_FEE", "customPlatformFee": -0.01},
        {"action": "UPDATE_FEE", "customPlatformFee": 100.01},
        {"action": "UPDATE_FEE", "customPlatformFee": 8.505},
        {"action": "UPDATE_FEE", "customPlatformFee": "8"},
        {"action": "UPDATE_FEE", "customPlatformFee": True},
        {"action": "UPDATE_FEE", "customPlatformFee": float("nan")},
        {"action": "UPDATE_FEE", "customPlatformFee": float("inf")},
        {"action": "UPDATE_FEE", "customPlatformFee": 10**400},
        {"action": "DELETE"},
        {"action": None},
        {"action": ["APPROVE"]},
        {},
        {"action": "APPROVE", "reason": "x" * 1001},
        {"action": "APPROVE", "reason": "\x00"},
        {"action": "APPROVE", "reason": "\ud800"},
        {"action": "APPROVE", "role": "ADMIN"},
        {"action": "APPROVE", "organizerId": "x"},
        {"action": "APPROVE", "organizerId": None},
    ],
)
def test_a_wish_that_cannot_be_understood_is_refused(
    trusted: Browser, use: Wiring, person_with: PersonFactory, wish: dict[str, Any]
) -> None:
    person = make_organizer(use, person_with)

    answer = post(trusted, "organizers", {"organizerId": str(person), **wish})

    assert answer.status_code == 422, answer.text
    assert listed(trusted, "organizers", person)["role"] == "ORGANIZER_UNVERIFIED"


@pytest.mark.parametrize("path", ["organizers", "comedian-users"])
def test_the_lists_come_in_pages_without_gaps(
    trusted: Browser, use: Wiring, person_with: PersonFactory, path: str
) -> None:
    make = make_organizer if path == "organizers" else make_comedian
    made = [str(make(use, person_with)) for _ in range(3)]
    seen: list[str] = []
    cursor = ""
    while len(seen) < 3:
        page = get(trusted, f"{path}?limit=1{cursor}").json
        assert page is not None
        seen += [each["id"] for each in page["organizers" if path == "organizers" else "comedians"]]
        cursor = f"&cursor={page['nextCursor']}"

    assert seen == made[::-1]
    for wrong in ("cursor=x", "cursor=WyIyMDI2LTAxLTAxIiwieCJd", "limit=0", "limit=201"):
        assert get(trusted, f"{path}?{wrong}").status_code == 422


# ── the log


def test_everything_about_the_second_factor_is_written_down(trusted: Browser, use: Wiring) -> None:
    end_second_factor(trusted)
    for _ in range(FREE_ATTEMPTS + 1):
        verify(trusted, "wrong")
    make_time_pass(use, timedelta(minutes=1))
    verify(trusted, PASSWORD)
    set_password(trusted, OTHER, currentPassword=PASSWORD)

    actions = [entry["action"] for entry in reversed(audit_of(trusted))]

    assert actions == [
        "PASSWORD_SET",
        "SECOND_FACTOR_ENDED",
        *["SECOND_FACTOR_FAILED"] * FREE_ATTEMPTS,
        "SECOND_FACTOR_BLOCKED",
        "SECOND_FACTOR_PASSED",
        "PASSWORD_CHANGED",
    ]
    [gained] = audit_of(trusted, actorId="", subjectId=str(user_id(trusted)))
    assert (gained["action"], gained["actor"]) == ("ADMIN_GAINED", None)


def test_a_decision_is_written_down_with_who_before_after_and_request(
    trusted: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    person = make_organizer(use, person_with)
    wish = {"organizerId": str(person), "action": "APPROVE", "reason": "Asha Rao is fine"}
    answer = post(trusted, "organizers", wish)

    [entry] = audit_of(trusted, subjectId=str(person))

    assert entry["action"] == "CREATOR_DECIDED"
    assert (entry["before"], entry["after"]) == ({"standing": "PENDING"}, {"standing": "APPROVED"})
    assert entry["actor"]["email"] == trusted.session()["user"]["email"]
    assert (entry["actor"]["id"], entry["subject"]["id"]) == (str(user_id(trusted)), str(person))
    assert entry["requestId"] == answer.headers["X-Request-ID"]


def test_the_log_is_filtered_and_comes_in_pages(
    trusted: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    people = [make_organizer(use, person_with) for _ in range(3)]
    for person in people:
        post(trusted, "organizers", {"organizerId": str(person), "action": "APPROVE"})

    first = audit_of(trusted, action="CREATOR_DECIDED", limit="2")
    assert [entry["subject"]["id"] for entry in first] == [str(people[2]), str(people[1])]
    mine = f"actorId={user_id(trusted)}&action=CREATOR_DECIDED"
    page = get(trusted, f"audit?{mine}&limit=2").json
    assert page is not None
    rest = get(trusted, f"audit?{mine}&limit=2&cursor={page['nextCursor']}").json
    assert rest is not None
    assert [entry["subject"]["id"] for entry in rest["entries"]] == [str(people[0])]
    assert rest["nextCursor"] is None
    at = first[0]["createdAt"]
    assert audit_of(trusted, to="2020-01-01T00:00:00Z") == []
    assert audit_of(trusted, **{"from": "2999-01-01T00:00:00+05:30"}) == []
    assert len(audit_of(trusted, **{"from": "2020-01-01T00:00:00Z", "to": "2999-01-01T00:00Z"})) > 3
    assert at.endswith("Z")
    assert audit_of(trusted, **{"from": "0001-01-01T00:00:00+14:00"}) != []


@pytest.mark.parametrize(
    "query",
    [
        "action=x",
        "actorId=x",
        "from=yesterday",
        "from=2026-01-01T00:00:00",
        "cursor=x",
        "cursor=%00",
        "limit=201",
    ],
)
def test_a_filter_that_cannot_be_understood_is_refused(trusted: Browser, query: str) -> None:
    assert get(trusted, f"audit?{query}").status_code == 422


def test_the_service_itself_cannot_change_the_log(use: Wiring) -> None:
    for statement in (
        "UPDATE identity.audit_entry SET action = 'x'",
        "DELETE FROM identity.audit_entry",
        "TRUNCATE identity.audit_entry",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            use.engine.begin() as connection,
        ):
            connection.execute(text(statement))


def test_of_somebody_who_is_gone_the_log_keeps_a_reference_only(
    trusted: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    email = some_email()
    person = make_organizer(use, person_with, email=email)
    decide_application(
        use.begin, user_id=person, decision=ApprovalStatus.APPROVED, admin_id=user_id(trusted)
    )
    [before] = audit_of(trusted, subjectId=str(person))
    with use.engine.begin() as connection:
        connection.exec_driver_sql('DELETE FROM identity."user" WHERE id = %s', (person,))

    entry = next(entry for entry in audit_of(trusted) if entry["id"] == before["id"])

    assert entry["subject"] == {**before["subject"], "id": None, "email": None}
    with use.engine.connect() as connection:
        rows = connection.execute(text("SELECT audit_entry::text FROM identity.audit_entry"))
        assert all(str(person) not in row and email not in row for row in rows.scalars())
