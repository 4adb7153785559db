ARG BASE
FROM ${BASE}
# hadolint ignore=DL3022
COPY --from=go . /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin \
    GOPATH=/go \
    GOTOOLCHAIN=local
WORKDIR /go
