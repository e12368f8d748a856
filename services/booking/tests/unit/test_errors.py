from booking_service.api.errors import STATUS
from booking_service.domain.errors import BookingError


def test_every_refusal_has_a_status_and_a_code_of_its_own() -> None:
    refusals = [BookingError]
    for refusal in refusals:
        refusals.extend(refusal.__subclasses__())

    assert set(refusals) == set(STATUS)
    assert len({refusal.code for refusal in refusals}) == len(refusals)
