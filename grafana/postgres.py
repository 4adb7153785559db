"""The database that all services share, and the pools before it."""

from __future__ import annotations

from grafana.panels import Query, Section, timeseries

UID, TITLE = "postgres", "Postgres and pools"

_LAB = '{datname="lab"}'


def _rate(counter: str, legend: str) -> Query:
    return Query(f"sum(rate(pg_stat_database_{counter}{_LAB}[$__rate_interval]))", legend)


SECTIONS = [
    Section(
        "The services' pools",
        [
            timeseries(
                "Connections in use",
                "Pooled connections that run a query, over all workers, and how many the "
                "service may open (dashed).",
                "short",
                Query('sum by (service) (db_client_connection_count{state="used"})'),
                Query("sum by (service) (db_client_connection_max)", "{{service}} max"),
            ),
            timeseries(
                "Pool in use",
                "Share of the pool that runs a query. At 100 % the pool, and not the framework, "
                "decides how many requests a second there are.",
                "percentunit",
                Query("service:pool_utilisation:ratio"),
                limit=1,
            ),
            timeseries(
                "Requests that wait for a connection",
                "Requests that a worker has in hand and that have no connection yet.",
                "short",
                Query("sum by (service) (db_client_connection_pending_requests)"),
            ),
            timeseries(
                "Wait for a connection, p95",
                "Time that 95 % of requests waited at most for a connection, over 10 s. "
                "Microseconds: nobody waits.",
                "s",
                Query("service:db_client_connection_wait_time_seconds:p95_10s"),
            ),
        ],
    ),
    Section(
        "Connections as Postgres counts them",
        [
            timeseries(
                "Connections by service",
                "Client connections by application_name, which each service sets to its own name.",
                "short",
                Query(
                    "sum by (application_name) (lab_database_connections)", "{{application_name}}"
                ),
                stacked=True,
            ),
            timeseries(
                "Working connections by service",
                "Connections that run a statement now. A query of 100 ms keeps one for 100 ms, "
                "whatever the framework.",
                "short",
                Query(
                    'sum by (application_name) (lab_database_connections{state="active"})',
                    "{{application_name}}",
                ),
            ),
            timeseries(
                "Connections against the server's limit",
                "All client connections, and max_connections (dashed), which all services share.",
                "short",
                Query("sum(lab_database_connections)", "connections"),
                Query("max(pg_settings_max_connections)", "max"),
            ),
        ],
    ),
    Section(
        "Work",
        [
            timeseries(
                "Transactions",
                "Transactions a second: by service as it counts them, one each time that it takes "
                "a connection, and what Postgres reports. Postgres leaves out what touches no "
                "table, such as `wait`, until the connection touches one or ends.",
                "ops",
                Query("service:db_client_connections_taken:rate10s"),
                _rate("xact_commit", "Postgres: committed"),
                _rate("xact_rollback", "Postgres: rolled back"),
            ),
            timeseries(
                "Rows",
                "Table rows a second that queries read and that orders add.",
                "ops",
                _rate("tup_fetched", "fetched"),
                _rate("tup_inserted", "inserted"),
            ),
            timeseries(
                "Pages found in memory",
                "Share of pages that Postgres found in its cache. The lab's tables fit: below 99 % "
                "the disk takes part in what you measure.",
                "percentunit",
                Query(
                    f"sum(rate(pg_stat_database_blks_hit{_LAB}[$__rate_interval])) / "
                    f"(sum(rate(pg_stat_database_blks_hit{_LAB}[$__rate_interval])) + "
                    f"sum(rate(pg_stat_database_blks_read{_LAB}[$__rate_interval])) > 0)",
                    "in memory",
                ),
            ),
            timeseries(
                "Locks",
                "Locks held or awaited in the lab's database, by mode.",
                "short",
                Query(f"sum by (mode) (pg_locks_count{_LAB})", "{{mode}}"),
            ),
        ],
    ),
]
