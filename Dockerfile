# Two images, each one static binary from scratch:
#
#	docker build --target idp -t hush-idp --build-arg VERSION="$(git describe --tags --always --dirty)" .
#	docker build --target demo-app -t hush-demo .
#
# Without --target both binaries are built and the provider's image is made.

FROM node:22-bookworm-slim AS packages
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY scripts/vendor.js scripts/
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm run vendor

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=packages /src/static/demo/vendor static/demo/vendor
# What `idp --version` prints.
ARG VERSION
RUN scripts/build.sh /bin/ ./cmd/idp ./cmd/demo-app

# Nothing but certificates, to reach others over https, and a user without rights.
FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 65532:65532

FROM base AS demo-app
COPY --from=build /bin/demo-app /demo-app
EXPOSE 9090
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["/demo-app", "healthcheck"]
ENTRYPOINT ["/demo-app"]

FROM base AS idp
COPY --from=build /bin/idp /idp
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["/idp", "healthcheck"]
ENTRYPOINT ["/idp"]
