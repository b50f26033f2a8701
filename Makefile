# Two commands do everything on a fresh machine: `make demo` and `make test`.
# ADDR and DATA set the demo's address and its data directory.

ADDR ?= 127.0.0.1:8080
DATA ?=
GO   ?= go
NPM  := npm --prefix frontend/ui

UI_SOURCES := $(shell find frontend/ui -type f -not -path '*/node_modules/*' -not -path '*/test-results/*' -not -path '*/playwright-report/*')
export CGO_ENABLED := 0

.PHONY: demo build frontend test bench check fmt generate soak clean setup e2e assess

demo: build
	@exec bin/webmail demo --addr $(ADDR) $(if $(DATA),--data $(DATA))

build: frontend
	@$(GO) build -trimpath -o bin/webmail ./cmd/webmail

# The page is built when its sources are newer than the result.
frontend: frontend/dist/index.html

frontend/ui/node_modules/.package-lock.json: frontend/ui/package-lock.json
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

frontend/dist/index.html: frontend/ui/node_modules/.package-lock.json $(UI_SOURCES)
	@$(NPM) run --silent build >frontend/ui/build.log 2>&1 || { cat frontend/ui/build.log; exit 1; }
	@touch $@

# What the tests need beyond Go and Node: Debian's Chromium and PostgreSQL.
setup:
	@.ci/setup

# All tests, quiet on success: linters, Go on both databases, the page's units, the product in a browser.
test: setup frontend
	@.ci/step "source" $(MAKE) --no-print-directory check
	@.ci/gotest ./...
	@.ci/uitest
	@$(MAKE) --no-print-directory e2e

check:
	@.ci/check

e2e: build
	@.ci/e2e

# Figures, as ratios within one run.
bench: build
	@.ci/bench

# The evidence pack for reviewers, in OUT (bin/assessment by default) and as a .zip beside it.
assess: setup build
	@.ci/assess $(OUT)

# Longer runs of the same tests: more kill rounds, fuzzing, larger input spaces.
soak: setup frontend
	@.ci/soak

fmt:
	@gofmt -w $$(git ls-files '*.go')
	@$(NPM) run --silent format

generate:
	@$(GO) generate ./frontend/api
	@$(NPM) run --silent gen

clean:
	@rm -rf bin frontend/dist/assets frontend/dist/index.html*
