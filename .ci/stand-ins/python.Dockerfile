ARG BASE
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends python3.14 python3.14-venv python3-pip \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/bin/python3.14 /usr/local/bin/python \
    && ln -s /usr/bin/python3.14 /usr/local/bin/python3
CMD ["python3"]
