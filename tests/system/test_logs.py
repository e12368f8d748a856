"""Nobody can be found in any log, whatever people and those who run the system do."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from PIL import Image
from psycopg import sql
from tests.system.conftest import ADMIN_PASSWORD

from devstack.stack import Stack
from devstack.supervision import log_file
from devstack.testing import eventually
from devstack.visitor import SignInFailed, Visitor
from erasure_scan.scan import scan

VisitorFactory = Callable[..., Visitor]

pytestmark = pytest.mark.system

CREATOR, BUYER = "nandini.vaidyanathan@comedy.example", "farhan.ebrahimpur@comedy.example"
CREATORS_PHONE, BUYERS_PHONE = "9876501234", "+91 98765 05678"


def done(answer: requests.Response, *expected: int) -> dict[str, Any]:
    assert answer.status_code in (expected or (200, 201)), answer.text
    body: dict[str, Any] = answer.json() if answer.content else {}
    return body


def onboard(person: Visitor, name: str, phone: str) -> dict[str, str]:
    """Have somebody fill in everything there is about a person; return what identifies them."""
    answers = {"name": name, "age": 34, "city": "Hyderabad", "watchedComedy": "yes", "phone": phone}
    done(person.post("/api/v1/onboarding", answers))
    picture = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    files = {"file": (f"{name}.png", picture.getvalue(), "image/png")}
    uploaded = done(person.send("POST", "/api/v1/upload", files=files, data={"type": "profile"}))
    done(person.post("/api/v1/profile/update", {"image": uploaded["url"]}))
    person.get(uploaded["url"])
    me = done(person.get("/api/auth/me"))
    return {
        "id": me["id"],
        "email": me["email"],
        "name": name,
        "phone": phone,
        "picture": uploaded["url"],
    }


def become_a_comedian(creator: Visitor, admin: Visitor, facts: Mapping[str, str]) -> None:
    profile = {"stageName": facts["name"], "contact": facts["phone"]}
    done(creator.post("/api/v1/comedian/profile", profile))
    done(admin.get("/api/v1/admin/comedian-users?limit=100"))
    for action in ("APPROVE", "REVOKE", "ENABLE"):
        wish = {"comedianId": facts["id"], "action": action, "reason": "seen on stage"}
        done(admin.post("/api/v1/admin/comedian-users", wish))
    done(admin.get("/api/v1/admin/audit"))


def put_a_show_on(creator: Visitor, name: str) -> str:
    entry = done(creator.post("/api/v1/comedians", {"name": name, "isOwn": True}))["comedian"]
    body = {
        "title": "An Evening of Logs",
        "date": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
        "venue": "Lamakaan",
        "googleMapsLink": "https://maps.google.com/?q=Lamakaan",
        "ticketPrice": 300,
        "totalTickets": 10,
        "comedianIds": [entry["id"]],
    }
    show_id: str = done(creator.post("/api/v1/shows", body))["show"]["id"]
    done(once_allowed(lambda: creator.post(f"/api/v1/shows/{show_id}/publish")))
    return show_id


def once_allowed(ask: Callable[[], requests.Response]) -> requests.Response:
    """Ask until it is no conflict: booking hears a moment later that the creator may sell again."""
    answers: list[requests.Response] = []

    def no_conflict() -> bool:
        answers.append(ask())
        return answers[-1].status_code != 409

    eventually(no_conflict)
    return answers[-1]


def sell(show_id: str, *, buyer: Visitor, creator: Visitor, admin: Visitor) -> None:
    wish = {"showId": show_id, "quantity": 2}
    sold = once_allowed(lambda: buyer.post("/api/v1/bookings", wish))
    booking_id = done(sold)["booking"]["id"]
    done(buyer.get(f"/api/v1/bookings/{booking_id}/tickets"))
    done(creator.get(f"/api/v1/organizer/shows/{show_id}/attendees"))
    done(admin.get("/api/v1/admin/bookings", params={"q": BUYER}))
    done(admin.get("/api/v1/admin/collections"))
    done(buyer.post(f"/api/v1/bookings/{booking_id}/cancel", {}))


def use_a_token(person: Visitor, script: Visitor) -> str:
    token: str = done(person.post("/api/auth/tokens", {"name": CREATOR}))["token"]
    done(script.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}))
    return token


def go_wrong(person: Visitor, facts: Mapping[str, str], stack: Stack) -> None:
    """Do what is refused, with people in places where nobody expects them."""
    name, user_id = facts["name"], facts["id"]
    person.get(f"/api/v1/shows?q={name}")
    person.get(f"/api/v1/bookings?user={user_id}")
    person.get(f"/api/auth/callback/google?code={name}&state={user_id}")
    person.get("/api/v1/account-deletions/a-token-that-is-secret")
    person.post("/api/v1/bookings", {"showId": user_id, "quantity": name})
    person.post("/api/v1/bookings", {"showId": user_id, "quantity": 1})
    requests.get(f"{stack.settings['IDENTITY_URL']}/internal/people/{user_id}/export", timeout=10)


def sign_in_in_vain(person: Visitor, stack: Stack) -> None:
    control = f"{stack.settings['OPENID_ISSUER']}/control/next-sign-in"
    for wrong in ("email_unverified", "wrong_nonce"):
        requests.put(control, json={"misbehaviour": wrong}, timeout=10).raise_for_status()
        with pytest.raises(SignInFailed):
            person.sign_in(CREATOR)


def export_without_booking(person: Visitor, stack: Stack) -> None:
    done(person.get("/api/v1/profile/export"))
    stack.stop_process("booking")
    try:
        assert person.get("/api/v1/profile/export").status_code == 503
    finally:
        stack.start_process("booking")


def fail_in_sql(stack: Stack, facts: Mapping[str, str]) -> None:
    """Have Postgres refuse a statement with a person in its text and in the row it is about."""
    statement = sql.SQL(
        'INSERT INTO identity."user" SELECT * FROM identity."user" WHERE email = {}'
    )
    with (
        psycopg.connect(stack.db_url("identity")) as connection,
        pytest.raises(psycopg.errors.UniqueViolation, match=facts["id"]),
    ):
        connection.execute(statement.format(sql.Literal(facts["email"])))


def assert_not_in(folder: Path, values: Mapping[str, str]) -> None:
    findings = "\n".join(map(str, scan(None, [folder], values)))
    assert not findings, findings


def test_after_all_that_people_do_no_log_names_them(stack: Stack, visitor: VisitorFactory) -> None:
    creator, buyer, admin = visitor(CREATOR), visitor(BUYER), visitor("admin@comedy.example")
    admin.give_second_factor(ADMIN_PASSWORD)
    first = onboard(creator, "Nandini Vaidyanathan-Rao", CREATORS_PHONE)
    second = onboard(buyer, "Farhan O'Ebrahimpur", BUYERS_PHONE)
    become_a_comedian(creator, admin, first)
    show_id = put_a_show_on(creator, first["name"])
    sell(show_id, buyer=buyer, creator=creator, admin=admin)
    token = use_a_token(buyer, visitor())
    export_without_booking(creator, stack)
    for person, facts in ((creator, first), (buyer, second)):
        go_wrong(person, facts, stack)
        fail_in_sql(stack, facts)
    creator.sign_out()
    sign_in_in_vain(creator, stack)

    for facts in (first, second):
        kept = scan(stack.db_url("auditor"), [], facts)
        assert {finding.value for finding in kept} == facts.keys(), "the scan would see nothing"
        assert_not_in(stack.run_dir / "logs", facts)
    secrets = {
        "api token": token,
        "second factor": ADMIN_PASSWORD,
        "status link": "a-token-that-is-secret",
    }
    assert_not_in(stack.run_dir / "logs", secrets)
    assert_not_in(stack.run_dir / "metrics", {**first, **secrets})


def test_one_id_ties_all_that_is_logged_of_a_booking_together(
    stack: Stack, visitor: VisitorFactory, show_on_sale: Callable[..., dict[str, Any]]
) -> None:
    show, buyer = show_on_sale(), visitor("audience@comedy.example")

    answer = buyer.post("/api/v1/bookings", {"showId": show["id"], "quantity": 1})

    assert answer.status_code == 201, answer.text
    request_id = answer.headers["X-Request-ID"]

    def logged(process: str, field: str) -> set[str]:
        """Return what a process logged under this id: the route, or the path at the gateway."""
        lines = log_file(stack.run_dir, process).read_text().splitlines()
        told = [json.loads(line) for line in lines if request_id in line]
        return {
            str(each.get("route") or each["request"]["uri"])
            for each in told
            if each.get(field) == request_id
        }

    eventually(
        lambda: bool(
            logged("gateway", "request_id")
            and logged("identity", "requestId")
            and logged("booking", "requestId")
        )
    )
    assert logged("gateway", "request_id") == {"/api/v1/bookings"}
    assert logged("identity", "requestId") == {"/auth/exchange"}
    assert logged("booking", "requestId") == {"/api/v1/bookings"}
