"""What Prometheus and Grafana are given, read from its files."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from devstack.settings import CHECKOUT

FOLDER = CHECKOUT / "deploy/observability"
RULES = sorted(FOLDER.glob("prometheus/rules/*.yml"))
DASHBOARDS = sorted(FOLDER.glob("grafana/dashboards/*.json"))
PAGES = [*sorted(CHECKOUT.glob("services/*/README.md")), CHECKOUT / "docs/operations.md"]


@dataclass(frozen=True, slots=True)
class Expression:
    """Something that Prometheus is to work out, and where it stands."""

    place: str
    text: str

    @property
    def metrics(self) -> set[str]:
        """The names of the series it selects."""
        names: set[str] = set()

        def note(part: promql_parser.Expr) -> None:
            if isinstance(part, promql_parser.VectorSelector) and part.name:
                names.add(part.name)

        promql_parser.walk(promql_parser.parse(self.text), note)
        return names


@cache
def rules() -> tuple[dict[str, Any], ...]:
    """Return all rules of all files."""
    return tuple(
        rule
        for file in RULES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    )


def alarms() -> list[dict[str, Any]]:
    """Return the rules that tell somebody."""
    return [rule for rule in rules() if "alert" in rule]


def dashboard(file: Path) -> dict[str, Any]:
    """Return one dashboard."""
    read: dict[str, Any] = json.loads(file.read_text())
    return read


def expressions() -> list[Expression]:
    """Return everything that rules, panels and variables ask for."""
    found = [Expression(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    for file in DASHBOARDS:
        read = dashboard(file)
        for panel in read["panels"]:
            for target in panel["targets"]:
                text = target["expr"].replace("$__rate_interval", "5m")
                found.append(Expression(f"{file.name}: {panel['title']}", text))
        for variable in read["templating"]["list"]:
            asked = re.fullmatch(r"label_values\((\w+), \w+\)", variable["query"]["query"])
            assert asked is not None
            found.append(Expression(f"{file.name}: ${variable['name']}", asked[1]))
    return found


def named_in(page: Path) -> set[str]:
    """Return the metrics that a page names: with labels, or such as are called like metrics."""
    with_labels = re.findall(r"`([a-z_]+)\{[a-z]", page.read_text())
    endings = "total|seconds|size|open|stuck|in_use"
    return {*with_labels, *re.findall(rf"`([a-z]+_[a-z_]*(?:{endings}))`", page.read_text())}
