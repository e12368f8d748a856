"""Deleting one's account, as its owner, a stranger and an administrator see it.

Here nobody carries the work out: with all services and workers see `tests/system`.
"""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from services.identity.tests.api.test_admins import set_password
from services.identity.tests.conftest import (
    PUBLIC_URL,
    Browser,
    OpenBrowser,
    PersonFactory,
    some_email,
)
from sqlalchemy import text
from werkzeug.test import TestResponse

from identity_service.domain.deletions import (
    STUCK_AFTER_FAILURES,
    TRY_LATER,
    DeletionState,
    Reason,
)
from identity_service.usecases.create_api_token import create_api_token
from identity_service.usecases.delete_account import (
    OwnHolder,
    decide,
    fence_holder,
    lift_fence_of_holder,
    purge_holder,
    refuse,
)
from identity_service.usecases.delete_account import end_refused as end
from identity_service.wiring import Wiring
from service_kit import deadline
from service_kit.tokens import InvalidToken, SuspendedCaller, TokenVerifier

DELETE = "/api/v1/profile/delete"
ADMIN = "/api/v1/admin/account-deletions"
COOKIE = "next-auth.session-token"
AT_ONCE = {deadline.HEADER: "600"}


@pytest.fixture
def admin(browser: Browser, use: Wiring) -> Browser:
    """An admin who has given the second factor."""
    email = some_email()
    listed = browser.served_by(use, admin_emails=frozenset({email}))
    listed.sign_in(email)
    number = uuid4().int
    listed.client.environ_base["REMOTE_ADDR"] = f"10.{number % 256}.{number // 256 % 256}.7"
    assert set_password(listed, "seven silly llamas").status_code == 200
    return listed


def ask(browser: Browser, method: str = "POST", **headers: str) -> TestResponse:
    sent = {**browser.bearer(), **AT_ONCE, **headers}
    return browser.client.open(DELETE, method=method, headers=sent)


def fenced(use: Wiring, browser: Browser) -> UUID:
    """Ask for the browser's person to be deleted and close the account; return the deletion."""
    ask(browser)
    return close(use, browser)


def close(use: Wiring, browser: Browser) -> UUID:
    saga_id = saga_of(use, browser)
    assert fence_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)
    return saga_id


def closed_headers(browser: Browser, method: str) -> dict[str, str]:
    """Return with what the gateway passes on the wish of somebody whose account is closed."""
    exchanged = browser.exchange(method, DELETE, Origin=PUBLIC_URL)
    assert exchanged.status_code == 200, exchanged.text
    return {"Authorization": exchanged.headers["Authorization"]}


def ask_again(browser: Browser, method: str = "POST") -> TestResponse:
    headers = {**closed_headers(browser, method), **AT_ONCE}
    return browser.client.open(DELETE, method=method, headers=headers)


def withdraw(use: Wiring, saga_id: UUID) -> None:
    refuse(use.begin, saga_id=saga_id, reasons=(TRY_LATER,))
    lift_fence_of_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)
    end(use.begin, saga_id=saga_id)


def purge(use: Wiring, saga_id: UUID) -> None:
    assert decide(use.begin, saga_id=saga_id)
    purge_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)


def saga_of(use: Wiring, browser: Browser) -> UUID:
    with use.read() as tx:
        found = tx.deletions.under_way_of(UUID(browser.session()["user"]["id"]))
    assert found is not None
    return found


def shown(browser: Browser, answer: TestResponse) -> dict[str, Any]:
    assert answer.json is not None
    told = browser.get(answer.json["statusUrl"])
    assert told.status_code == 200, told.text
    assert told.headers["Cache-Control"] == "no-store"
    return dict(told.json or {})


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_wish_that_is_not_decided_yet_is_answered_with_where_to_look(
    open_browser: OpenBrowser, method: str
) -> None:
    browser = open_browser()
    browser.sign_in(some_email())

    answer = ask(browser, method)

    assert answer.status_code == 202, answer.text
    assert answer.json is not None
    assert answer.json.keys() == {"success", "state", "statusUrl"}
    assert (answer.json["success"], answer.json["state"]) == (False, "PREPARING")
    assert answer.headers["Location"] == answer.json["statusUrl"]
    told = shown(open_browser(), answer)  # a stranger with the link
    assert (told["state"], told["steps"], told["receipt"]) == ("PREPARING", [], None)


def test_a_repeated_wish_is_the_same_deletion(browser: Browser) -> None:
    browser.sign_in(some_email())

    first, second = ask(browser), ask(browser)

    assert first.json == second.json


def test_a_body_is_not_needed_and_not_looked_at(browser: Browser) -> None:
    browser.sign_in(some_email())

    answer = browser.client.post(
        DELETE, json={"confirm": True}, headers={**browser.bearer(), **AT_ONCE}
    )

    assert answer.status_code == 202


def test_past_the_pivot_the_account_goes_and_so_does_the_cookie(
    use: Wiring, browser: Browser
) -> None:
    browser.sign_in(some_email())
    headers = {**browser.bearer(), **AT_ONCE}
    first = browser.client.post(DELETE, headers=headers)
    saga_id = saga_of(use, browser)
    assert decide(use.begin, saga_id=saga_id)

    answer = browser.client.post(DELETE, headers=headers)

    assert (answer.status_code, answer.json) == (
        200,
        {"success": True, "state": "PURGING", "statusUrl": (first.json or {})["statusUrl"]},
    )
    assert browser.session() == {}


def test_a_refusal_names_its_reasons(use: Wiring, browser: Browser) -> None:
    browser.sign_in(some_email())
    headers = {**browser.bearer(), **AT_ONCE}
    answer = browser.client.post(DELETE, headers=headers)
    show = {"id": str(uuid4()), "title": "Open Mic"}
    reason = Reason("SHOWS_WITH_TICKETS", "You have 1 show with sold tickets: Open Mic.", (show,))
    saga_id = saga_of(use, browser)
    refuse(use.begin, saga_id=saga_id, reasons=(reason,))
    assert shown(browser, answer)["state"] == "WITHDRAWING"
    end(use.begin, saga_id=saga_id)

    told = shown(browser, answer)

    assert told["state"] == "REFUSED"
    assert told["reasons"] == [
        {"code": reason.code, "message": reason.message, "shows": [show]},
    ]
    assert told["decidedAt"] is None
    assert told["endedAt"] is not None
    again = browser.client.post(DELETE, headers=headers)
    assert again.status_code == 202  # which is another one
    assert (again.json or {})["statusUrl"] != (answer.json or {})["statusUrl"]


def test_while_the_account_is_closed_nobody_is_signed_in_and_nobody_signs_in(
    use: Wiring, browser: Browser
) -> None:
    email = some_email()
    browser.sign_in(email)
    ask(browser)
    saga_id = saga_of(use, browser)

    fence_holder(use.begin, "identity", OwnHolder(use.begin), saga_id=saga_id)

    assert browser.session() == {}
    assert browser.exchange().status_code == 401
    answer = browser.sign_in(email)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/auth/signin?error=AccessDenied"


def test_a_deletion_that_comes_to_nothing_leaves_the_browser_signed_in(
    use: Wiring, browser: Browser
) -> None:
    browser.sign_in(some_email())
    user = browser.session()["user"]
    saga_id = fenced(use, browser)

    for _ in range(2):  # pages ask every time they are looked at
        polled = browser.get("/api/auth/session")
        assert (polled.json, polled.headers.getlist("Set-Cookie")) == ({}, [])
    withdraw(use, saga_id)

    assert browser.session()["user"] == user


def test_the_cookie_of_who_is_gone_goes(use: Wiring, browser: Browser) -> None:
    browser.sign_in(some_email())
    saga_id = fenced(use, browser)
    purge(use, saga_id)

    assert browser.session() == {}
    assert browser.client.get_cookie(COOKIE) is None


def test_the_cookie_of_a_session_that_expires_meanwhile_goes(use: Wiring, browser: Browser) -> None:
    browser.sign_in(some_email())
    user_id = browser.session()["user"]["id"]
    fenced(use, browser)
    with use.engine.begin() as connection:
        connection.execute(
            text('UPDATE identity."session" SET expires_at = now() WHERE user_id = :id'),
            {"id": user_id},
        )

    assert browser.session() == {}
    assert browser.client.get_cookie(COOKIE) is None


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_wish_repeated_while_the_account_is_closed_is_the_same_deletion(
    use: Wiring, browser: Browser, method: str
) -> None:
    browser.sign_in(some_email())
    first = ask(browser)
    close(use, browser)

    again = ask_again(browser, method)

    assert (again.status_code, again.json) == (202, first.json)
    assert again.headers["Location"] == first.headers["Location"]


def test_a_wish_repeated_past_the_pivot_is_answered_until_the_person_is_gone(
    use: Wiring, browser: Browser
) -> None:
    browser.sign_in(some_email())
    first = ask(browser)
    saga_id = close(use, browser)
    cookie = browser.client.get_cookie(COOKIE)
    assert cookie is not None
    assert decide(use.begin, saga_id=saga_id)

    again = ask_again(browser)

    assert (again.status_code, again.json) == (
        200,
        {"success": True, "state": "PURGING", "statusUrl": (first.json or {})["statusUrl"]},
    )
    assert browser.client.get_cookie(COOKIE) is None
    purge(use, saga_id)
    browser.client.set_cookie(COOKIE, cookie.value)
    assert browser.exchange("POST", DELETE, Origin=PUBLIC_URL).status_code == 401


def test_a_wish_repeated_while_a_refused_deletion_is_undone_is_that_deletion(
    use: Wiring, browser: Browser
) -> None:
    browser.sign_in(some_email())
    first = ask(browser)
    saga_id = close(use, browser)
    refuse(use.begin, saga_id=saga_id, reasons=(TRY_LATER,))

    again = ask_again(browser)

    assert again.status_code == 202
    assert (again.json or {})["statusUrl"] == (first.json or {})["statusUrl"]
    withdraw(use, saga_id)
    assert shown(browser, again)["state"] == "REFUSED"


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("GET", DELETE),
        ("HEAD", DELETE),
        ("PUT", DELETE),
        ("post", DELETE),
        ("POST", f"{DELETE}/"),
        ("POST", f"{DELETE}/x"),
        ("POST", f"{DELETE}d"),
        ("POST", f"/{DELETE}"),
        ("POST", f"/x{DELETE}"),
        ("POST", f"/api/v1/bookings?next={DELETE}"),
        ("POST", "/api/v1/profile/%64elete"),
        ("POST", "/api/v1/profile/Delete"),
        ("POST", "/api/v1/profile/update"),
        ("GET", "/api/v1/profile/export"),
        ("GET", "/api/auth/me"),
        ("DELETE", "/api/auth/sessions"),
        ("POST", "/api/v1/bookings"),
        ("", ""),
    ],
)
def test_a_closed_account_asks_for_nothing_but_its_deletion(
    use: Wiring, browser: Browser, method: str, uri: str
) -> None:
    browser.sign_in(some_email())
    fenced(use, browser)

    answer = browser.exchange(method, uri, Origin=PUBLIC_URL)

    assert answer.status_code == 401
    assert "Authorization" not in answer.headers


def test_what_a_closed_account_gets_to_ask_again_is_for_identity_only(
    use: Wiring, browser: Browser
) -> None:
    browser.sign_in(some_email())
    user_id = UUID(browser.session()["user"]["id"])
    fenced(use, browser)

    token = closed_headers(browser, "POST")["Authorization"].removeprefix("Bearer ")

    assert use.verifier is not None
    assert use.verifier.verify(token) == SuspendedCaller(user_id)
    for service in ("booking", "catalog", "config"):
        elsewhere = TokenVerifier(use.keyring.public_keys, issuer=PUBLIC_URL, service=service)
        with pytest.raises(InvalidToken):
            elsewhere.verify(token)
    refused = browser.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "http://evil.example"}])
def test_no_other_site_asks_for_a_closed_account(
    use: Wiring, browser: Browser, headers: dict[str, str]
) -> None:
    browser.sign_in(some_email())
    fenced(use, browser)

    answer = browser.exchange("POST", DELETE, **headers)

    assert (answer.status_code, (answer.json or {})["code"]) == (403, "CSRF")


def test_no_script_asks_for_a_closed_account_even_beside_its_cookie(
    use: Wiring, browser: Browser
) -> None:
    browser.sign_in(some_email())
    user_id = UUID(browser.session()["user"]["id"])
    _, script = create_api_token(
        use.begin, user_id=user_id, name="script", lifetime=use.policy.idle
    )
    fenced(use, browser)

    answer = browser.exchange(
        "POST", DELETE, Origin=PUBLIC_URL, X_Client_Authorization=f"Bearer {script}"
    )

    assert answer.status_code == 401


def test_a_session_that_was_ended_proves_nothing_for_a_closed_account(
    use: Wiring, open_browser: OpenBrowser
) -> None:
    browser, stolen = open_browser(), open_browser()
    browser.sign_in(some_email())
    cookie = browser.client.get_cookie(COOKIE)
    assert cookie is not None
    stolen.client.set_cookie(COOKIE, cookie.value)
    fenced(use, browser)
    assert browser.post_form("/api/auth/signout").status_code == 200

    assert stolen.exchange("POST", DELETE, Origin=PUBLIC_URL).status_code == 401


def test_an_administrators_account_is_not_deleted(admin: Browser) -> None:
    answer = ask(admin)

    assert answer.status_code == 403
    assert (answer.json or {})["code"] == "ADMIN_ACCOUNT"


def test_an_unknown_link_shows_nothing(client: FlaskClient) -> None:
    for token in ("x", "%00", "A" * 43, "é"):
        answer = client.get(f"/api/v1/account-deletions/{token}")
        assert answer.status_code == 404, token
        assert (answer.json or {})["code"] == "UNKNOWN_DELETION"


def test_administrators_see_first_what_is_stuck(
    use: Wiring, open_browser: OpenBrowser, admin: Browser
) -> None:
    stuck, fine = open_browser(), open_browser()
    sagas = []
    for browser in (stuck, fine):
        browser.sign_in(some_email())
        ask(browser)
        sagas.append(saga_of(use, browser))
    user_id = stuck.session()["user"]["id"]
    with use.begin() as tx:
        tx.deletions.begin_step(sagas[0], "fence_booking")
        for _ in range(STUCK_AFTER_FAILURES):
            tx.deletions.note_failure(sagas[0], "fence_booking", "booking: answered 500")

    listed = admin.client.get(f"{ADMIN}?state=PREPARING", headers=admin.bearer()).json

    assert listed is not None
    found = {each["id"]: each for each in listed["deletions"]}
    shown = found[str(sagas[0])]
    assert (shown["stuck"], shown["userId"]) == (True, user_id)
    assert [(step["failures"], step["problem"]) for step in shown["steps"]] == [
        (STUCK_AFTER_FAILURES, "booking: answered 500")
    ]
    assert found[str(sagas[1])]["stuck"] is False
    flags = [each["stuck"] for each in listed["deletions"]]
    assert flags == sorted(flags, reverse=True)


def test_the_list_goes_on_page_by_page(
    use: Wiring, person_with: PersonFactory, admin: Browser
) -> None:
    for _ in range(5):
        with use.begin() as tx:
            person_id, saga_id = person_with(), uuid4()
            tx.deletions.add(
                saga_id,
                person_id=person_id,
                person_hash=use.person_hashes.of(person_id),
                link_hash=use.deletion_links.hash_of(saga_id),
            )

    def page(cursor: str) -> dict[str, Any]:
        answer = admin.client.get(f"{ADMIN}?limit=2{cursor}", headers=admin.bearer())
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})

    seen: list[str] = []
    cursor = ""
    while True:
        got = page(cursor)
        seen += [each["id"] for each in got["deletions"]]
        if got["nextCursor"] is None:
            break
        cursor = f"&cursor={got['nextCursor']}"

    assert len(seen) == len(set(seen)) >= 5


def test_a_retry_begins_another_run_and_is_written_down(
    use: Wiring, open_browser: OpenBrowser, admin: Browser
) -> None:
    person = open_browser()
    person.sign_in(some_email())
    ask(person)
    saga_id = saga_of(use, person)

    answer = admin.client.post(
        ADMIN, json={"deletionId": str(saga_id), "action": "RETRY"}, headers=admin.bearer()
    )

    assert (answer.status_code, answer.json) == (200, {"success": True})
    with use.read() as tx:
        deletion = tx.deletions.get(saga_id)
    assert deletion is not None
    assert deletion.attempt == 2
    log = admin.client.get(
        "/api/v1/admin/audit?action=DELETION_RETRIED&limit=1", headers=admin.bearer()
    ).json
    assert log is not None
    assert log["entries"][0]["after"] == {"deletion": str(saga_id), "attempt": 2}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"deletionId": str(uuid4()), "action": "RETRY"}, 404, "UNKNOWN_DELETION"),
        ({"deletionId": "x", "action": "RETRY"}, 422, "INVALID_FIELDS"),
        ({"deletionId": str(uuid4()), "action": "UNDO"}, 422, "INVALID_FIELDS"),
        ({"action": "RETRY"}, 422, "INVALID_FIELDS"),
        ({"deletionId": str(uuid4()), "action": "RETRY", "force": 1}, 422, "INVALID_FIELDS"),
    ],
)
def test_a_retry_of_something_else_is_refused(
    admin: Browser, body: dict[str, Any], status: int, code: str
) -> None:
    answer = admin.client.post(ADMIN, json=body, headers=admin.bearer())

    assert (answer.status_code, (answer.json or {})["code"]) == (status, code)


def test_what_came_to_nothing_is_in_the_persons_export(use: Wiring, browser: Browser) -> None:
    browser.sign_in(some_email())
    ask(browser)
    user_id = UUID(browser.session()["user"]["id"])
    with use.engine.connect() as connection:
        states = connection.execute(
            text("SELECT state FROM identity.account_deletion WHERE person_id = :id"),
            {"id": user_id},
        ).scalars()
        assert list(states) == [DeletionState.PREPARING]
    with use.read() as tx:
        told = tx.personal_data.of(user_id)
    assert told is not None
    assert [each["state"] for each in told["account_deletions"]] == [DeletionState.PREPARING]
