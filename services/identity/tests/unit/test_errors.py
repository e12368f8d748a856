from identity_service.api.errors import STATUS
from identity_service.domain.errors import IdentityError


def test_every_refusal_has_a_status_and_a_code_of_its_own() -> None:
    refusals: list[type[IdentityError]] = [IdentityError, *IdentityError.__subclasses__()]

    assert set(refusals) == set(STATUS)
    assert len({refusal.code for refusal in refusals}) == len(refusals)
