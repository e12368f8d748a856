"""A real Prometheus, with the configuration and the rules of production, watches the system."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from tests.observability.watching import FOLDER, expressions, rules

from devstack.ports import LOOPBACK, free_ports
from devstack.stack import Stack
from devstack.supervision import Process
from devstack.testing import eventually

PROMETHEUS = shutil.which("prometheus")
CONFIGURATION = FOLDER / "prometheus/prometheus.yml"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed"),
]


class Prometheus:
    """What there is to ask of a running one."""

    def __init__(self, port: int) -> None:
        self._url = f"http://{LOOPBACK}:{port}/api/v1"

    def get(self, what: str, **query: str) -> Any:
        answer = requests.get(f"{self._url}/{what}", query, timeout=10)
        said = answer.json()
        assert said["status"] == "success", said
        return said["data"]

    def health(self) -> dict[str, str]:
        """Return how reading each job's metrics went the last time; none while it starts."""
        with suppress(requests.RequestException):
            targets = self.get("targets", state="active")["activeTargets"]
            return {each["labels"]["job"]: each["health"] for each in targets}
        return {}

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def alarms(self) -> set[tuple[str, str]]:
        """Return what is about to be raised, and for which job."""
        alerts = self.get("alerts")["alerts"]
        return {(each["labels"]["alertname"], each["labels"].get("job", "")) for each in alerts}


def port_of(job: str, stack: Stack, own: int) -> int:
    """Return where a job of the configuration is in a stack on one machine."""
    if job == "prometheus":
        return own
    setting = "GATEWAY_METRICS" if job == "gateway" else job.upper().replace("-", "_")
    return stack.settings.ports[f"{setting}_PORT"]


@pytest.fixture
def prometheus(stack: Stack, tmp_path: Path) -> Iterator[Prometheus]:
    assert PROMETHEUS is not None
    port = int(free_ports(["PROMETHEUS"])["PROMETHEUS"])
    told: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    told["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    for job in told["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        target = f"{LOOPBACK}:{port_of(job['job_name'], stack, port)}"
        job["static_configs"] = [{"targets": [target]}]
    shutil.copytree(CONFIGURATION.parent / "rules", tmp_path / "rules")
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(told))
    words = [
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={LOOPBACK}:{port}",
    ]
    stack.supervisor.start(
        Process("prometheus", [PROMETHEUS, *words], cwd=tmp_path, env={}, port=port)
    )
    asked = Prometheus(port)
    jobs = {job["job_name"] for job in told["scrape_configs"]}
    eventually(lambda: asked.health() == dict.fromkeys(jobs, "up"), seconds=60)
    yield asked
    stack.supervisor.stop("prometheus")


def test_all_metrics_can_be_read_and_all_rules_and_panels_can_be_worked_out(
    prometheus: Prometheus,
) -> None:
    eventually(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()), seconds=60)

    assert len(prometheus.rules()) == len(rules())
    for each in expressions():
        prometheus.get("query", query=each.text)


def test_of_a_worker_that_has_stopped_somebody_is_told(
    stack: Stack, prometheus: Prometheus
) -> None:
    assert ("ServiceDown", "catalog-worker") not in prometheus.alarms()

    stack.stop_process("catalog-worker")
    try:
        eventually(lambda: ("ServiceDown", "catalog-worker") in prometheus.alarms())
    finally:
        stack.start_process("catalog-worker")

    eventually(lambda: ("ServiceDown", "catalog-worker") not in prometheus.alarms())
