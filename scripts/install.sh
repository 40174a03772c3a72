#!/usr/bin/env bash
# Installs what `make test` needs beyond Go, Node, npm, make and git: a C compiler for Go's race
# detector, a Redis server, and Chromium and Firefox with a font. As root on Debian it installs them; elsewhere it says
# what is missing and fails. `CHROMIUM` and `FIREFOX` name others than Debian's.
set -euo pipefail

chromium=${CHROMIUM:-/usr/bin/chromium}
firefox=${FIREFOX:-/usr/bin/firefox-esr}
missing=()
command -v gcc >/dev/null && echo '#include <stdlib.h>' | gcc -E -o /dev/null - 2>/dev/null ||
	missing+=(gcc libc6-dev)
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing+=(redis-server)
command -v "$chromium" >/dev/null || missing+=(chromium fonts-liberation)
command -v "$firefox" >/dev/null || missing+=(firefox-esr)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)

if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	cat >&2 <<-END
		These are missing: ${missing[*]}
		On Debian:  sudo apt-get install ${missing[*]}
		Elsewhere:  install a C compiler, Redis or Valkey, Chromium and Firefox, and name the browsers:
		            CHROMIUM=/path/to/chromium FIREFOX=/path/to/firefox make test
	END
	exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# RUNLEVEL keeps the package from starting a server: the tests start their own.
RUNLEVEL=1 apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
