import pytest
from click.testing import CliRunner

from catalog_service.cli import cli
from catalog_service.seed import SeedFailed, move_ended_show
from catalog_service.wiring import Wiring

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    "IDENTITY_URL": "http://127.0.0.1:9",
    "BOOKING_URL": "http://127.0.0.1:9",
    "JWT_ISSUER": "http://127.0.0.1:9",
    "SERVICE_CLIENT_ID": "catalog",
    "MEDIA_DIR": "/nowhere",
    "SERVICE_CLIENT_SECRET": "0123456789abcdef0123456789abcdef",
    "ERASURE_KEY": "0123456789abcdef0123456789abcdef",
}


@pytest.mark.parametrize("env", ["production", ""])
def test_demonstration_data_is_for_development_only(env: str) -> None:
    result = CliRunner().invoke(cli, ["seed"], env={**ENVIRONMENT, "ENV": env})

    assert result.exit_code == 1
    assert result.output == "catalog: demonstration data needs ENV=development\n"


def test_the_ended_show_is_moved_after_it_was_made(use: Wiring) -> None:
    with pytest.raises(SeedFailed, match="seed without --after-sales first"):
        move_ended_show(use)
