"""Whatever is sent to the service, it answers as its document says."""

from collections.abc import Iterator

import pytest

from config_service.app import create_app
from config_service.wiring import Wiring
from contracts.trying import Callers, Case, described
from devstack.listening import listening
from service_kit.testing import TokenIssuer

api = described("config")


@pytest.fixture(scope="module")
def callers(use: Wiring, issuer: TokenIssuer) -> Iterator[Callers]:
    with listening(create_app(use)) as url:
        yield Callers("config", url, issuer)


@api.parametrize()
def test_every_answer_is_as_documented(case: Case, callers: Callers) -> None:
    callers.call(case)
