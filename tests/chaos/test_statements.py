"""What is read in the text of a statement and in its outcome."""

import pytest

from chaos.statements import Grammar

GRAMMAR = Grammar(["reserve_v2"])


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("INSERT INTO booking.booking (id) VALUES ($1)", ["INSERT booking.booking"]),
        ('update "booking" . x set a = 1', ["UPDATE booking"]),
        (
            'INSERT\n  INTO "identity_workflows".notes VALUES (1)',
            ["INSERT identity_workflows.notes"],
        ),
        ("DELETE FROM ONLY a.b WHERE c = 1", ["DELETE a.b"]),
        ("COPY a.b (c) FROM STDIN", ["COPY a.b"]),
        ("COPY a.b (c) TO STDOUT", []),
        ("SELECT * FROM a.b FOR UPDATE", []),
        ("SELECT * FROM a.b FOR NO KEY UPDATE OF b", []),
        ("INSERT INTO a.b VALUES (1) ON CONFLICT (c) DO UPDATE SET c = 2", ["INSERT a.b"]),
        (
            "WITH gone AS (DELETE FROM a.b RETURNING c) INSERT INTO a.d SELECT c FROM gone",
            ["DELETE a.b", "INSERT a.d"],
        ),
        ("SELECT * FROM booking.reserve_v2($1)", ["reserve_v2()"]),
        ("SELECT updated_at, deleted FROM a.inserted", []),
        ("BEGIN", []),
    ],
)
def test_a_statement_names_what_it_may_change(text: str, changes: list[str]) -> None:
    assert list(GRAMMAR.read(text).changes) == changes


@pytest.mark.parametrize(
    ("text", "commits"),
    [
        ("COMMIT", True),
        ("  end; ", True),
        ("COMMIT PREPARED 'x'", False),
        ("SELECT 'COMMIT'", False),
        ("ENDLESS", False),
    ],
)
def test_a_statement_says_whether_it_commits(text: str, commits: bool) -> None:
    assert GRAMMAR.read(text).commits is commits


@pytest.mark.parametrize(
    ("text", "tag", "wrote"),
    [
        ("UPDATE a.b SET c = 1", "UPDATE 0", False),
        ("UPDATE a.b SET c = 1", "UPDATE 10", True),
        ("INSERT INTO a.b SELECT 1", "INSERT 0 0", False),
        ("INSERT INTO a.b SELECT 1", "INSERT 0 20", True),
        ("SELECT reserve_v2(1)", "SELECT 1", True),
        ("SELECT 1", "SELECT 1", False),
        ("WITH x AS (DELETE FROM a.b) UPDATE a.c SET d = 1", "UPDATE 0", True),
        ("TRUNCATE a.b", "TRUNCATE TABLE", True),
    ],
)
def test_the_outcome_says_whether_something_changed(text: str, tag: str, wrote: bool) -> None:
    assert GRAMMAR.read(text).wrote(tag) is wrote
