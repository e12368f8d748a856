"""What watches over the system is valid by itself; what it names exists."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.observability.watching import (
    DASHBOARDS,
    FOLDER,
    PAGES,
    RULES,
    alarms,
    dashboard,
    expressions,
    named_in,
    rules,
)

from devstack.settings import CHECKOUT, SERVICES, SERVICES_WITH_WORKER
from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

OPERATIONS = (CHECKOUT / "docs/operations.md").read_text()
OF_PROMETHEUS = {"up"}


def test_every_expression_can_be_parsed_and_asks_for_something() -> None:
    found = expressions()

    assert len(found) > 50
    assert [each.place for each in found if not each.metrics and "vector(" not in each.text] == []


def test_every_alarm_has_a_name_an_urgency_and_a_page_that_says_what_to_do() -> None:
    names = Counter(alarm["alert"] for alarm in alarms())
    headings = re.findall("^#### ([A-Za-z]+)$", OPERATIONS, re.MULTILINE)

    assert set(names.values()) == {1}
    assert sorted(headings) == sorted(names)
    for alarm in alarms():
        assert alarm["labels"]["severity"] in {"page", "ticket"}
        runbook = f"docs/operations.md#{alarm['alert'].lower()}"
        assert alarm["annotations"].keys() == {"summary", "runbook"}
        assert alarm["annotations"]["runbook"] == runbook
        page = OPERATIONS.split(f"#### {alarm['alert']}\n")[1].split("\n#")[0]
        assert re.search(r".+ \*\*Look at:\*\* .+ \*\*Do:\*\* .+", page), alarm["alert"]


def test_every_service_level_that_is_stated_is_measured() -> None:
    measured = {rule["labels"]["slo"] for rule in rules() if rule.get("record") == "slo:budget"}
    stated = OPERATIONS.split("## Service levels\n")[1].split("\n## ")[0]

    assert set(re.findall(r"^\| `([a-z-]+)` \|", stated, re.MULTILINE)) == measured
    for what in ("slo:asked:rate5m", "slo:failed:rate5m"):
        assert {r["labels"]["slo"] for r in rules() if r.get("record") == what} == measured


def test_dashboards_and_their_panels_are_told_apart_and_ask_the_source_that_exists() -> None:
    boards = [dashboard(file) for file in DASHBOARDS]
    sources = (FOLDER / "grafana/provisioning/datasources/sources.yml").read_text()
    known = {source["uid"] for source in yaml.safe_load(sources)["datasources"]}

    assert [f"{board['uid']}.json" for board in boards] == [file.name for file in DASHBOARDS]
    for board in boards:
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids)) > 4
        assert {panel["datasource"]["uid"] for panel in board["panels"]} <= known


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_alarms_are_raised_when_they_should_be() -> None:
    check = ["promtool", "check", "rules", *map(str, RULES)]
    subprocess.run(check, check=True)
    test = ["promtool", "test", "rules", str(Path(__file__).with_name("alarms.yml"))]
    subprocess.run(test, check=True)


@pytest.mark.system
def test_every_metric_that_is_named_anywhere_is_exposed_by_a_real_process(stack: Stack) -> None:
    visitor = Visitor(stack.url)
    visitor.sign_in("organizer@comedy.example")
    assert visitor.get("/api/v1/shows?mode=manage").ok
    visitor.close()

    exposed = OF_PROMETHEUS | {rule["record"] for rule in rules() if "record" in rule}
    ports = [
        *(f"{service.upper()}_PORT" for service in SERVICES),
        *(f"{service.upper()}_WORKER_PORT" for service in SERVICES_WITH_WORKER),
        "GATEWAY_METRICS_PORT",
    ]
    for port in ports:
        url = f"http://127.0.0.1:{stack.settings[port]}/metrics"
        exposed |= series_of(requests.get(url, timeout=10).text)

    named = {(each.place, name) for each in expressions() for name in each.metrics}
    named |= {(str(page), name) for page in PAGES for name in named_in(page)}
    assert {(place, name) for place, name in named if name not in exposed} == set()


@pytest.mark.system
def test_a_gauge_tells_of_all_processes_of_a_service(stack: Stack) -> None:
    url = f"http://127.0.0.1:{stack.settings['BOOKING_PORT']}/metrics"

    def connections() -> float:
        return sum(
            sample.value
            for family in text_string_to_metric_families(requests.get(url, timeout=10).text)
            for sample in family.samples
            if sample.name == "database_pool_size" and sample.labels["pool"] == "booking"
        )

    eventually(lambda: connections() == 2 * 10)  # of two processes


def series_of(exposition: str) -> set[str]:
    """Return all series there can be, of metrics that have no value yet as well."""
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum", "")}
    return {
        family.name + end
        for family in text_string_to_metric_families(exposition)
        for end in ends.get(family.type, ("",))
    }
