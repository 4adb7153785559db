-- The role of postgres_exporter. It reads statistics and nothing else: no table of the lab, and it
-- leaves nothing behind: no table, temporary or not, no large object. May run again. Without a
-- password (as here, unless the container's password is there) it cannot log in.
SELECT 'CREATE ROLE monitor LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \gexec
GRANT pg_monitor TO monitor;
ALTER ROLE monitor CONNECTION LIMIT 5;
ALTER ROLE monitor SET statement_timeout = '2s';
REVOKE TEMPORARY ON DATABASE lab FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;

\set password `cat /run/passwords/monitor/password 2>/dev/null || true`
SELECT format('ALTER ROLE monitor PASSWORD %L', :'password') WHERE :'password' <> '' \gexec
