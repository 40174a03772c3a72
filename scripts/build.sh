#!/usr/bin/env bash
# Builds the programs as they are shipped: scripts/build.sh FOLDER PACKAGE...
# They are static: nothing of the machine that built them is needed at run time. Without the symbols for debuggers the
# provider is a third smaller. `idp --version` prints $VERSION, or else what git calls this checkout.
# The exporter of spans needs gRPC, whose pages for debugging use html/template. The tag grpcnotrace leaves them out: a
# template calls methods by name, so the linker would keep every exported method, and the provider be 14 MiB larger.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${VERSION:-}
if [ -z "$version" ] && [ -e .git ]; then # the files may lie in the checkout of another project
	version=$(git describe --tags --always --dirty 2>/dev/null) || version=
fi
CGO_ENABLED=0 exec go build -tags grpcnotrace -trimpath -ldflags="-s -w -X 'main.version=$version'" -o "$@"
