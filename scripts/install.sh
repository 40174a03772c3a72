#!/usr/bin/env bash
# Installs what `make test` needs beyond Go, Node, npm, make and git: a C compiler for Go's race detector, a Redis server,
# Chromium and Firefox with a font, Apache with mod_auth_openidc, nginx, and curl, Python, Java, Maven and ip for the test
# helpers and the examples of the docs. With the argument recipes it installs Rust too, which only `make recipes` needs.
# As root on Debian it installs them; elsewhere it says what is missing and fails. `CHROMIUM`, `FIREFOX`, `NGINX`, `APACHE` and
# `APACHE_MODULES` (a folder) name others than Debian's. Where there is apt-get it also wants WebKitGTK (`WEBKIT_DRIVER`), a
# display in memory and xdotool, which moves its mouse; the tests of WebKitGTK skip themselves on other systems.
set -euo pipefail

chromium=${CHROMIUM:-/usr/bin/chromium}
firefox=${FIREFOX:-/usr/bin/firefox-esr}
apache=${APACHE:-/usr/sbin/apache2}
modules=${APACHE_MODULES:-/usr/lib/apache2/modules}
missing=()
command -v gcc >/dev/null && echo '#include <stdlib.h>' | gcc -E -o /dev/null - 2>/dev/null ||
	missing+=(gcc libc6-dev)
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing+=(redis-server)
command -v "$chromium" >/dev/null || missing+=(chromium fonts-liberation)
command -v "$firefox" >/dev/null || missing+=(firefox-esr)
command -v "$apache" >/dev/null || missing+=(apache2)
[ -e "$modules/mod_auth_openidc.so" ] || missing+=(libapache2-mod-auth-openidc)
command -v "${NGINX:-/usr/sbin/nginx}" >/dev/null || missing+=(nginx)
if command -v apt-get >/dev/null; then
	command -v "${WEBKIT_DRIVER:-/usr/bin/WebKitWebDriver}" >/dev/null || missing+=(webkit2gtk-driver)
	command -v Xvfb >/dev/null || missing+=(xvfb)
	command -v xdotool >/dev/null || missing+=(xdotool)
fi
command -v curl >/dev/null || missing+=(curl)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v javac >/dev/null || missing+=(default-jdk-headless)
command -v mvn >/dev/null || missing+=(maven)
command -v ip >/dev/null || missing+=(iproute2)
# Debian's cargo is too old for the crates of the recipe; cargo-web is the one that Debian's browsers are built with.
if [ "${1-}" = recipes ] && ! cargo --version >/dev/null 2>&1 && [ ! -x /usr/bin/cargo ]; then
	missing+=(cargo-web rustc-web)
fi
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)

if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	cat >&2 <<-END
		These are missing: ${missing[*]}
		On Debian:  sudo apt-get install ${missing[*]}
		Elsewhere:  install a C compiler, Redis or Valkey, Chromium, Firefox, Apache 2.4 and mod_auth_openidc, nginx, curl,
		            Python 3 with venv, a JDK, Maven and iproute2 (and Rust 1.88 for make recipes), and
		            name those that are not where Debian has them: CHROMIUM=/path/to/chromium FIREFOX=/path/to/firefox
		            APACHE=/path/to/httpd APACHE_MODULES=/path/to/modules NGINX=/path/to/nginx make test
	END
	exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# The packages are kept from starting servers: the tests start their own. RUNLEVEL is what init scripts look at, the file what
# systemd's do; one that is there already is the machine's own policy and stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
fi
RUNLEVEL=1 apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
