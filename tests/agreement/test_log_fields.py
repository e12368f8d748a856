"""No log entry of any service has a field that says who somebody is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in (
        "shared/src",
        *(f"services/{x}/src" for x in ("identity", "catalog", "booking", "config")),
    )
    for path in sorted((CHECKOUT / folder).rglob("*.py"))
]

# Ids of things, not of people; texts that the kit takes ids out of; numbers and names of programs.
# A new field belongs here only if whoever reads it cannot tell from it whom the entry is about.
THINGS = {"about", "booking", "deletion", "news", "order", "payment", "refund", "show", "work"}
TEXTS = {"reason", "exc_info"}
TECHNICAL = {
    *("attempt", "code", "count", "kind", "method", "ms", "outcome", "peer", "port", "requestId"),
    *("route", "sqlstate", "status", "task", "told", "uploads", "worker"),
}
MAPPINGS = {"purged", "work"}  # `**mapping`: numbers by kind; workflow and step


def entries(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_logger = isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
            if of_logger or node.func.attr in {"bind_contextvars", "bound_contextvars"}:
                yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_every_field_of_a_log_entry_is_known_to_name_nobody(path: Path) -> None:
    for call in entries(ast.parse(path.read_text())):
        named = {each.arg for each in call.keywords if each.arg}
        spread = {ast.unparse(each.value) for each in call.keywords if each.arg is None}
        assert named <= THINGS | TEXTS | TECHNICAL, ast.unparse(call)
        assert spread <= MAPPINGS, ast.unparse(call)
        assert not any(isinstance(each, ast.JoinedStr) for each in call.args), ast.unparse(call)


def test_the_entries_are_seen() -> None:
    assert sum(1 for path in SOURCES for _ in entries(ast.parse(path.read_text()))) > 20
