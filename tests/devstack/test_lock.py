import os
from pathlib import Path

import pytest

from devstack.errors import StackError
from devstack.lock import runner, running


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


def test_a_folder_with_other_things_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(StackError, match="holds other things"), running(tmp_path):
        pass
