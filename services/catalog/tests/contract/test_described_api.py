"""Whatever is sent to the service, it answers as its document says."""

from collections.abc import Iterator

import pytest
from services.catalog.tests.conftest import make_actor, make_details

from catalog_service.app import create_app
from catalog_service.usecases.create_show import create_show
from catalog_service.wiring import Wiring
from contracts.trying import Callers, Case, described
from devstack.listening import listening
from service_kit.testing import TokenIssuer

api = described("catalog")


@pytest.fixture(scope="module")
def callers(use: Wiring, issuer: TokenIssuer) -> Iterator[Callers]:
    creator = make_actor()
    show = create_show(
        use.begin,
        use.people,
        actor=creator,
        details=make_details(),
        comedian_ids=(),
        now=use.now(),
    )
    with listening(create_app(use)) as url:
        yield Callers(
            "catalog", url, issuer, creator_id=creator.id, known={"show_id": str(show.id)}
        )


@api.parametrize()
def test_every_answer_is_as_documented(case: Case, callers: Callers) -> None:
    callers.call(case)
