from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, NoReturn
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from config_service.app import create_app
from config_service.domain.settings import KEYS
from config_service.wiring import Wiring
from service_kit.testing import TokenIssuer

PATH = "/api/v1/admin/config"
ADMIN = uuid4()

VALUES: dict[str, dict[str, Any]] = {
    "fees": {
        "platformFeePercent": 8.5,
        "feeSlabs": [
            {"minPrice": 0, "maxPrice": 499, "fee": 0.07},
            {"minPrice": 500, "maxPrice": 1_000_000, "fee": 0.0925},
        ],
    },
    "booking-limits": {"ticketsPerBooking": 6, "ticketsPerPersonAndShow": 8},
    "hold-time": {"minutes": 12},
    "refund-policy": {
        "tiers": [
            {"hoursBeforeStart": 48, "refundPercent": 100.0},
            {"hoursBeforeStart": 24, "refundPercent": 33.33},
        ],
        "refundsConvenienceFee": True,
    },
    "retention": {"years": 27},
}


@pytest.fixture
def admin(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.admin(ADMIN)


@pytest.fixture(autouse=True)
def as_before(client: FlaskClient, admin: dict[str, str]) -> Iterator[None]:
    """What is in force before a test is in force after it, with nothing scheduled."""
    before = all_settings(client, admin)
    yield
    for setting in before.values():
        put(client, admin, setting["key"], setting["current"]["value"])


def all_settings(client: FlaskClient, admin: dict[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = client.get(PATH, headers=admin).get_json()
    return settings


def put(
    client: FlaskClient, admin: dict[str, str], key: str, value: Any, **more: Any
) -> dict[str, Any]:
    tag = client.get(f"{PATH}/{key}", headers=admin).headers["ETag"]
    answer = client.put(
        f"{PATH}/{key}",
        json={"value": value, "reason": "a test", **more},
        headers={**admin, "If-Match": tag},
    )
    assert answer.status_code == 200, answer.json
    setting: dict[str, Any] = answer.get_json()
    return setting


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="milliseconds")


def test_every_key_has_a_value_to_try() -> None:
    assert set(VALUES) == {key.name for key in KEYS}


@pytest.mark.parametrize("key", VALUES)
def test_a_value_comes_back_as_it_was_put_with_author_and_reason(
    client: FlaskClient, admin: dict[str, str], key: str
) -> None:
    before = client.get(f"{PATH}/{key}", headers=admin).json["current"]

    answer = put(client, admin, key, VALUES[key])

    current = answer["current"]
    assert answer == {"key": key, "current": current, "scheduled": []}
    assert current == {
        "version": before["version"] + 1,
        "value": VALUES[key],
        "state": "IN_FORCE",
        "effectiveFrom": current["effectiveFrom"],
        "author": str(ADMIN),
        "reason": "a test",
        "createdAt": current["createdAt"],
    }
    assert current["effectiveFrom"].endswith("Z")
    assert client.get(f"{PATH}/{key}", headers=admin).json == answer


def test_all_settings_are_shown_at_once(client: FlaskClient, admin: dict[str, str]) -> None:
    everything = all_settings(client, admin)

    assert list(everything) == [
        "fees",
        "bookingLimits",
        "holdTime",
        "refundPolicy",
        "retention",
    ]
    for setting in everything.values():
        assert client.get(f"{PATH}/{setting['key']}", headers=admin).json == setting


@pytest.mark.parametrize("path", [PATH, f"{PATH}/hold-time"])
def test_what_is_known_already_is_not_sent_again(
    client: FlaskClient, admin: dict[str, str], path: str
) -> None:
    known = {"If-None-Match": client.get(path, headers=admin).headers["ETag"]}

    again = client.get(path, headers={**admin, **known})
    put(client, admin, "hold-time", {"minutes": 17}, effectiveFrom=in_an_hour())
    scheduled = client.get(path, headers={**admin, **known})

    assert (again.status_code, again.data, scheduled.status_code) == (304, b"", 200)


@pytest.mark.parametrize("key", VALUES)
def test_a_change_must_say_what_was_seen(
    client: FlaskClient, admin: dict[str, str], key: str
) -> None:
    before = client.get(f"{PATH}/{key}", headers=admin).json
    body = {"value": VALUES[key], "reason": "a test"}

    unsaid = client.put(f"{PATH}/{key}", json=body, headers=admin)
    stale = client.put(
        f"{PATH}/{key}", json=body, headers={**admin, "If-Match": f'"{key}-0-0", W/"x"'}
    )

    assert (unsaid.status_code, unsaid.json["code"]) == (428, "IF_MATCH_REQUIRED")
    assert (stale.status_code, stale.json["code"]) == (412, "SETTING_CHANGED")
    assert client.get(f"{PATH}/{key}", headers=admin).json == before


def test_of_two_admins_who_save_at_the_same_time_one_is_told_412(
    use: Wiring, client: FlaskClient, admin: dict[str, str]
) -> None:
    path = f"{PATH}/hold-time"
    tag = client.get(path, headers=admin).headers["ETag"]
    app = create_app(use)
    at_once = Barrier(2)

    def save(minutes: int) -> int:
        at_once.wait()
        answer = app.test_client().put(
            path,
            json={"value": {"minutes": minutes}, "reason": "a race"},
            headers={**admin, "If-Match": tag},
        )
        return answer.status_code

    with ThreadPoolExecutor(max_workers=2) as admins:
        assert sorted(admins.map(save, (21, 22))) == [200, 412]


def test_a_scheduled_change_is_shown_beside_what_is_in_force(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    before = client.get(f"{PATH}/hold-time", headers=admin).json["current"]

    answer = put(client, admin, "hold-time", {"minutes": 19}, effectiveFrom=in_an_hour())

    assert answer["current"] == before
    assert [(one["value"], one["state"]) for one in answer["scheduled"]] == [
        ({"minutes": 19}, "SCHEDULED")
    ]


def test_the_fees_page_does_not_replace_a_scheduled_change_unseen(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    put(client, admin, "fees", VALUES["fees"], effectiveFrom=in_an_hour())
    body = {"slabs": VALUES["fees"]["feeSlabs"], "platformFeePercent": 1}

    unseen = client.post("/api/v1/admin/fees", json=body, headers=admin)
    tag = client.get("/api/v1/admin/fees", headers=admin).headers["ETag"]
    seen = client.post("/api/v1/admin/fees", json=body, headers={**admin, "If-Match": tag})

    assert (unseen.status_code, unseen.json["code"]) == (409, "CHANGE_SCHEDULED")
    assert seen.json["feeConfig"]["platformFeePercent"] == 1.0


@pytest.mark.parametrize(
    "instant",
    ["2020-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_change_in_the_past_or_in_the_far_future_is_refused(
    client: FlaskClient, admin: dict[str, str], instant: str
) -> None:
    answer = client.put(
        f"{PATH}/hold-time",
        json={"value": {"minutes": 5}, "reason": "a test", "effectiveFrom": instant},
        headers={**admin, "If-Match": "*"},
    )

    assert (answer.status_code, answer.json["code"]) == (422, "EFFECTIVE_FROM_REFUSED")


@pytest.mark.parametrize(
    ("key", "change", "field"),
    [
        ("hold-time", {"value": {}}, "value.minutes"),
        ("hold-time", {"value": {"minutes": "5"}}, "value.minutes"),
        ("hold-time", {"value": {"minutes": 5, "seconds": 1}}, "value.seconds"),
        ("hold-time", {"value": {"years": 5}}, "value.minutes"),
        ("hold-time", {"reason": " "}, "reason"),
        ("hold-time", {"reason": "x" * 501}, "reason"),
        ("hold-time", {"reason": "a\x00b"}, "reason"),
        ("hold-time", {"effectiveFrom": "2030-01-01T00:00:00"}, "effectiveFrom"),
        ("hold-time", {"author": "somebody else"}, "author"),
        ("fees", {"value": {"platformFeePercent": 8.001}}, "value.platformFeePercent"),
        (
            "refund-policy",
            {"value": {"refundsConvenienceFee": "true"}},
            "value.refundsConvenienceFee",
        ),
        (
            "refund-policy",
            {"value": {"tiers": [{"hoursBeforeStart": 1, "refundPercent": 0.001}]}},
            "value.tiers.0.refundPercent",
        ),
    ],
)
def test_a_value_of_a_wrong_shape_is_refused_by_field(
    client: FlaskClient, admin: dict[str, str], key: str, change: dict[str, Any], field: str
) -> None:
    body = {"value": VALUES[key], "reason": "a test", **change}

    answer = client.put(f"{PATH}/{key}", json=body, headers={**admin, "If-Match": "*"})

    assert answer.status_code == 422
    assert field in answer.json["errors"]


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("fees", {**VALUES["fees"], "feeSlabs": []}, "INVALID_FEE_SCHEDULE"),
        ("fees", {**VALUES["fees"], "platformFeePercent": 100.01}, "INVALID_FEE_SCHEDULE"),
        (
            "booking-limits",
            {"ticketsPerBooking": 11, "ticketsPerPersonAndShow": 20},
            "INVALID_SETTING",
        ),
        ("hold-time", {"minutes": 10**30}, "INVALID_SETTING"),
        ("retention", {"years": 0}, "INVALID_SETTING"),
    ],
)
def test_an_impossible_value_is_refused_by_name(
    client: FlaskClient, admin: dict[str, str], key: str, value: Any, code: str
) -> None:
    answer = client.put(
        f"{PATH}/{key}",
        json={"value": value, "reason": "a test"},
        headers={**admin, "If-Match": "*"},
    )

    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_history_lists_all_versions_newest_first_page_by_page(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    for minutes in (31, 32, 33):
        put(client, admin, "hold-time", {"minutes": minutes})
    put(client, admin, "hold-time", {"minutes": 34}, effectiveFrom=in_an_hour())
    path = f"{PATH}/hold-time/history"

    first = client.get(f"{path}?limit=3", headers=admin).json
    rest = client.get(f"{path}?cursor={first['nextCursor']}", headers=admin).json

    versions = first["history"] + rest["history"]
    assert [one["value"]["minutes"] for one in versions[:4]] == [34, 33, 32, 31]
    assert [one["state"] for one in versions[:3]] == ["SCHEDULED", "IN_FORCE", "PAST"]
    assert [one["version"] for one in versions] == list(range(len(versions), 0, -1))
    assert (versions[-1]["author"], versions[-1]["reason"]) == ("system", "initial value")
    assert rest["nextCursor"] is None


def test_reading_never_opens_a_transaction_that_may_write(
    use: Wiring, admin: dict[str, str], issuer: TokenIssuer
) -> None:
    def refuse() -> NoReturn:
        raise AssertionError("a GET opened a transaction that may write")

    client = create_app(replace(use, begin=refuse)).test_client()
    scopes = "config:fees:read config:people:export"
    service = issuer.service("a service", audience="config", scope=scopes)

    for rule in client.application.url_map.iter_rules():
        if "GET" in (rule.methods or ()):
            path = rule.rule.replace("<uuid:person_id>", str(UUID(int=1)))
            answer = client.get(path, headers=service if "internal" in path else admin)
            assert answer.status_code == 200, rule.rule


def test_an_unknown_key_is_not_found(client: FlaskClient, admin: dict[str, str]) -> None:
    assert client.get(f"{PATH}/no-such-key", headers=admin).status_code == 404
