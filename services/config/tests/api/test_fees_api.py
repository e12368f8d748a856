from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from config_service.domain.fees import DEFAULT_FEE_SCHEDULE
from config_service.domain.settings import FEES, Edit
from config_service.usecases.change_setting import change_setting
from config_service.wiring import Wiring
from service_kit.testing import TokenIssuer

FEES_PATH = "/api/v1/admin/fees"
SLABS: list[dict[str, Any]] = [
    {"minPrice": 0, "maxPrice": 199, "fee": 0.07},
    {"minPrice": 200, "maxPrice": 400, "fee": 0.08},
    {"minPrice": 401, "maxPrice": 1_000_000, "fee": 0.09},
]


@pytest.fixture
def admin(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.admin(uuid4())


@pytest.fixture(autouse=True)
def default_fees(use: Wiring) -> Iterator[None]:
    """The default fees, before and after each test."""

    def reset() -> None:
        with use.read() as tx:
            tag = tx.settings.standing(FEES).tag
        change_setting(
            use.begin,
            key=FEES,
            change=lambda _: DEFAULT_FEE_SCHEDULE,
            edit=Edit(author=None, reason="a test"),
            expected={tag},
        )

    reset()
    yield
    reset()


def test_admins_see_the_fees_as_the_front_end_reads_them(
    client: FlaskClient, issuer: TokenIssuer
) -> None:
    answer = client.get("/api/v1/admin/fees", headers=issuer.admin(uuid4()))

    fees = answer.json["feeConfig"]
    assert [slab["minPrice"] for slab in fees["feeSlabs"]] == [0, 200, 401]
    assert [slab["maxPrice"] for slab in fees["feeSlabs"]] == [199, 400, 1_000_000]
    assert [slab["fee"] for slab in fees["feeSlabs"]] == [0.07, 0.08, 0.09]
    assert isinstance(fees["platformFeePercent"], float)
    assert fees["lastUpdated"].endswith("Z")


def test_a_schedule_that_is_known_already_is_not_sent_again(
    client: FlaskClient, issuer: TokenIssuer, use: Wiring
) -> None:
    headers = issuer.service("booking", audience="config", scope="config:fees:read")
    first = client.get("/internal/fee-schedule", headers=headers)

    again = client.get(
        "/internal/fee-schedule", headers={**headers, "If-None-Match": first.headers["ETag"]}
    )

    with use.read() as tx:
        current = tx.settings.standing(FEES).current()
    assert first.json["version"] == current.number
    assert first.json["slabs"][1] == {"fromRupees": 200, "basisPoints": 800}
    assert (again.status_code, again.data) == (304, b"")


def test_admins_set_slabs_and_the_platform_fee_stays(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    before = client.get(FEES_PATH, headers=admin).json["feeConfig"]
    slabs = [{"minPrice": 0, "maxPrice": 99, "fee": 0.05}, {"minPrice": 100, "fee": 0.0725}]

    answer = client.post(FEES_PATH, json={"slabs": slabs}, headers=admin)

    assert answer.status_code == 200
    assert answer.json == {
        "feeConfig": {
            "platformFeePercent": 8.0,
            "feeSlabs": [slabs[0], {**slabs[1], "maxPrice": 1_000_000}],
            "version": before["version"] + 1,
            "lastUpdated": answer.json["feeConfig"]["lastUpdated"],
        }
    }
    assert client.get(FEES_PATH, headers=admin).json == answer.json


@pytest.mark.parametrize("bound", [None, 5, 10**12, 999_999.99, "", "Infinity", True])
def test_the_last_slab_is_open_ended_whatever_its_bound(
    client: FlaskClient, admin: dict[str, str], bound: Any
) -> None:
    slabs = [{"minPrice": 0, "maxPrice": 99, "fee": 0.05}, {"minPrice": 100, "fee": 0.0725}]
    last = {**slabs[1], "maxPrice": bound}

    answer = client.post(FEES_PATH, json={"slabs": [slabs[0], last]}, headers=admin)

    assert answer.status_code == 200, answer.json
    bounds = [slab["maxPrice"] for slab in answer.json["feeConfig"]["feeSlabs"]]
    assert bounds == [99, 1_000_000]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_platform_fee_is_set_in_percent_with_two_decimals(
    client: FlaskClient, admin: dict[str, str], use: Wiring, method: str
) -> None:
    body = {"slabs": SLABS, "platformFeePercent": 8.55}

    answer = client.open(FEES_PATH, method=method, json=body, headers=admin)

    assert answer.json["feeConfig"]["platformFeePercent"] == 8.55
    with use.read() as tx:
        assert tx.settings.standing(FEES).current().value.platform_fee_basis_points == 855


def test_every_fee_on_the_wire_comes_back_as_it_was_sent(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    for basis_points in range(0, 10_001, 997):
        percent, fraction = basis_points / 100, basis_points / 10_000
        body = {"slabs": [{"minPrice": 0, "fee": fraction}], "platformFeePercent": percent}

        fees = client.post(FEES_PATH, json=body, headers=admin).json["feeConfig"]

        assert (fees["platformFeePercent"], fees["feeSlabs"][0]["fee"]) == (percent, fraction)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "slabs"),
        ({"slabs": []}, "slabs"),
        ({"slabs": SLABS, "platformFeePercent": 8.555}, "platformFeePercent"),
        ({"slabs": SLABS, "platformFeePercent": "8"}, "platformFeePercent"),
        ({"slabs": SLABS, "platformFeePercent": True}, "platformFeePercent"),
        ({"slabs": SLABS, "platformFeePercent": 1e300}, "platformFeePercent"),
        ({"slabs": [{"minPrice": 0, "fee": 0.08555}]}, "slabs.0.fee"),
        ({"slabs": [{"minPrice": 0, "fee": None}]}, "slabs.0.fee"),
        ({"slabs": [{"minPrice": 0}]}, "slabs.0.fee"),
        ({"slabs": [{"minPrice": 0.5, "fee": 0.1}]}, "slabs.0.minPrice"),
        ({"slabs": [{"minPrice": "0", "fee": 0.1}]}, "slabs.0.minPrice"),
        ({"slabs": [{"minPrice": 0, "fee": 0.1, "name": "x"}]}, "slabs.0.name"),
        ({"slabs": SLABS, "author": "somebody else"}, "author"),
        ({"slabs": SLABS, "reason": ""}, "reason"),
    ],
)
def test_fees_of_a_wrong_shape_are_refused_by_field(
    client: FlaskClient, admin: dict[str, str], body: dict[str, Any], where: str
) -> None:
    answer = client.post(FEES_PATH, json=body, headers=admin)

    assert (answer.status_code, list(answer.json["errors"])) == (422, [where])


@pytest.mark.parametrize(
    "slabs",
    [
        [{**SLABS[0], "minPrice": 1}],
        [{**SLABS[0], "fee": 1.01}],
        [{**SLABS[0], "fee": -0.01}],
        [SLABS[0], SLABS[2]],
        [{**SLABS[0], "maxPrice": 200}, *SLABS[1:]],
        SLABS[::-1],
        [SLABS[0], SLABS[0]],
        [{**SLABS[0], "maxPrice": 10**7 - 1}, {**SLABS[1], "minPrice": 10**7}],
    ],
)
def test_a_slab_table_that_is_none_is_refused_and_changes_nothing(
    client: FlaskClient, admin: dict[str, str], slabs: list[dict[str, Any]]
) -> None:
    before = client.get(FEES_PATH, headers=admin).json

    answer = client.post(FEES_PATH, json={"slabs": slabs}, headers=admin)

    assert (answer.status_code, answer.json["code"]) == (422, "INVALID_FEE_SCHEDULE")
    assert client.get(FEES_PATH, headers=admin).json == before


def test_an_admin_who_says_what_was_seen_does_not_overwrite_another(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    seen = {"If-Match": client.get(FEES_PATH, headers=admin).headers["ETag"]}
    body = {"slabs": SLABS, "platformFeePercent": 9}

    first = client.post(FEES_PATH, json=body, headers={**admin, **seen})
    second = client.post(
        FEES_PATH, json={**body, "platformFeePercent": 7}, headers={**admin, **seen}
    )
    without = client.post(FEES_PATH, json={**body, "platformFeePercent": 6}, headers=admin)

    assert first.status_code == 200
    assert (second.status_code, second.json["code"]) == (412, "SETTING_CHANGED")
    assert without.json["feeConfig"]["platformFeePercent"] == 6.0


def test_the_fees_page_is_not_sent_again_to_who_knows_it(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    known = client.get(FEES_PATH, headers=admin).headers["ETag"]

    again = client.get(FEES_PATH, headers={**admin, "If-None-Match": known})
    client.post(FEES_PATH, json={"slabs": SLABS, "platformFeePercent": 9}, headers=admin)
    changed = client.get(FEES_PATH, headers={**admin, "If-None-Match": known})

    assert (again.status_code, again.data, changed.status_code) == (304, b"", 200)
