from pathlib import Path

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


def test_a_value_may_stand_in_a_file_whose_last_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{STRONG}\n")

    with reading({"SECRET_FILE": str(file)}) as env:
        assert env.secret("SECRET") == STRONG


def test_an_empty_file_counts_as_absent(tmp_path: Path) -> None:
    file = tmp_path / "level"
    file.write_text("\n")

    with reading({"LEVEL_FILE": str(file)}) as env:
        assert env.text("LEVEL", "INFO") == "INFO"


def test_a_value_and_a_file_are_one_too_many(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(STRONG)
    values = {"SECRET": STRONG, "SECRET_FILE": str(file)}

    with pytest.raises(SettingsError, match="are both set"), reading(values) as env:
        env.secret("SECRET")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named_by_its_variable(
    content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "hidden"
    if content is not None:
        file.write_bytes(content)
    values = {"LEVEL_FILE": str(file)}

    with pytest.raises(SettingsError, match="LEVEL_FILE") as refused, reading(values) as env:
        env.text("LEVEL", "INFO")
    assert "hidden" not in str(refused.value)
