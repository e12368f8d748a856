"""Which ports are handed out for servers that are started later."""

from itertools import combinations

import pytest

from devstack import ports
from devstack.ports import free_ports


def test_no_port_is_handed_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_FREE_RANGE", range(20_000, 20_060))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    names = [str(number) for number in range(10)]

    handed_out = [port for _ in range(4) for port in free_ports(names).values()]

    assert len(set(handed_out)) == 40


def test_processes_that_share_the_tests_hand_out_ports_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ports, "_FREE_RANGE", range(21_000, 21_150))
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    names = [str(number) for number in range(30)]

    handed_out = []
    for worker in ("gw0", "gw1", "gw2"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        handed_out.append(set(free_ports(names).values()))

    assert not any(one & other for one, other in combinations(handed_out, 2))
