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


def test_a_secret_that_is_being_replaced_stands_beside_its_successor() -> None:
    other = STRONG[::-1]
    with reading({"SECRETS": f"{STRONG},{other}"}) as env:
        assert env.secrets("SECRETS", at_most=2) == (STRONG, other)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [(f"{STRONG},weak", "too weak"), (",".join([STRONG] * 3), "more than 2"), ("", "not set")],
)
def test_no_more_secrets_than_allowed_and_each_is_strong(value: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint), reading({"SECRETS": value}) as env:
        env.secrets("SECRETS", at_most=2)
