import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from config_service.app import create_app
from config_service.seed import seed
from config_service.settings import Settings
from config_service.wiring import Wiring, wire
from devstack.testing import Databases
from service_kit.testing import TokenIssuer


@pytest.fixture(scope="session")
def issuer() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture(scope="session")
def use(databases: Databases, issuer: TokenIssuer) -> Iterator[Wiring]:
    settings = Settings(
        env="development",
        log_level="INFO",
        database_url=databases.of("config").url,
        identity_url="http://127.0.0.1:9",  # nobody there: these tests need no other service
        jwt_issuer=issuer.issuer,
        erasure_key=secrets.token_urlsafe(),
        rate_limit_times=1000,  # tests ask often
    )
    wiring = replace(wire(settings), verifier=issuer.verifier("config"))
    seed(wiring.begin)
    yield wiring
    wiring.engine.dispose()


@pytest.fixture(scope="session")
def client(use: Wiring) -> FlaskClient:
    return create_app(use).test_client()
