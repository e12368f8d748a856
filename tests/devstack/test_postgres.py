import os
import pwd
import socket
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from devstack.errors import StackError
from devstack.ports import free_ports
from devstack.postgres import Postgres
from devstack.reach import home_of_cluster
from devstack.settings import Settings, resolve
from devstack.supervision import Supervisor, pid_of


def server(settings: Settings) -> Postgres:
    return Postgres(settings, Supervisor(settings.run_dir))


def test_it_listens_on_loopback_only_and_never_runs_as_root(postgres: Postgres) -> None:
    pid = pid_of(postgres.settings.run_dir, "postgres")
    process = psutil.Process(pid)

    listening = [c.laddr for c in process.net_connections("all") if c.status == "LISTEN"]
    assert listening == [("127.0.0.1", postgres.port)]
    assert process.uids().real == (
        pwd.getpwnam("nobody").pw_uid if not os.geteuid() else os.geteuid()
    )
    assert 0 not in (*process.uids(), *process.gids())


def test_a_wrong_password_opens_nothing(postgres: Postgres) -> None:
    url = postgres.settings.database_url("booking")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(url, password="a guess")


def test_a_taken_port_is_refused_naming_port_variable_and_holder(run_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        postgres = server(resolve(run_dir, {"PG_PORT": str(port)}))

        with pytest.raises(
            StackError, match=rf"port {port} is taken by .* \(pid {os.getpid()}\); .*PG_PORT="
        ):
            postgres.start()
    assert not postgres.data.exists()


def test_another_postgres_at_the_port_is_refused_even_if_it_takes_our_password(
    postgres: Postgres, run_dir: Path
) -> None:
    stranger = server(replace(postgres.settings, run_dir=run_dir))

    with pytest.raises(StackError, match=f"another Postgres answers at port {postgres.port}"):
        stranger.require_ours()


def test_data_outlives_the_server_even_if_it_is_killed(run_dir: Path) -> None:
    settings = resolve(run_dir, {"PG_PORT": free_port()})
    ours = server(settings)
    url = settings.database_url("postgres").replace("/comedy_connect", "/postgres")
    try:
        ours.start()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        pid = pid_of(run_dir, "postgres")
        assert pid is not None
        os.kill(pid, 9)
        ours.stop()
        ours.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        ours.stop()


def test_a_password_that_is_not_the_one_of_the_data_is_named(run_dir: Path) -> None:
    port = free_port()
    ours = server(resolve(run_dir, {"PG_PORT": port}))
    try:
        ours.start()
    finally:
        ours.stop()
    other = server(resolve(run_dir, {"PG_PORT": port, "POSTGRES_PASSWORD": "another"}))

    try:
        with pytest.raises(StackError, match="POSTGRES_PASSWORD"):
            other.start()
    finally:
        other.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="for root only")
def test_for_root_data_that_the_server_cannot_reach_is_kept_elsewhere(run_dir: Path) -> None:
    run_dir.chmod(0o700)
    assert not home_of_cluster(run_dir).is_relative_to(run_dir)


def free_port() -> str:
    return free_ports(["PG_PORT"])["PG_PORT"]
