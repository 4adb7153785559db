ARG BASE
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends golang-1.27-go \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/go-1.27/bin:/usr/local/bin:/usr/bin:/bin \
    GOPATH=/go \
    GOTOOLCHAIN=local
WORKDIR /go
