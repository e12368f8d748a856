"""What the scan finds in the database."""

import base64
import hashlib
import json
import pickle
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import psycopg
import pytest

from devstack.testing import Databases
from erasure_scan.errors import Unreadable
from erasure_scan.scan import examine, scan

if TYPE_CHECKING:
    from tests.erasure_scan.conftest import Plant, Scan

EMAIL = "Zoë.Planted+1@comedy.example"
NAME = 'Zoë "Zip" Plantée'
PHONE = "+91 98765-43219"
PERSON = UUID("0197a5c2-7d3e-7b41-9f10-5a6b7c8d9e0f")
ADDRESS = "203.0.113.217"
VALUES = {"EMAIL": EMAIL, "NAME": NAME, "PHONE": PHONE, "ID": str(PERSON), "VALUE": ADDRESS}


def digest(kind: str, text: str) -> bytes:
    return hashlib.new(kind, text.encode()).digest()


@pytest.mark.parametrize(
    ("column_type", "value", "found"),
    [
        ("text", f"by {EMAIL}.", ("EMAIL", "plain")),
        ("text", f"by {EMAIL.casefold()}.", ("EMAIL", "plain")),
        ("text", f"by {EMAIL.upper()}.", ("EMAIL", "plain")),
        ("text", 'Zoe\u0308 "Zip" Plante\u0301e', ("NAME", "plain")),
        ("text", "the zoe zip plantee show", ("NAME", "plain")),
        ("varchar(200)", f"\t{NAME}\n\\", ("NAME", "plain")),
        ("json", json.dumps({"by": NAME}), ("NAME", "plain, escaped")),
        ("json", json.dumps({"in": json.dumps([{"by": NAME}])}), ("NAME", "plain, escaped")),
        ("jsonb", json.dumps({"by": NAME}), ("NAME", "plain, escaped")),
        ("jsonb", json.dumps({EMAIL: 1}), ("EMAIL", "plain")),
        ("text", f"/x?q={quote(EMAIL)}", ("EMAIL", "plain, escaped")),
        ("text", f"/x?q={quote(EMAIL, safe='').lower()}", ("EMAIL", "plain, escaped")),
        ("text", f"/x?q={quote(quote(EMAIL, safe=''))}", ("EMAIL", "plain, escaped")),
        ("text", f"q={quote_plus(NAME)}", ("NAME", "URL-encoded, escaped")),
        ("bytea", f"by {EMAIL}".encode(), ("EMAIL", "plain, escaped")),
        ("bytea", json.dumps([NAME]).encode(), ("NAME", "plain, escaped")),
        ("bytea", PERSON.bytes, ("ID", "hex")),
        ("bytea", base64.b64encode(b"x" + EMAIL.encode()), ("EMAIL", "base64, escaped")),
        ("text[]", ["one", f"by {NAME}"], ("NAME", "plain, escaped")),
        ("bytea[]", [b"1", EMAIL.encode()], ("EMAIL", "plain, escaped")),
        ("uuid", PERSON, ("ID", "plain")),
        ("uuid[]", [PERSON], ("ID", "plain")),
        ("text", f"standing:{PERSON.hex.upper()}:1", ("ID", "plain")),
        ("inet", ADDRESS, ("VALUE", "plain")),
        ("bigint", 9876543219, ("PHONE", "plain")),
        ("text", "tel:919876543219", ("PHONE", "plain")),
        ("numeric", 919876543219, ("PHONE", "plain")),
        ("tsvector", "'plantée':3A 'some':1 'zip':7 'zoë':2", None),
        ("tsvector", "'plantee':3A 'some':1 'zip':7 'zoe':2", ("NAME", "words of a search index")),
        ("text", f"0x{EMAIL.encode().hex().upper()}", ("EMAIL", "hex")),
        ("text", digest("md5", EMAIL).hex(), ("EMAIL", "md5 in hex")),
        ("text", digest("sha1", EMAIL.lower()).hex(), ("EMAIL", "sha1 in hex")),
        ("bytea", digest("sha256", EMAIL.casefold()), ("EMAIL", "sha256 in hex")),
        (
            "text",
            base64.b64encode(digest("sha256", str(PERSON))).decode(),
            ("ID", "sha256 in base64"),
        ),
        (
            "text",
            base64.urlsafe_b64encode(digest("md5", EMAIL)).decode(),
            ("EMAIL", "md5 in base64"),
        ),
        ("text", base64.b64encode(b"{" + PERSON.bytes).decode(), ("ID", "base64")),
        ("text", base64.b64encode(pickle.dumps({"a": ((PERSON,), {})})).decode(), ("ID", "base64")),
        ("text", base64.b64encode(pickle.dumps([str(PERSON)])).decode(), ("ID", "base64")),
        ("text", base64.b64encode(json.dumps([NAME]).encode()).decode(), ("NAME", "base64")),
    ],
)
def test_a_value_is_found_in_every_type_of_column_and_every_encoding(
    plant: "Plant", scan_all: "Scan", column_type: str, value: Any, found: tuple[str, str] | None
) -> None:
    plant(column_type, value)

    findings = scan_all(**VALUES)

    if found is None:
        assert findings == []
    else:
        assert {each.value for each in findings} == {found[0]}
        assert ("planted.pot.seed", *found, "number=2") in {
            (each.place, each.value, each.encoding, *each.examples) for each in findings
        }


@pytest.mark.parametrize("text", [EMAIL, NAME, str(PERSON)])
@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_wherever_in_the_encoded_text_the_value_begins(
    plant: "Plant", scan_all: "Scan", text: str, before: bytes, encode: Any
) -> None:
    plant("text", encode(before + text.encode() + b"\xff\xfe").decode())

    assert {each.encoding for each in scan_all(VALUE=text)} == {"base64"}


def test_others_are_not_found(plant: "Plant", scan_all: "Scan") -> None:
    plant("text", f"{EMAIL} {NAME} {PHONE} {PERSON} {ADDRESS}")

    other = "0197a5c2-7d3e-7b41-9f10-5a6b7c8d9e00"
    findings = scan_all(
        EMAIL="zoe@comedy.example", NAME="Zoë Planter", PHONE="+91 98765-43218", ID=other
    )

    assert findings == []


def test_a_finding_names_the_row_but_does_not_repeat_what_was_found(
    administrator: psycopg.Connection, scan_all: "Scan"
) -> None:
    administrator.execute("CREATE TABLE planted.key (a text, b int, note text, PRIMARY KEY (b, a))")
    administrator.execute("INSERT INTO planted.key VALUES (%s, 7, 'row')", (EMAIL,))

    [finding] = scan_all(EMAIL=EMAIL)

    assert str(finding) == "planted.key.a: EMAIL, plain (a=(found), b=7)"


def test_many_rows_are_one_finding_with_a_few_examples(
    administrator: psycopg.Connection, scan_all: "Scan"
) -> None:
    administrator.execute("CREATE TABLE planted.many (person uuid)")  # without a primary key
    administrator.execute(
        "INSERT INTO planted.many SELECT %s FROM generate_series(1, 50)", (PERSON,)
    )

    [finding] = scan_all(ID=str(PERSON))

    assert finding.count == 50
    assert finding.examples[0] == "ctid=(0,1)"
    assert str(finding).endswith("; and 40 more)")


def test_partitions_and_materialized_views_are_searched_and_each_row_counts_once(
    administrator: psycopg.Connection, databases: Databases
) -> None:
    administrator.execute("CREATE TABLE planted.whole (n int, t text) PARTITION BY LIST (n)")
    administrator.execute("CREATE TABLE planted.part PARTITION OF planted.whole FOR VALUES IN (1)")
    administrator.execute("INSERT INTO planted.whole VALUES (1, %s)", (EMAIL,))
    administrator.execute("CREATE MATERIALIZED VIEW planted.copied AS TABLE planted.whole")

    url = databases.postgres.settings.database_url("auditor")
    evidence = examine(url, [], {"EMAIL": EMAIL})

    assert {each.place for each in evidence.findings} == {"planted.part.t", "planted.copied.t"}
    counted = {name: n for name, n in evidence.rows.items() if name.startswith("planted")}
    assert counted == {"planted.part": 1, "planted.copied": 1}


def test_a_table_that_cannot_be_read_makes_the_scan_fail(
    administrator: psycopg.Connection, scan_all: "Scan"
) -> None:
    administrator.execute("CREATE TABLE planted.secret (t text)")
    administrator.execute("REVOKE ALL ON planted.secret FROM auditor")

    with pytest.raises(Unreadable, match="permission denied for table secret"):
        scan_all(EMAIL=EMAIL)


def test_without_a_database_the_scan_says_that_it_has_to_run() -> None:
    with pytest.raises(Unreadable, match="has to be running"):
        scan("postgresql://auditor@127.0.0.1:1/comedy_connect", [], {"EMAIL": EMAIL})


def test_the_tables_of_durable_work_are_searched(databases: Databases) -> None:
    for service in ("identity", "catalog", "booking"):
        databases.of(service)
    evidence = examine(
        databases.postgres.settings.database_url("auditor"), [], {"VALUE": "nobody has this"}
    )

    schemas = {name.partition(".")[0] for name in evidence.rows}
    assert {"identity", "catalog", "booking"} <= schemas
    assert {"identity_workflows", "catalog_workflows", "booking_workflows"} <= schemas
