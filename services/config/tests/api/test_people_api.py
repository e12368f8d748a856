from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from config_service.domain.settings import BOOKING_LIMITS, HOLD_TIME, Edit, Key
from config_service.domain.values import BookingLimits, HoldTime
from config_service.usecases.change_setting import change_setting
from config_service.wiring import Wiring
from service_kit.testing import TokenIssuer


@pytest.fixture
def identity(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.service("identity", audience="config", scope="config:people:export")


def put(use: Wiring, key: Key[Any], value: object, *, author: UUID | None) -> int:
    with use.read() as tx:
        tag = tx.settings.standing(key).tag
    edit = Edit(author=author, reason="a busy season")
    return change_setting(
        use.begin, key=key, change=lambda _: value, edit=edit, expected={tag}
    ).newest


def test_a_person_can_have_what_was_stored_of_their_changes(
    client: FlaskClient, use: Wiring, identity: dict[str, str]
) -> None:
    admin, colleague = uuid4(), uuid4()
    limits = put(use, BOOKING_LIMITS, BookingLimits(4, 8), author=admin)
    put(use, BOOKING_LIMITS, BookingLimits(10, 10), author=colleague)
    hold_time = put(use, HOLD_TIME, HoldTime(7), author=admin)
    put(use, HOLD_TIME, HoldTime(10), author=None)

    answer = client.get(f"/internal/people/{admin}/export", headers=identity)

    assert answer.status_code == 200
    assert [(each["key"], each["version"]) for each in answer.json["authoredVersions"]] == [
        ("booking-limits", limits),
        ("hold-time", hold_time),
    ]
    assert {each["reason"] for each in answer.json["authoredVersions"]} == {"a busy season"}


def test_of_a_person_who_has_changed_nothing_nothing_is_stored(
    client: FlaskClient, identity: dict[str, str]
) -> None:
    answer = client.get(f"/internal/people/{uuid4()}/export", headers=identity)

    assert answer.json == {"authoredVersions": []}
