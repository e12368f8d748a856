"""What somebody is told whose account cannot be deleted yet."""

from uuid import uuid4

import pytest

from booking_service.domain.deletions import Obstacle, ShowInTheWay, reasons_against

TICKETS, PAYOUT, CANCELLATION = (
    Obstacle.SHOWS_WITH_TICKETS,
    Obstacle.PAYOUT_OPEN,
    Obstacle.CANCELLATION_RUNNING,
)


def shows(obstacle: Obstacle, *titles: str) -> list[ShowInTheWay]:
    return [ShowInTheWay(uuid4(), title, obstacle) for title in titles]


@pytest.mark.parametrize(
    ("titles", "message"),
    [
        (["A"], "You have a show with sold tickets: A. Cancel it or wait until it is over."),
        (
            ["A", "B"],
            "You have 2 shows with sold tickets: A and B. Cancel them or wait until they are over.",
        ),
        (
            ["A", "B", "C"],
            "You have 3 shows with sold tickets: A, B and C."
            " Cancel them or wait until they are over.",
        ),
        (
            ["A", "B", "C", "D"],
            "You have 4 shows with sold tickets: A, B, C and 1 more."
            " Cancel them or wait until they are over.",
        ),
    ],
)
def test_shows_are_named_three_at_most(titles: list[str], message: str) -> None:
    found = shows(TICKETS, *titles)
    (reason,) = reasons_against(found)

    assert (reason.code, reason.message, reason.shows) == (TICKETS, message, found)


def test_each_obstacle_is_a_reason_of_its_own() -> None:
    found = shows(PAYOUT, "A") + shows(CANCELLATION, "B") + shows(PAYOUT, "C")

    assert {reason.code: reason.message for reason in reasons_against(found)} == {
        PAYOUT: "You have 2 shows whose earnings have not been paid out to you yet: A and C."
        " Please wait for the payouts.",
        CANCELLATION: "You have a show that is still being cancelled: B."
        " Please try again in a few minutes.",
    }


def test_nobody_is_kept_without_a_reason() -> None:
    assert reasons_against([]) == []
