import pytest

from service_kit.settings import SettingsError, reading

STRONG = "k3J9xQ2mV7pL0sT5wB8nR4yH6dF1gZcA"


def test_all_problems_are_named_at_once_and_no_value_is() -> None:
    values = {"PORT": "many", "URL": "nowhere", "SECRET": "hunter2", "MODE": "party"}

    with pytest.raises(SettingsError) as refused, reading(values) as env:  # noqa: PT012
        env.text("NAME")
        env.integer("PORT")
        env.url("URL")
        env.secret("SECRET")
        env.choice("MODE", ("work", "rest"))

    message = str(refused.value)
    assert all(name in message for name in ("NAME", "PORT", "URL", "SECRET", "MODE"))
    assert "hunter2" not in message


def test_good_values_are_returned_in_their_types() -> None:
    values = {"PORT": "8080", "URL": "http://localhost:1/", "SECRET": STRONG, "EMPTY": ""}

    with reading(values) as env:
        assert env.integer("PORT") == 8080
        assert env.url("URL") == "http://localhost:1"
        assert env.secret("SECRET") == STRONG
        assert env.text("EMPTY", "default") == "default"


@pytest.mark.parametrize("weak", ["short", "a" * 64, "ab" * 32])
def test_a_weak_secret_stops_the_boot(weak: str) -> None:
    with pytest.raises(SettingsError, match="too weak"), reading({"SECRET": weak}) as env:
        env.secret("SECRET")
