"""Publishing and rescheduling: the wish, the work it leaves, and both outcomes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeKind, ChangeStatus, ShowChange, Wish
from catalog_service.domain.edits import Edit
from catalog_service.domain.errors import (
    AlreadyPublished,
    ChangeInProgress,
    NotApproved,
    ShowInThePast,
    ShowNotFound,
)
from catalog_service.domain.offers import Refusal
from catalog_service.domain.shows import Show, ShowStatus
from catalog_service.usecases.ask_booking import ask_booking
from catalog_service.usecases.await_change import await_change
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.settle_change import settle_change
from catalog_service.wiring import Wiring

SOLD = Refusal("HAS_ACTIVE_BOOKINGS", "Tickets have been sold.")
ADMIN = Actor(id=uuid4(), role="ADMIN", approved=False)

ShowFactory = Callable[..., Show]


def make_actor(role: str = "ORGANIZER", *, approved: bool = True) -> Actor:
    return Actor(id=uuid4(), role=role, approved=approved)


def publish(use: Wiring, show: Show, actor: Actor) -> ShowChange:
    return publish_show(use.begin, actor=actor, show_id=show.id, now=use.now())


def move(use: Wiring, show: Show, starts_at: datetime) -> ShowChange | None:
    edit = Edit({"starts_at": starts_at})
    return edit_show(
        use.begin, actor=ADMIN, show_id=show.id, edit=edit, seen_version=None, now=use.now()
    )


def stored(use: Wiring, show_id: UUID) -> Show:
    with use.read() as tx:
        show = tx.shows.find(show_id)
    assert show is not None
    return show


def enqueued(use: Wiring, work_id: str) -> bool:
    with use.engine.connect() as connection:
        query = text(
            "SELECT name FROM catalog_workflows.workflow_status "
            "WHERE workflow_uuid = :id AND status = 'ENQUEUED' AND queue_name = 'catalog'"
        )
        return connection.scalar(query, {"id": work_id}) is not None


def test_a_draft_is_mirrored_to_booking(use: Wiring, draft: ShowFactory) -> None:
    show = draft()

    assert show.version == 1
    assert enqueued(use, f"mirror:{show.id}:1")


def test_publishing_stores_the_wish_and_the_work_and_leaves_the_show_alone(
    use: Wiring, draft: ShowFactory
) -> None:
    owner = make_actor()
    show = draft(by=owner)

    change = publish(use, show, owner)

    assert (change.status, change.version) == (ChangeStatus.OPEN, 2)
    assert enqueued(use, f"change:{change.id}")
    assert stored(use, show.id) == show


def test_a_wish_that_is_rolled_back_leaves_neither_change_nor_work(
    use: Wiring, draft: ShowFactory
) -> None:
    owner = make_actor()
    show = draft(by=owner)

    def wish_and_fail() -> None:
        with use.begin() as tx:
            change = tx.changes.open(show, ChangeKind.PUBLISH, Wish(), actor_id=owner.id)
            tx.work.decide_change(change.id)
            opened.append(change.id)
            raise RuntimeError("changed my mind")

    opened: list[UUID] = []
    with pytest.raises(RuntimeError):
        wish_and_fail()

    with use.read() as tx:
        assert tx.changes.open_of(show.id) is None
    assert not enqueued(use, f"change:{opened[0]}")


def test_an_accepted_change_is_applied_once(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    change = publish(use, show := draft(by=owner), owner)

    settle_change(use.begin, change_id=change.id, refusal=None)
    once = stored(use, show.id)
    settle_change(use.begin, change_id=change.id, refusal=None)
    settle_change(use.begin, change_id=change.id, refusal=SOLD)

    assert (once.status, once.version) == (ShowStatus.PUBLISHED, change.version)
    assert stored(use, show.id) == once
    outcome = await_change(use.read, change_id=change.id, seconds=0)
    assert (outcome.status, outcome.refusal_code) == (ChangeStatus.APPLIED, None)
    assert outcome.decided_at is not None


def test_a_refused_change_is_dropped_and_its_version_is_never_used_again(
    use: Wiring, draft: ShowFactory
) -> None:
    owner = make_actor()
    change = publish(use, show := draft(by=owner), owner)

    settle_change(use.begin, change_id=change.id, refusal=SOLD)

    after = stored(use, show.id)
    assert (after.status, after.version) == (ShowStatus.DRAFT, change.version + 1)
    assert enqueued(use, f"mirror:{show.id}:{after.version}")
    outcome = await_change(use.read, change_id=change.id, seconds=0)
    assert (outcome.status, outcome.refusal_code) == (ChangeStatus.REFUSED, SOLD.code)
    assert publish(use, show, owner).version == after.version + 1


def test_a_version_that_booking_is_ahead_of_is_left_behind(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    change = publish(use, show := draft(by=owner), owner)

    settle_change(use.begin, change_id=change.id, refusal=Refusal("OUTDATED", "…", 40))

    assert stored(use, show.id).version == 41


def test_a_second_change_meanwhile_is_refused(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    show = draft(by=owner)
    publish(use, show, owner)

    with pytest.raises(ChangeInProgress):
        publish(use, show, owner)
    with pytest.raises(ChangeInProgress):
        move(use, show, use.now())


def test_of_many_at_once_one_change_is_opened(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    show = draft(by=owner)

    def attempt(_: int) -> str:
        try:
            publish(use, show, owner)
        except ChangeInProgress:
            return "in progress"
        return "opened"

    with ThreadPoolExecutor(8) as people:
        outcomes = list(people.map(attempt, range(8)))

    assert outcomes.count("opened") == 1


def test_settling_and_wishing_at_once_never_deadlock(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    show = draft(by=owner)
    change = publish(use, show, owner)

    def wish(number: int) -> None:
        with suppress(ChangeInProgress):
            move(use, show, show.details.starts_at + timedelta(days=number))

    with ThreadPoolExecutor(6) as people:
        wishes = [people.submit(wish, number) for number in range(1, 6)]
        settle_change(use.begin, change_id=change.id, refusal=None)
        for each in wishes:
            each.result()

    assert stored(use, show.id).status is ShowStatus.PUBLISHED


def test_the_database_refuses_a_second_open_change(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    change = publish(use, draft(by=owner), owner)
    statement = text(
        "INSERT INTO catalog.show_change (id, show_id, kind, wish, version, status, actor_id) "
        "SELECT :id, show_id, kind, wish, version + 1, status, actor_id "
        "FROM catalog.show_change WHERE id = :other"
    )

    with pytest.raises(IntegrityError, match="uq_show_change_open"), use.engine.begin() as link:
        link.execute(statement, {"id": uuid4(), "other": change.id})


def test_booking_is_not_asked_about_a_change_that_is_decided(
    use: Wiring, draft: ShowFactory
) -> None:
    owner = make_actor()
    change = publish(use, draft(by=owner), owner)
    settle_change(use.begin, change_id=change.id, refusal=SOLD)

    assert ask_booking(use.read, use.offers, change_id=change.id) is None
    assert ask_booking(use.read, use.offers, change_id=uuid4()) is None


def test_waiting_ends_with_the_outcome_or_with_the_time(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    change = publish(use, draft(by=owner), owner)

    assert await_change(use.read, change_id=change.id, seconds=0.1).status is ChangeStatus.OPEN
    with ThreadPoolExecutor(1) as waiter:
        outcome = waiter.submit(await_change, use.read, change_id=change.id, seconds=10)
        settle_change(use.begin, change_id=change.id, refusal=None)
        assert outcome.result().status is ChangeStatus.APPLIED
    with pytest.raises(ShowNotFound):
        await_change(use.read, change_id=uuid4(), seconds=0)


def test_a_change_that_is_gone_with_its_show_is_left_alone(use: Wiring) -> None:
    settle_change(use.begin, change_id=uuid4(), refusal=None)


def test_a_show_that_began_is_not_published(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    show = draft(by=owner)

    with pytest.raises(ShowInThePast):
        publish_show(use.begin, actor=owner, show_id=show.id, now=show.details.starts_at)


def test_a_published_show_is_not_published_again(use: Wiring, published: ShowFactory) -> None:
    owner = make_actor()

    with pytest.raises(AlreadyPublished):
        publish(use, published(by=owner), owner)


def test_nobody_publishes_what_is_anothers(use: Wiring, draft: ShowFactory) -> None:
    with pytest.raises(ShowNotFound):
        publish(use, draft(), make_actor())


def test_an_unapproved_creator_does_not_publish(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()
    show = draft(by=owner)

    with pytest.raises(NotApproved):
        publish(use, show, Actor(id=owner.id, role="ORGANIZER", approved=False))


def test_an_admin_publishes_anybodys_show(use: Wiring, draft: ShowFactory) -> None:
    assert publish(use, draft(), ADMIN).actor_id == ADMIN.id


def test_an_admin_moves_a_show_even_into_the_past(use: Wiring, published: ShowFactory) -> None:
    show = published()
    past = datetime.now(UTC) - timedelta(days=1)

    change = move(use, show, past)
    assert change is not None
    settle_change(use.begin, change_id=change.id, refusal=None)

    assert change.kind is ChangeKind.RESCHEDULE
    assert stored(use, show.id).details.starts_at == past
