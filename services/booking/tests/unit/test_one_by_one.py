"""What the provider cannot be asked about keeps nothing else waiting."""

import pytest

from booking_service.usecases.one_by_one import AWAY_AFTER, one_by_one
from service_kit.peers import PeerUnavailable


def asked(answers: str) -> int:
    """Return of how many things the provider was asked; it does not answer for an `x`."""
    count = 0

    def ask(answer: str) -> None:
        nonlocal count
        count += 1
        if answer == "x":
            raise PeerUnavailable.of("provider", "away")

    if "x" in answers:
        with pytest.raises(PeerUnavailable):
            one_by_one(answers, ask)
    else:
        assert one_by_one(answers, ask) == count
    return count


@pytest.mark.parametrize("answers", ["", "...", "x..", ".x.x.", "xxxx.xxxx."])
def test_everything_is_tried(answers: str) -> None:
    assert asked(answers) == len(answers)


def test_a_provider_that_is_away_is_left_alone() -> None:
    assert asked("." + "x" * 100) == 1 + AWAY_AFTER
