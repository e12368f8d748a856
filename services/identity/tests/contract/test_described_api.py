"""Whatever is sent to the service, it answers as its document says."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from services.identity.tests.conftest import PUBLIC_URL, PersonFactory

from contracts.trying import Callers, Case, described
from devstack.listening import listening
from identity_service.app import create_app
from identity_service.wiring import Wiring
from service_kit.testing import TokenIssuer

api = described("identity")


@pytest.fixture(scope="module")
def callers(use: Wiring, person_with: PersonFactory) -> Iterator[Callers]:
    issuer = TokenIssuer(issuer=PUBLIC_URL)
    trusting = replace(use, verifier=issuer.verifier("identity"))
    with listening(create_app(trusting)) as url:
        yield Callers(
            "identity",
            url,
            issuer,
            creator_id=person_with(),
            buyer_id=person_with(),
            admin_id=person_with(),
        )


@api.parametrize()
def test_every_answer_is_as_documented(case: Case, callers: Callers) -> None:
    callers.call(case)
