import os
from pathlib import Path

import pytest

from devstack.errors import StackError
from devstack.lock import runner, running
from devstack.settings import resolve


def test_one_folder_runs_one_stack(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with running(folder):
        assert runner(folder) == os.getpid()
        with (
            pytest.raises(StackError, match=f"runs already \\(pid {os.getpid()}\\)"),
            running(folder),
        ):
            pass
    assert runner(folder) is None
    with running(folder):
        pass


@pytest.mark.parametrize("brought", [["erasure-journal"], []], ids=["with journal", "secrets only"])
def test_a_folder_with_what_a_restore_needs_from_another_machine_is_taken(
    tmp_path: Path, brought: list[str]
) -> None:
    resolve(tmp_path, {})
    for name in brought:
        (tmp_path / name).mkdir()

    with running(tmp_path):
        assert runner(tmp_path) == os.getpid()


@pytest.mark.parametrize("name", ["thesis.tex", "erasure-journal"])
def test_secrets_of_somebody_else_do_not_make_a_folder_ours(tmp_path: Path, name: str) -> None:
    (tmp_path / "secrets.env").write_text("TOKEN=theirs\n")
    (tmp_path / name).touch()

    with pytest.raises(StackError, match="holds other things"), running(tmp_path):
        pass


def test_our_secrets_beside_other_things_do_not_make_a_folder_ours(tmp_path: Path) -> None:
    resolve(tmp_path, {})
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(StackError, match="holds other things"), running(tmp_path):
        pass


def test_a_folder_with_other_things_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(StackError, match="holds other things"), running(tmp_path):
        pass
