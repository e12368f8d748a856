"""What buyers show and doors scan."""

import base64
import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask.testing import FlaskClient

from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., UUID]

CREATOR = uuid4()
QUIET_ZONE = 4


@pytest.fixture
def buyer(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.user(uuid4())


@pytest.fixture
def creator(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.user(CREATOR, role="ORGANIZER")  # whose approval was revoked


@pytest.fixture
def path(client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory) -> str:
    """The path of a booking of two tickets for tonight."""
    tonight = datetime.now(UTC) + timedelta(hours=2)
    wish = {"showId": str(show_with(creator_id=CREATOR, starts_at=tonight)), "quantity": 2}
    booking = client.post("/api/v1/bookings", json=wish, headers=buyer).json["booking"]
    return f"/api/v1/bookings/{booking['id']}"


def tickets(client: FlaskClient, path: str, buyer: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get(f"{path}/tickets", headers=buyer)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    listed: list[dict[str, Any]] = answer.json["tickets"]
    return listed


def test_a_buyer_has_a_ticket_for_every_seat(
    client: FlaskClient, path: str, buyer: dict[str, str]
) -> None:
    listed = tickets(client, path, buyer)

    assert [ticket["seat"] for ticket in listed] == [1, 2]
    assert [ticket["id"] for ticket in listed] == [f"{path[-36:]}-1", f"{path[-36:]}-2"]
    assert {(ticket["status"], ticket["paid"], ticket["admittedAt"]) for ticket in listed} == {
        ("VALID", False, None)
    }
    assert len({ticket["code"] for ticket in listed}) == 2
    assert tickets(client, path, buyer) == listed
    assert client.get(path, headers=buyer).json["booking"]["tickets"] == listed


def test_free_tickets_have_nothing_due(
    client: FlaskClient, buyer: dict[str, str], show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with(price_paise=0)), "quantity": 1}
    booking = client.post("/api/v1/bookings", json=wish, headers=buyer).json["booking"]

    [ticket] = tickets(client, f"/api/v1/bookings/{booking['id']}", buyer)

    assert ticket["paid"] is True


@pytest.mark.parametrize("ending", ["", "/1.svg", "/1.png"])
def test_nobody_else_sees_tickets(
    client: FlaskClient, path: str, issuer: TokenIssuer, ending: str
) -> None:
    for stranger in (issuer.user(uuid4()), issuer.user(CREATOR), issuer.admin(uuid4())):
        foreign = client.get(f"{path}/tickets{ending}", headers=stranger)
        unknown = client.get(f"/api/v1/bookings/{uuid4()}/tickets{ending}", headers=stranger)
        assert (foreign.status_code, foreign.json["code"]) == (404, "BOOKING_NOT_FOUND")
        assert (unknown.status_code, unknown.json["error"]) == (404, foreign.json["error"])


def test_cancelled_tickets_open_no_door(
    client: FlaskClient, path: str, buyer: dict[str, str], creator: dict[str, str]
) -> None:
    code = tickets(client, path, buyer)[0]["code"]
    client.post(f"{path}/cancel", headers=buyer)

    listed = tickets(client, path, buyer)
    scanned = client.post("/api/v1/checkins", json={"code": code, "nonce": "a"}, headers=creator)

    assert [(ticket["status"], ticket["code"]) for ticket in listed] == [("CANCELLED", None)] * 2
    assert (scanned.status_code, scanned.json["code"]) == (409, "TICKET_CANCELLED")
    for picture in ("svg", "png"):
        answer = client.get(f"{path}/tickets/1.{picture}", headers=buyer)
        assert (answer.status_code, answer.json["code"]) == (404, "TICKET_NOT_FOUND")


def modules_of_png(png: bytes, *, per_module: int) -> list[list[bool]]:
    """Return which modules of a QR code are dark, from a picture of one bit a dot."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4])
        chunks[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + length]
        at += 12 + length
    width, height = (int.from_bytes(chunks[b"IHDR"][i : i + 4]) for i in (0, 4))
    assert chunks[b"IHDR"][8:10] == b"\x01\x00"  # one bit of grey
    raw, stride = zlib.decompress(chunks[b"IDAT"]), 1 + (width + 7) // 8
    rows = [raw[y * stride : (y + 1) * stride] for y in range(0, height, per_module)]
    assert {row[0] for row in rows} == {0}  # the first dots of each module are not filtered
    columns = range(0, width, per_module)
    return [[not row[1 + x // 8] >> (7 - x % 8) & 1 for x in columns] for row in rows]


def modules_of_svg(svg: bytes) -> list[list[bool]]:
    """Return which modules of a QR code are dark, from lines along its rows."""
    root = ElementTree.fromstring(svg)  # noqa: S314 our own answer
    size = int(root.attrib["viewBox"].split()[2])
    dark = [[False] * size for _ in range(size)]
    path = root.findall("{http://www.w3.org/2000/svg}path")[-1].attrib["d"]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]+)", path):
        values = [float(each) for each in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for column in range(int(x), int(x + values[0])):
                dark[int(y)][column] = True
            x += values[0]
    return dark


def test_the_pictures_say_what_the_code_says(
    client: FlaskClient, path: str, buyer: dict[str, str]
) -> None:
    for ticket in tickets(client, path, buyer):
        drawn = segno.make_qr(ticket["code"], error="m")
        expected = [[bool(dark) for dark in row] for row in drawn.matrix_iter(border=QUIET_ZONE)]

        svg = client.get(f"{path}/tickets/{ticket['seat']}.svg", headers=buyer)
        png = client.get(f"{path}/tickets/{ticket['seat']}.png", headers=buyer)

        assert modules_of_svg(svg.data) == expected
        assert modules_of_png(png.data, per_module=8) == expected
        for picture, kind in ((svg, "image/svg+xml"), (png, "image/png")):
            assert picture.mimetype == kind
            assert picture.headers["Cache-Control"] == "no-store"
            assert picture.headers["X-Content-Type-Options"] == "nosniff"
        for active in (b"<script", b"style", b"href", b" on"):
            assert active not in svg.data


def test_there_is_no_picture_of_a_seat_that_was_not_booked(
    client: FlaskClient, path: str, buyer: dict[str, str]
) -> None:
    for seat in ("0", "3", "99999999999999999999"):
        answer = client.get(f"{path}/tickets/{seat}.svg", headers=buyer)
        assert (answer.status_code, answer.json["code"]) == (404, "TICKET_NOT_FOUND")
    assert client.get(f"{path}/tickets/x.svg", headers=buyer).status_code == 404


def test_the_creator_lets_a_ticket_in_once(
    client: FlaskClient, path: str, buyer: dict[str, str], creator: dict[str, str]
) -> None:
    ticket = tickets(client, path, buyer)[1]

    def scan(nonce: str) -> Any:
        body = {"code": ticket["code"], "nonce": nonce}
        return client.post("/api/v1/checkins", json=body, headers=creator)

    first, again, other = scan("first"), scan("first"), scan("other")

    assert (first.status_code, first.json["success"]) == (201, True)
    assert (again.status_code, again.json) == (201, first.json)
    admission = first.json["admission"]
    assert (admission["bookingId"], admission["seat"]) == (path[-36:], 2)
    assert (admission["quantity"], admission["show"]["title"]) == (2, "Open Mic")
    assert (admission["paid"], admission["amountDue"]) == (False, 1087.82)
    assert (other.status_code, other.json["code"]) == (409, "ALREADY_ADMITTED")
    assert other.json["admittedAt"] == admission["admittedAt"]
    assert [(each["status"], each["admittedAt"]) for each in tickets(client, path, buyer)] == [
        ("VALID", None),
        ("ADMITTED", admission["admittedAt"]),
    ]
    refused = client.post(f"{path}/cancel", headers=buyer)
    assert (refused.status_code, refused.json["code"]) == (409, "TICKET_USED")


def test_nobody_but_the_creator_and_admins_with_a_second_factor_lets_in(
    client: FlaskClient, path: str, buyer: dict[str, str], issuer: TokenIssuer
) -> None:
    body = {"code": tickets(client, path, buyer)[0]["code"], "nonce": "a"}
    other_creator = issuer.user(uuid4(), role="ORGANIZER", approved=True)

    for stranger in (buyer, other_creator, issuer.user(uuid4())):
        answer = client.post("/api/v1/checkins", json=body, headers=stranger)
        assert (answer.status_code, answer.json["code"]) == (404, "TICKET_NOT_FOUND")
    unconfirmed = client.post(
        "/api/v1/checkins", json=body, headers=issuer.user(uuid4(), role="ADMIN")
    )
    assert (unconfirmed.status_code, unconfirmed.json["code"]) == (403, "SECOND_FACTOR_REQUIRED")
    admin = client.post("/api/v1/checkins", json=body, headers=issuer.admin(uuid4()))
    assert admin.status_code == 201


def test_it_can_be_too_early(
    client: FlaskClient, buyer: dict[str, str], creator: dict[str, str], show_with: ShowFactory
) -> None:
    wish = {"showId": str(show_with(creator_id=CREATOR)), "quantity": 1}
    booking = client.post("/api/v1/bookings", json=wish, headers=buyer).json["booking"]
    [ticket] = tickets(client, f"/api/v1/bookings/{booking['id']}", buyer)

    answer = client.post(
        "/api/v1/checkins", json={"code": ticket["code"], "nonce": "a"}, headers=creator
    )

    assert (answer.status_code, answer.json["code"]) == (409, "ADMISSION_NOT_OPEN")
    assert "12 hours" in answer.json["error"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"code": "A" * 168}, 422),
        ({"code": "no ticket"}, 422),
        ({"code": "\u20b9" * 168}, 422),
        ({"code": ""}, 422),
        ({"code": "A" * 1001}, 422),
        ({"code": 1}, 422),
        ({"nonce": ""}, 422),
        ({"nonce": "with space"}, 422),
        ({"nonce": "line\n"}, 422),
        ({"nonce": "x" * 256}, 422),
        ({"seat": 1}, 422),
    ],
)
def test_what_is_no_scan_is_refused(
    client: FlaskClient, creator: dict[str, str], change: dict[str, Any], status: int
) -> None:
    body = {"code": "A" * 168, "nonce": "a", **change}

    assert client.post("/api/v1/checkins", json=body, headers=creator).status_code == status


def test_a_door_without_a_network_knows_a_ticket_by_the_public_keys(
    client: FlaskClient, path: str, buyer: dict[str, str]
) -> None:
    code = tickets(client, path, buyer)[0]["code"]

    answer = client.get("/api/v1/checkins/keys")

    assert answer.headers["Cache-Control"] == "public, max-age=60"
    keys = {key["kid"]: key for key in answer.json["keys"]}
    raw = base64.b32decode(code)
    key = keys[base64.urlsafe_b64encode(raw[1:7]).decode()]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(raw[41:], raw[:41])
