"""The database that all services share, and the pools before it."""

from __future__ import annotations

from grafana.layout import Section
from grafana.panels import table, timeseries
from grafana.queries import Query
from grafana.variables import LOADED, Variable

UID, TITLE = "postgres", "Postgres and pools"
VARIABLES: list[Variable] = [LOADED]

_LAB = '{datname="lab"}'
_S = '{service=~"$service"}'
_A = 'application_name=~"$service"'


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
                Query(
                    "sum by (service) "
                    '(db_client_connection_count{state="used",service=~"$service"})'
                ),
                Query(f"sum by (service) (db_client_connection_max{_S})", "{{service}} max"),
            ),
            timeseries(
                "Pool in use",
                "Share of the pool that runs a query. At 100 % the pool, and not the framework, "
                "decides how many requests a second there are.",
                "percentunit",
                Query(f"service:pool_utilisation:ratio{_S}"),
            ),
        ],
    ),
    Section(
        "",
        [
            timeseries(
                "Requests that wait for a connection",
                "Requests that a worker has in hand and that have no connection yet.",
                "short",
                Query(f"sum by (service) (db_client_connection_pending_requests{_S})"),
            ),
            timeseries(
                "Wait for a connection, p95",
                "Time that 95 % of requests waited at most for a connection, over 10 s. "
                "Microseconds: nobody waits.",
                "s",
                Query(f"service:db_client_connection_wait_time_seconds:p95_10s{_S}"),
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
                    f"sum by (application_name) (lab_database_connections{{{_A}}})",
                    "{{application_name}}",
                ),
                stacked=True,
            ),
            timeseries(
                "Working connections by service",
                "Connections that run a statement now. A query of 100 ms keeps one for 100 ms, "
                "whatever the framework.",
                "short",
                Query(
                    "sum by (application_name) "
                    f'(lab_database_connections{{state="active",{_A}}}) or '
                    f"sum by (application_name) (lab_database_connections{{{_A}}}) * 0",
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
        "Queries",
        [
            timeseries(
                "Queries a second",
                "Times a second that a service takes a connection, as it counts them: once a "
                "request that asks the database once.",
                "ops",
                Query(f"service:db_client_connections_taken:rate10s{_S}"),
            ),
            table(
                "Queries that run now",
                "What Postgres works on, or waits in, at the last scrape, by service. A query that "
                "was over in between is not seen.",
                Query(
                    f"sum by (application_name, query) (lab_queries_running{{{_A}}})", table=True
                ),
                {"application_name": "Service", "query": "Query", "Value": "Running"},
                empty="No query was running at the last scrape",
            ),
        ],
    ),
    Section(
        "What Postgres counts",
        [
            timeseries(
                "Transactions",
                "Transactions a second that Postgres reports. It leaves out what touches no table, "
                "such as `wait`, until the connection touches one or ends.",
                "ops",
                _rate("xact_commit", "committed"),
                _rate("xact_rollback", "rolled back"),
            ),
            timeseries(
                "Rows",
                "Table rows a second that queries read and that orders add.",
                "ops",
                _rate("tup_fetched", "fetched"),
                _rate("tup_inserted", "inserted"),
            ),
        ],
    ),
    Section(
        "",
        [
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
                empty="No page was asked for",
            ),
            timeseries(
                "Locks",
                "Locks held or awaited in the lab's database, by mode.",
                "short",
                Query(f"sum by (mode) (pg_locks_count{_LAB}) > 0", "{{mode}}"),
                empty="No lock is held",
            ),
        ],
    ),
]
