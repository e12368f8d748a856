-- The database, and for every service x: schema x, login role x that works with its rows, and login
-- role x_owner that owns the schema and migrates it. Role `auditor` reads everything, writes nothing.
--
--     psql -X -f deploy/postgres/roles.sql postgresql://<administrator>@<host>/postgres
--
-- For psql and Postgres 15 or newer. Safe to run again: it adds what is missing and sets the passwords
-- anew, taken from IDENTITY_DB_PASSWORD, IDENTITY_OWNER_DB_PASSWORD, … and AUDITOR_DB_PASSWORD.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET password_encryption = 'scram-sha-256';

\getenv identity_password IDENTITY_DB_PASSWORD
\getenv identity_owner_password IDENTITY_OWNER_DB_PASSWORD
\getenv catalog_password CATALOG_DB_PASSWORD
\getenv catalog_owner_password CATALOG_OWNER_DB_PASSWORD
\getenv booking_password BOOKING_DB_PASSWORD
\getenv booking_owner_password BOOKING_OWNER_DB_PASSWORD
\getenv config_password CONFIG_DB_PASSWORD
\getenv config_owner_password CONFIG_OWNER_DB_PASSWORD
\getenv auditor_password AUDITOR_DB_PASSWORD

SELECT 'CREATE DATABASE comedy_connect'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'comedy_connect') \gexec

\connect comedy_connect
SET client_min_messages = warning;
SET password_encryption = 'scram-sha-256';

BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('roles.sql', 0)) \g /dev/null

-- Durable work (DBOS) keeps its tables apart, in schema x_workflows of the same owner.
CREATE TEMPORARY TABLE planned_schema (name text, service text) ON COMMIT DROP;
INSERT INTO planned_schema VALUES
    ('identity', 'identity'), ('identity_workflows', 'identity'),
    ('catalog', 'catalog'), ('catalog_workflows', 'catalog'),
    ('booking', 'booking'), ('booking_workflows', 'booking'),
    ('config', 'config');

CREATE TEMPORARY TABLE planned_role (name text, service text, password text) ON COMMIT DROP;
INSERT INTO planned_role VALUES
    ('identity', 'identity', :'identity_password'),
    ('identity_owner', 'identity', :'identity_owner_password'),
    ('catalog', 'catalog', :'catalog_password'),
    ('catalog_owner', 'catalog', :'catalog_owner_password'),
    ('booking', 'booking', :'booking_password'),
    ('booking_owner', 'booking', :'booking_owner_password'),
    ('config', 'config', :'config_password'),
    ('config_owner', 'config', :'config_owner_password'),
    ('auditor', NULL, :'auditor_password');

SELECT format('CREATE ROLE %I LOGIN', name) FROM planned_role
WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', name, password) FROM planned_role \gexec

-- A managed server's administrator is no superuser and gives to an owner only as its member.
SELECT format('GRANT %I TO CURRENT_USER', service || '_owner')
FROM planned_schema, pg_roles
WHERE name = service AND rolname = current_user AND NOT rolsuper \gexec

-- Nobody waits for a lock or holds one for long because of a service; migrations set their own limits.
SELECT format('ALTER ROLE %I SET %s', planned_role.name, setting.value)
FROM planned_role
CROSS JOIN (VALUES
    ('lock_timeout = ''2s'''),
    ('statement_timeout = ''5s'''),
    ('idle_in_transaction_session_timeout = ''10s''')
) AS setting (value)
WHERE planned_role.name = service \gexec
SELECT format('ALTER ROLE %I SET search_path = %I', name, service) FROM planned_role
WHERE service IS NOT NULL \gexec
ALTER ROLE auditor SET default_transaction_read_only = on;

-- PUBLIC is everybody: it gets nothing, so that a role can do what is granted below and no more.
REVOKE ALL ON DATABASE comedy_connect FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('GRANT CONNECT ON DATABASE comedy_connect TO %I', name) FROM planned_role \gexec

SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', name, service || '_owner')
FROM planned_schema \gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I, auditor', name, service) FROM planned_schema \gexec

-- What services may use of what Postgres brings along; a server without it is fine, too.
CREATE SCHEMA IF NOT EXISTS extensions;
SELECT format('GRANT USAGE ON SCHEMA extensions TO %I', name) FROM planned_role \gexec
SELECT format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA extensions', name)
FROM pg_available_extensions WHERE name IN ('pg_trgm') \gexec

-- What an owner will create belongs to the service to use and to the auditor to read.
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s', service || '_owner', change.what)
FROM planned_schema
CROSS JOIN LATERAL (VALUES
    (format('IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', name, service)),
    (format('IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO %I', name, service)),
    (format('IN SCHEMA %I GRANT EXECUTE ON FUNCTIONS TO %I', name, service)),
    (format('IN SCHEMA %I GRANT SELECT ON TABLES TO auditor', name)),
    (format('IN SCHEMA %I GRANT SELECT ON SEQUENCES TO auditor', name)),
    ('REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC')
) AS change (what) \gexec

COMMIT;
