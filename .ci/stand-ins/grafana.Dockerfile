ARG BASE
FROM ${BASE}
# No Grafana: it starts where it can read what it is given, and answers the health check.
# hadolint ignore=DL3008
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends busybox \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /bin/busybox /usr/local/bin/wget \
    && install -d -o 472 -g 0 -m 777 /var/lib/grafana
COPY --chmod=755 grafana-entrypoint /usr/local/bin/
USER 472
EXPOSE 3000
ENTRYPOINT ["grafana-entrypoint"]
