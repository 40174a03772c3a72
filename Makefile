# `make` alone lists the targets: each has its line after ##.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

# Go needs a home for its cache. A service may have none in its environment: bash asks the password file.
ifeq ($(strip $(HOME)),)
export HOME := $(shell unset HOME; echo ~)
endif

# The flags of scripts/build.sh. With one set of flags the Go tool compiles each package once, not again for each target.
export CGO_ENABLED := 0
export GOFLAGS := $(GOFLAGS) -trimpath

# Where npm notes what it installed, and what is copied out of it for the browser.
packages := node_modules/.package-lock.json
library := static/demo/vendor/oidc-client-ts.js

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

.PHONY: demo
demo: ports build ## start the provider and the demo app, until Ctrl-C; builds the documentation meanwhile
	@$(MAKE) --no-print-directory docs >bin/docs.log 2>&1 </dev/null & node scripts/demo.js

# A port that is in use is told before the installation and the build, which take minutes.
.PHONY: ports
ports:
	@node scripts/demo.js --check

.PHONY: build
build: $(library) ## two static binaries in bin/ that need nothing else at run time
	scripts/build.sh bin/ ./cmd/idp ./cmd/demo-app

# The site of the documentation, which the demo app serves at /docs/. The machine that builds it needs no network but
# the npm registry.
site := bin/docs/index.html
vitepress := website/node_modules/.package-lock.json

.PHONY: docs
docs: $(site) ## the documents of docs/ as a site in bin/docs, if they changed: a minute at the first time

$(site): $(vitepress) $(wildcard docs/*.md docs/recipes/*.md docs/images/*) $(shell find website/.vitepress -type f)
	cd website && npm run --silent build

$(vitepress): website/package.json website/package-lock.json
	cd website && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: test
test: install lint unit load helpers e2e ## every check and test, installing what they need

.PHONY: install
install: $(packages) ## what the tests need: npm packages, a C compiler, Redis, Chromium, Firefox, WebKitGTK, Apache, nginx
	@scripts/install.sh

.PHONY: lint
lint: $(packages) ## formats, generated files, vet, staticcheck, module files, scripts and their types
	@unformatted=$$(gofmt -l .); \
		[ -z "$$unformatted" ] || { echo "not as gofmt writes it (run make format):" $$unformatted >&2; exit 1; }
	go tool templ fmt -fail -log-level error idp/pages
	go tool templ generate -check -log-level error
	go mod tidy -diff
	go mod verify
	go vet ./...
	go tool staticcheck ./...
	staticcheck=$$(go tool -n staticcheck); for module in bench bench/peers; do \
		go -C $$module mod tidy -diff && go -C $$module mod verify && go -C $$module vet ./... && \
		(cd $$module && "$$staticcheck" ./...) || exit; done
	npm run --silent lint
	npm run --silent typecheck

.PHONY: unit
unit: ## the Go tests under the race detector, and the count of allocations without it
	CGO_ENABLED=1 go test -race ./...
	go test -count=1 -run '^TestASilentRenewalAllocatesLittle$$' ./idp
	CGO_ENABLED=1 go -C bench test -race ./...

.PHONY: load
load: CYCLES ?= 400
load: build ## silent renewals by eight users against a real provider; CYCLES=10000 for more
	@node scripts/load.js --users 8 --cycles $(CYCLES)

.PHONY: bench-million
bench-million: STORE ?= memory
bench-million: build ## a million renewals at 1,600 a second, and the memory meanwhile, eleven minutes; STORE=file:PATH
	@HUSH_CONFIG=bench/load/es256.yaml HUSH_DEV=false HUSH_STORE=$(STORE) \
		node scripts/load.js --users 16 --cycles 1000000 --rate 1600

# What Hush is compared with, and the programs that measure.
peers := bench/peers/node/node_modules/.package-lock.json

.PHONY: bench
bench: build $(peers) ## renewals beside other providers, five minutes: docs/performance.md; FLAGS='--docs=' only prints
	go build -C bench/peers -ldflags='-s -w' -o ../../bin/bench/ ./...
	go build -C bench -ldflags='-s -w' -o ../bin/bench/ ./sessions
	go run -C bench ./compare $(FLAGS)

.PHONY: bench-browser
bench-browser: build ## compare a silent renewal in Chromium with a bare iframe, two minutes: docs/performance.md
	node scripts/bench-silent.js --page docs/performance.md

$(peers): bench/peers/node/package-lock.json
	cd bench/peers/node && npm ci --no-audit --no-fund
	@touch $@

.PHONY: soak
soak: install ## the long forms of the tests that kill, stop and rotate, then make fuzz: hours; RUN='Killed|Redis' for some
soak: RUN ?= .
soak:
	SOAK=1 CGO_ENABLED=1 go test -race -count=1 -timeout 3h -run '$(RUN)' ./idp ./cmd/idp ./storage/...
	@$(MAKE) fuzz

.PHONY: fuzz
fuzz: FUZZTIME ?= 10m
fuzz: ## each fuzz target for ten minutes; FUZZTIME=30s for less
	@grep -rHo --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9]*' . | sort | while IFS=: read -r file target; do \
		go test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
	done

.PHONY: e2e
e2e: build ## the programs in a real browser, and as a container would run them
	@node --test --test-concurrency=2 --test-reporter=spec e2e/*.test.js e2e/clients/*.test.js

.PHONY: helpers
helpers: export HUSH_ISSUER := http://not-the.issuer # no variable of a shell reaches the provider of a test
helpers: build ## the test helpers for JavaScript, Python and Java: each has a test suite
	HUSH_IDP=bin/idp node --test --test-reporter=spec clients/js/*.test.js
	@$(types) --outDir bin/types && diff bin/types/hush.d.ts clients/js/hush.d.ts || { echo "run make helper-types" >&2; exit 1; }
	[ -x bin/pytest/bin/pytest ] || { python3 -m venv bin/pytest && bin/pytest/bin/pip install -q pytest==9.1.1; }
	HUSH_IDP=bin/idp PYTHONPATH=clients/python bin/pytest/bin/pytest -q -p hush_testing -p no:cacheprovider clients/python
	HUSH_IDP=$(CURDIR)/bin/idp mvn -q -B -ntp -f clients/java test

types := npx --no-install tsc clients/js/hush.js --ignoreConfig --allowJs --declaration --emitDeclarationOnly \
	--target es2022 --module nodenext --types node

.PHONY: helper-types
helper-types: $(packages) ## write clients/js/hush.d.ts anew, after a change of hush.js
	$(types) --outDir clients/js

# What the applications of e2e/recipes need from npm: all of them are workspaces of one package.
applications := e2e/recipes/node_modules/.package-lock.json

.PHONY: applications
applications: $(packages) $(applications) ## the npm packages that the recipes need

# What the recipes in Python run with.
interpreter := bin/recipes-python/installed

.PHONY: recipes
recipes: rust build applications $(interpreter) ## the recipes of docs/recipes, applications in e2e/recipes: minutes
	for pom in e2e/recipes/*/pom.xml; do mvn -q -B -ntp -f $$pom package || exit; done
	for mod in e2e/recipes/*/go.mod; do \
		go build -C $${mod%go.mod} -o $(CURDIR)/bin/recipes/ $$(grep -q ^tool $$mod && echo tool || echo .) || exit; done
	for crate in e2e/recipes/*/Cargo.toml; do \
		$(cargo) build -q --locked --manifest-path $$crate --target-dir bin/recipes-rust || exit; done
	@node --test --test-concurrency=2 --test-reporter=spec e2e/recipes/*.test.js

.PHONY: rust
rust:
	@scripts/install.sh recipes

# A cargo that rustup installed works only in the home that it was installed for.
cargo := $(shell cargo --version >/dev/null 2>&1 || echo PATH="/usr/bin:$$PATH") cargo

# The Python packages of the recipes, in one environment: constraints.txt has the versions of what those need.
$(interpreter): e2e/recipes/constraints.txt $(wildcard e2e/recipes/*/requirements.txt)
	python3 -m venv bin/recipes-python
	bin/recipes-python/bin/pip install -q -c $< $(patsubst %,-r %,$(wordlist 2,99,$^))
	@touch $@

$(applications): e2e/recipes/package-lock.json $(wildcard e2e/recipes/*/package.json)
	cd e2e/recipes && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: screenshots
screenshots: build ## every page, two widths, light and dark, into FOLDER or a new folder
	@node e2e/screenshots.js $(FOLDER)

.PHONY: images
images: build ## the same, and the two that the README shows into docs/images/
	@node e2e/screenshots.js --readme $(FOLDER)

.PHONY: generate
generate: ## translate the pages, idp/pages/*.templ, to Go, and write the methods of stored records
	go tool templ generate -log-level error
	go generate ./idp/... ./oidc

.PHONY: format
format: $(packages) ## write Go, pages and scripts as the linters want them
	gofmt -w .
	go tool templ fmt -log-level error idp/pages
	npm run --silent format

$(packages): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

$(library): $(packages) scripts/vendor.js
	npm run --silent vendor
