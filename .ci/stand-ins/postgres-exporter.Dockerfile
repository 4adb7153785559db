ARG BASE
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends prometheus-postgres-exporter busybox \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/bin/prometheus-postgres-exporter /bin/postgres_exporter \
    && ln -s /bin/busybox /usr/local/bin/wget
USER 65534:65534
EXPOSE 9187
ENTRYPOINT ["/bin/postgres_exporter"]
