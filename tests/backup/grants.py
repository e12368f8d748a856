"""Who may do what with everything there is, and with what will be made."""

from typing import Any

import psycopg

SCHEMAS = [
    *("identity", "catalog", "booking", "config"),
    *("identity_workflows", "catalog_workflows", "booking_workflows"),
]

# No list of rights stands for what Postgres gives by itself, so that both spellings are the same.
_RIGHTS = """
    SELECT c.oid::regclass::text, columns.name, right_.grantee::regrole::text, right_.privilege_type
    FROM pg_class AS c
    CROSS JOIN LATERAL (
        SELECT NULL AS name, coalesce(c.relacl, acldefault(
            CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) AS rights
        UNION ALL
        SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL
    ) AS columns
    CROSS JOIN aclexplode(columns.rights) AS right_
    WHERE c.relnamespace::regnamespace::text = ANY (%(schemas)s) AND c.relkind IN ('r', 'v', 'S')
    UNION ALL
    SELECT p.oid::regprocedure::text, NULL, right_.grantee::regrole::text, right_.privilege_type
    FROM pg_proc AS p
    CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS right_
    WHERE p.pronamespace::regnamespace::text = ANY (%(schemas)s)
    UNION ALL
    SELECT n.nspname, NULL, right_.grantee::regrole::text, right_.privilege_type
    FROM pg_namespace AS n CROSS JOIN aclexplode(n.nspacl) AS right_
    WHERE n.nspname = ANY (%(schemas)s)
    UNION ALL
    SELECT 'later in ' || d.defaclnamespace::regnamespace, d.defaclobjtype::text,
           right_.grantee::regrole::text, right_.privilege_type
    FROM pg_default_acl AS d CROSS JOIN aclexplode(d.defaclacl) AS right_
"""


def grants(administrator_url: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(administrator_url) as connection:
        return set(connection.execute(_RIGHTS, {"schemas": SCHEMAS}).fetchall())
