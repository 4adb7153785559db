ARG BASE
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends prometheus busybox \
    && rm -rf /var/lib/apt/lists/* /etc/prometheus/* \
    && ln -s /usr/bin/prometheus /usr/bin/promtool /bin/busybox /usr/local/bin/ \
    && ln -s /bin/busybox /usr/local/bin/wget \
    && install -d -o nobody -g nogroup /prometheus
USER 65534:65534
WORKDIR /prometheus
VOLUME /prometheus
EXPOSE 9090
ENTRYPOINT ["/usr/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
