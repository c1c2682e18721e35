# The image of alertmanager-webex: one static binary, CA certificates, and nothing else.
#
#   docker build -t alertmanager-webex .
#
# No shell, no package, no writable file. It runs as any user and on a read-only root.

# Where it is compiled. Any glibc with a C compiler and Rust does.
ARG BUILDER=docker.io/library/rust:1.95-slim-bookworm
# What it stands on: nothing.
ARG BASE=scratch
# A bill of materials lists the crates, which Cargo.lock names and the binary does not.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM ${BUILDER} AS build
WORKDIR /src

# Of the sources only what is compiled, so that a change of a test or a document compiles nothing
# anew. Cargo.toml names a test, benchmarks and the programs that measure, which have to be there.
COPY Cargo.toml Cargo.lock ./
COPY benches/floor/Cargo.toml benches/floor/
COPY benches/load/Cargo.toml benches/load/
RUN mkdir -p tests/it benches/floor/src benches/load/src \
    && touch tests/it/main.rs benches/render.rs benches/stages.rs benches/floor/src/main.rs benches/load/src/main.rs
COPY docs/sandbox-openapi.json docs/
COPY templates templates
COPY src src

# What `build_info` tells.
ARG REVISION=unknown

# Crates and what was compiled of them are kept between builds. A static binary needs an explicit
# target: otherwise the flag would count for build scripts and macros too. Relocations are packed,
# which is a megabyte less.
ENV RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target=$(rustc --print host-tuple) \
    && ALERTMANAGER_WEBEX_REVISION="${REVISION}" \
        cargo build --release --locked --bin alertmanager-webex --target "$target" \
    && cp "target/$target/release/alertmanager-webex" /alertmanager-webex

# The root of the image. The C library asks nsswitch.conf whether a name is in /etc/hosts. The
# configuration is empty until another one is mounted: variables alone suffice.
RUN mkdir -p /image/etc/ssl/certs /image/etc/alertmanager-webex \
    && cp /alertmanager-webex /image/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
    && echo '# Mount a configuration here, or set WEBEX_TOKEN_FILE and WEBEX_ROOM_FILE.' \
        >/image/etc/alertmanager-webex/config.toml

# The binary alone, for releases: `docker build --target binary --output DIRECTORY .`
FROM scratch AS binary
COPY --from=build /alertmanager-webex /

FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=
ARG CREATED=
LABEL org.opencontainers.image.title="alertmanager-webex" \
    org.opencontainers.image.description="Posts Alertmanager's notifications to Webex and answers 2xx only when Webex has them" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.created="${CREATED}"
COPY --from=build /image /
ENV ALERTMANAGER_WEBEX_CONFIG=/etc/alertmanager-webex/config.toml
EXPOSE 9091
# By number: Kubernetes sees that it is not root.
USER 65532:65532
ENTRYPOINT ["/alertmanager-webex"]
CMD ["serve"]
