from uuid import uuid4

from flask.testing import FlaskClient

from config_service.domain.settings import FEES
from config_service.wiring import Wiring
from service_kit.testing import TokenIssuer


def test_admins_see_the_fees_as_the_front_end_reads_them(
    client: FlaskClient, issuer: TokenIssuer
) -> None:
    answer = client.get("/api/v1/admin/fees", headers=issuer.user(uuid4(), role="ADMIN"))

    fees = answer.json["feeConfig"]
    assert [slab["minPrice"] for slab in fees["feeSlabs"]] == [0, 200, 401]
    assert [slab["maxPrice"] for slab in fees["feeSlabs"]] == [199, 400, 1_000_000]
    assert [slab["fee"] for slab in fees["feeSlabs"]] == [0.07, 0.08, 0.09]
    assert isinstance(fees["platformFeePercent"], float)
    assert fees["lastUpdated"].endswith("Z")


def test_anybody_may_see_the_slabs(client: FlaskClient) -> None:
    answer = client.get("/api/v1/config/public")

    assert answer.json["feeSlabs"][0] == {"minPrice": 0, "maxPrice": 199, "fee": 0.07}


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


def test_the_public_fees_are_documented(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]

    assert paths["/api/v1/config/public"]["get"]["x-access"] == "everyone"
