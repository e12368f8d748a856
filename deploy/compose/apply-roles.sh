#!/bin/bash
# Runs roles.sql as administrator, with the passwords that lie as files in /run/secrets.
# Where the server is libpq's variables say: PGHOST, PGUSER, …
set -euo pipefail
for file in "${SECRETS:-/run/secrets}"/*_db_password; do
    name=$(basename "$file")
    export "${name^^}=$(<"$file")"
done
PGPASSWORD=$(<"${SECRETS:-/run/secrets}/postgres_password")
export PGPASSWORD
exec psql -X -q -f "${ROLES:-/deploy/postgres/roles.sql}" -d postgres
