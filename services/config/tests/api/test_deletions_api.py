"""What identity asks for when an account is deleted: fence, lift, purge, remains."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from config_service import models
from config_service.domain.errors import AccountClosed
from config_service.domain.settings import HOLD_TIME, Edit, Standing
from config_service.domain.values import HoldTime
from config_service.usecases.change_setting import change_setting
from config_service.usecases.find_remains import PAGE
from config_service.wiring import Wiring
from service_kit.testing import TokenIssuer

Tell = Callable[[str, UUID, UUID], Any]

# What becomes of each column at the purge of a person.
COLUMNS = {
    "author": {"reference": "the row goes", "user_id": "the row goes"},
    "setting_version": {
        "author": "a random name that is nobody's any more",
        **dict.fromkeys(
            ("key", "version", "value", "effective_from", "reason", "created_at"), "stays"
        ),
    },
    "fee_schedule_version": {
        "author": "a random name that is nobody's any more",
        **dict.fromkeys(
            (
                "version",
                "platform_fee_basis_points",
                "slabs",
                "effective_from",
                "reason",
                "created_at",
            ),
            "stays",
        ),
    },
    "account_deletion": {
        "person_hash": "a keyed hash",
        **dict.fromkeys(("saga_id", "state", "counts", "created_at", "ended_at"), "stays"),
    },
    "rate_count": {
        "digest": "a keyed hash, gone after three minutes",
        **dict.fromkeys(("ends_at", "total"), "is about nobody"),
    },
}


@pytest.fixture
def identity(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.service("identity", audience="config", scope="config:purge-user")


@pytest.fixture
def tell(client: FlaskClient, identity: dict[str, str]) -> Tell:
    def post(command: str, saga_id: UUID, person_id: UUID) -> Any:
        path = f"/internal/deletions/{saga_id}/{command}"
        answer = client.post(path, json={"personId": str(person_id)}, headers=identity)
        if answer.status_code == 409:
            return answer.get_json()["code"]
        assert answer.status_code == 200, answer.get_json()
        assert answer.get_json()["reasons"] == []
        return answer.get_json()["state"]

    return post


@pytest.fixture
def remains(client: FlaskClient, identity: dict[str, str], use: Wiring) -> Any:
    def ask(*people: UUID) -> set[str]:
        hashes = [use.hashes.of(person_id).hex() for person_id in people]
        answer = client.post(
            "/internal/deletions/remains", json={"personHashes": hashes}, headers=identity
        )
        assert answer.status_code == 200, answer.get_json()
        return set(answer.get_json()["personIds"])

    return ask


def set_hold_time(use: Wiring, author: UUID) -> Standing[HoldTime]:
    with use.read() as tx:
        minutes = tx.settings.standing(HOLD_TIME).current().value.minutes
        tag = tx.settings.standing(HOLD_TIME).tag
    return change_setting(
        use.begin,
        key=HOLD_TIME,
        change=lambda _: HoldTime(11 if minutes == 10 else 10),
        edit=Edit(author, "a busy season"),
        expected={tag},
    )


def everything(use: Wiring, *, but: str = "") -> dict[str, list[str]]:
    tables = [table.fullname for table in models.Base.metadata.sorted_tables if table.name != but]
    with use.engine.connect() as connection:
        return {
            table: sorted(
                connection.scalars(text(f"SELECT row_to_json(t)::text FROM {table} AS t"))  # noqa: S608
            )
            for table in tables
        }


def test_every_column_is_known_to_go_or_to_name_nobody() -> None:
    columns = {
        table.name: set(table.columns.keys()) for table in models.Base.metadata.sorted_tables
    }

    assert columns == {name: set(treated) for name, treated in COLUMNS.items()}


def test_after_the_purge_nothing_names_the_person_and_every_version_stays(
    use: Wiring, tell: Tell, client: FlaskClient, identity: dict[str, str]
) -> None:
    person, saga = uuid4(), uuid4()
    version = set_hold_time(use, person).current()
    set_hold_time(use, person)
    assert version.author == str(person)

    tell("fence", saga, person)
    path = f"/internal/deletions/{saga}/purge"
    answers = [
        client.post(path, json={"personId": str(person)}, headers=identity).get_json()
        for _ in range(2)
    ]

    assert answers == 2 * [
        {"state": "PURGED", "reasons": [], "counts": {"settingVersionsAnonymised": 2}}
    ]
    assert str(person) not in str(everything(use))
    with use.read() as tx:
        history = tx.settings.history(HOLD_TIME, before=None, limit=2)
    assert [(each.author, each.reason) for each in history] == 2 * [(None, "a busy season")]


def test_a_fence_that_is_lifted_has_changed_nothing(use: Wiring, tell: Tell) -> None:
    person, saga = uuid4(), uuid4()
    set_hold_time(use, person)
    before = everything(use, but="account_deletion")

    assert [tell("fence", saga, person) for _ in range(2)] == ["FENCED", "FENCED"]
    assert [tell("lift", saga, person) for _ in range(2)] == ["LIFTED", "LIFTED"]

    assert everything(use, but="account_deletion") == before
    assert tell("fence", uuid4(), person) == "FENCED"


def test_commands_that_arrive_in_the_wrong_order_change_nothing(tell: Tell) -> None:
    person, saga, unfenced = uuid4(), uuid4(), uuid4()

    assert tell("lift", saga, person) == "LIFTED"
    assert tell("fence", saga, person) == "LIFTED"
    assert tell("purge", saga, person) == "LIFTED"
    assert tell("purge", unfenced, person) == "PURGED"
    assert tell("fence", unfenced, person) == "PURGED"
    assert tell("lift", unfenced, person) == "PURGED"


def test_a_person_has_one_deletion_and_a_deletion_one_person(tell: Tell) -> None:
    person, saga = uuid4(), uuid4()
    tell("fence", saga, person)

    assert tell("fence", uuid4(), person) == "ANOTHER_DELETION"
    assert tell("fence", saga, uuid4()) == "ANOTHER_DELETION"
    assert tell("lift", saga, uuid4()) == "ANOTHER_DELETION"
    assert tell("purge", saga, uuid4()) == "ANOTHER_DELETION"
    tell("purge", saga, person)
    assert tell("fence", uuid4(), person) == "ANOTHER_DELETION"


def test_a_purge_after_a_restored_backup_takes_over_what_the_backup_was_about_to_decide(
    use: Wiring, tell: Tell
) -> None:
    person, before, replayed = uuid4(), uuid4(), uuid4()
    set_hold_time(use, person)
    tell("fence", before, person)

    assert tell("purge", replayed, person) == "PURGED"
    assert tell("purge", uuid4(), person) == "PURGED"
    assert tell("fence", before, person) == "LIFTED"
    assert str(person) not in str(everything(use))


def test_somebody_who_is_gone_changes_no_setting(use: Wiring, tell: Tell) -> None:
    person, saga = uuid4(), uuid4()
    tell("fence", saga, person)
    set_hold_time(use, person)
    tell("purge", saga, person)
    before = everything(use)

    with pytest.raises(AccountClosed):
        set_hold_time(use, person)

    assert everything(use) == before


def test_a_change_at_the_moment_of_the_purge_is_forgotten_or_refused(
    use: Wiring, tell: Tell
) -> None:
    for _ in range(6):
        person, at_once = uuid4(), Barrier(2)

        def change(person: UUID = person, at_once: Barrier = at_once) -> bool:
            at_once.wait()
            try:
                set_hold_time(use, person)
            except AccountClosed:
                return False
            return True

        with ThreadPoolExecutor(1) as admin:
            changed = admin.submit(change)
            at_once.wait()
            assert tell("purge", uuid4(), person) == "PURGED"
            changed.result()
        assert str(person) not in str(everything(use))


def test_remains_are_the_people_asked_for_who_are_stored(
    use: Wiring, tell: Tell, remains: Any
) -> None:
    here, gone, other = uuid4(), uuid4(), uuid4()
    for person in (here, gone, other):
        set_hold_time(use, person)
    tell("purge", uuid4(), gone)

    assert remains(here, gone, uuid4()) == {str(here)}


def test_who_does_not_remain_is_remembered_as_gone(use: Wiring, tell: Tell, remains: Any) -> None:
    person, saga_id = uuid4(), uuid4()

    assert remains(person) == remains(person) == set()

    with pytest.raises(AccountClosed):
        set_hold_time(use, person)
    assert tell("purge", saga_id, person) == "PURGED"


def test_remains_are_found_however_many_people_there_are(use: Wiring, remains: Any) -> None:
    crowd = [uuid4() for _ in range(2 * PAGE)]
    with use.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO config.author (reference, user_id) VALUES (:id, :id)"),
            [{"id": person} for person in crowd],
        )

    sought = [crowd[0], crowd[PAGE], crowd[-1]]
    assert remains(*sought) == set(map(str, sought))

    with use.engine.begin() as connection:
        connection.execute(
            text("DELETE FROM config.author WHERE user_id = ANY (:ids)"), {"ids": crowd}
        )


@pytest.mark.parametrize(
    "hashes", [[], ["0" * 63], ["G" * 64], ["A" * 64], ["0" * 64 + "\n"], ["0" * 64] * 1001]
)
def test_what_is_no_list_of_hashes_is_refused(
    client: FlaskClient, identity: dict[str, str], hashes: list[str]
) -> None:
    answer = client.post(
        "/internal/deletions/remains", json={"personHashes": hashes}, headers=identity
    )

    assert answer.status_code == 422
