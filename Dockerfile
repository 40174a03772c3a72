# syntax=docker/dockerfile:1
# Two images, each one static binary from scratch:
#
#	docker build --target idp -t hush-idp --build-arg VERSION="$(git describe --tags --always --dirty)" .
#	docker build --target demo-app -t hush-demo .
#
# Without --target the provider's image is made. For other machines: docker buildx build --platform linux/amd64,linux/arm64.
# The compilers run on the machine that builds, and make the binaries for the others without emulation.

FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS packages
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY scripts/vendor.js scripts/
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm run vendor

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS source
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# What `idp --version` prints, and the machine that the image is for.
ARG VERSION
ARG TARGETOS
ARG TARGETARCH
ENV GOOS=$TARGETOS GOARCH=$TARGETARCH

# The provider has no file of npm in it.
FROM source AS build-idp
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
	scripts/build.sh /bin/ ./cmd/idp && mkdir /data

FROM source AS build-demo-app
COPY --from=packages /src/static/demo/vendor static/demo/vendor
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
	scripts/build.sh /bin/ ./cmd/demo-app

# Nothing but certificates, to reach others over https, and a user without rights.
FROM scratch AS base
COPY --from=source /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 65532:65532
ARG VERSION
LABEL org.opencontainers.image.version=$VERSION

FROM base AS demo-app
COPY --from=build-demo-app /bin/demo-app /demo-app
EXPOSE 9090
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["/demo-app", "healthcheck"]
ENTRYPOINT ["/demo-app"]

# `docker run -p 127.0.0.1:8080:8080 hush-idp` serves http://localhost:8080. Publish the port on 127.0.0.1 only: in
# development mode everybody who reaches it can sign in as any user. The folder /data belongs to the user of the image:
# `-v hush:/data -e HUSH_STORE=file:/data/hush.db` keeps all state.
FROM base AS idp
COPY --from=build-idp /bin/idp /idp
COPY --from=build-idp --chown=65532:65532 /data /data
VOLUME /data
ENV HUSH_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["/idp", "healthcheck"]
ENTRYPOINT ["/idp"]
