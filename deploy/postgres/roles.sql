-- The database of a cluster and who may do what in it. As a superuser, once: psql -v ON_ERROR_STOP=1 -f roles.sql
-- Passwords: openssl rand -hex 24. pg_hba.conf has hostssl ... scram-sha-256 for both, from pgBouncer's addresses.

-- Nodes. It owns its tables, since the first node of a release brings them up to date, and nothing else.
CREATE ROLE tether LOGIN PASSWORD 'CHANGE-ME-tether'
  NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 100;
CREATE DATABASE tether OWNER tether ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE tether FROM PUBLIC;

-- A node that is cut off in the middle of a transaction holds nobody up for longer.
ALTER ROLE tether SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE tether SET lock_timeout = '30s';

-- Statistics, for an exporter: numbers of the server, and no row of a table.
CREATE ROLE tether_stats LOGIN PASSWORD 'CHANGE-ME-stats' IN ROLE pg_monitor CONNECTION LIMIT 3;
GRANT CONNECT ON DATABASE tether TO tether_stats;
