# `make` builds the libraries, `make test` checks everything, `make help` tells the rest.

PREFIX  ?= /usr/local
DESTDIR ?=
LIBDIR     = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include

# 0: without SQLite, for hosts that keep the state themselves; sds_manager_open_store then answers SDS_NOT_BUILT_IN.
SQLITE  ?= 1

CARGO ?= cargo
GO    ?= go
CC    ?= cc
CXX   ?= c++

# Where cargo builds, and where what we ship lies: the second is fixed, since the Go bindings look there.
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
OUT        := target/lib
VERSION    := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
ABI        := $(shell sed -n 's/^.define SDS_ABI_VERSION //p' include/sds.h)

UNAME := $(shell uname -s)
ifeq ($(UNAME),Darwin)
  SHARED       := libsds.dylib
  LIBS_PRIVATE := -lSystem
  RPATH_FLAG    = -Wl,-rpath,
else ifneq ($(filter MINGW% MSYS% CYGWIN%,$(UNAME)),)
  SHARED       := sds.dll
  LIBS_PRIVATE := -lws2_32 -luserenv -lntdll -lbcrypt
else
  SHARED       := libsds.so
  LIBS_PRIVATE := -lpthread -ldl -lm
endif
# The name that programs look for at run time; libsds.so is only what the linker looks for.
SONAME := $(SHARED)$(if $(filter libsds.so,$(SHARED)),.$(ABI))

# The Rust code and what it is built by. `make` asks cargo only when one of these is newer than the library.
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock build.rs

GO_BINDINGS := go-bindings
# The drop-in for sds-go-bindings has a copy of the bindings (go-bindings/dropin/sds/doc.go tells why); git has none.
DROPIN_ENGINE := $(GO_BINDINGS)/dropin/engine
# A module of its own: go-waku brings much, and takes minutes to build. The tag leaves out RLN, which nothing here uses.
WAKU_MODULE := $(GO_BINDINGS)/waku
WAKU_TAGS := gowaku_no_rln
GO_MODULES = $(filter-out $(WAKU_MODULE)/,$(dir $(wildcard $(GO_BINDINGS)/go.mod $(GO_BINDINGS)/*/go.mod)))
# What one step of `make test` is called in the output.
SAY = @printf '\n== %s\n'

.PHONY: all lib
all: lib

## lib: SQLITE=1: the static and the shared library and sds.pc in target/lib, and include/sds.h (the default)
lib: $(OUT)/libsds.a $(OUT)/$(SHARED) $(OUT)/sds.pc include/sds.h $(DROPIN_ENGINE)/doc.go

FEATURES := $(if $(filter 0,$(SQLITE)),--no-default-features)
# Changes only when the library is to be built the other way than before.
$(OUT)/.features: FORCE
	@mkdir -p $(OUT)
	@[ "$$(cat $@ 2>/dev/null)" = 'SQLITE=$(SQLITE)' ] || echo 'SQLITE=$(SQLITE)' > $@

FORCE:

$(OUT)/.built: $(SOURCES) $(OUT)/.features
	$(CARGO) build --release --lib --locked $(FEATURES)
	@mkdir -p $(OUT)
	@touch $@

$(OUT)/libsds.a: $(OUT)/.built tools/localize.sh include/sds.h
	CC='$(CC)' tools/localize.sh $(TARGET_DIR)/release/libsds.a $@ include/sds.h

# Without line tables; function names stay for backtraces. `cp` keeps cargo's own copy whole.
$(OUT)/$(SHARED): $(OUT)/.built
	cp $(TARGET_DIR)/release/$(SHARED) $@
	strip $(if $(filter Darwin,$(UNAME)),-x -S,--strip-debug) $@
	@[ $(SONAME) = $(SHARED) ] || ln -sf $(SHARED) $(OUT)/$(SONAME)

# This one is for programs built against the work tree; `install` writes another.
$(OUT)/sds.pc: tools/sds.pc.in Cargo.toml Makefile
	@mkdir -p $(OUT)
	$(call write-pc,$(CURDIR)/$(OUT),$(CURDIR)/include) > $@

write-pc = sed -e 's|@LIBDIR@|$(1)|' -e 's|@INCLUDEDIR@|$(2)|' -e 's|@VERSION@|$(VERSION)|' \
	-e 's|@LIBS_PRIVATE@|$(LIBS_PRIVATE)|' tools/sds.pc.in

# The folder is named, too, for files that are taken away.
$(DROPIN_ENGINE)/doc.go: $(GO_BINDINGS)/sds $(wildcard $(GO_BINDINGS)/sds/*.go) tools/dropin.sh
	tools/dropin.sh $(GO_BINDINGS)/sds $(DROPIN_ENGINE)

include/sds.h: $(wildcard src/ffi/*.rs) cbindgen.toml
	$(CARGO) run --quiet --locked -p sds-header -- $@
	@touch $@

.PHONY: header header-check
## header: write include/sds.h from src/ffi
header:
	$(CARGO) run --quiet --locked -p sds-header -- include/sds.h
## header-check: fail if include/sds.h is not what src/ffi says
header-check:
	$(SAY) $@
	$(CARGO) run --quiet --locked -p sds-header -- --check include/sds.h

.PHONY: conformance mutation-check
## conformance: RFC 109 row by row, and docs/conformance.md
conformance:
	$(CARGO) run --quiet --locked -p sds-conformance
## mutation-check: ROWS="r1 y3": each row's behaviour is taken out, and its tests must notice; minutes for all rows
mutation-check:
	$(CARGO) run --quiet --locked -p sds-conformance -- --mutate $(ROWS)

.PHONY: install uninstall
## install: PREFIX=/usr/local DESTDIR=: libraries, header and sds.pc
install: lib
	install -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)'
	install -m 644 include/sds.h '$(DESTDIR)$(INCLUDEDIR)/sds.h'
	install -m 644 $(OUT)/libsds.a '$(DESTDIR)$(LIBDIR)/libsds.a'
	install -m 755 $(OUT)/$(SHARED) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	[ $(SONAME) = $(SHARED) ] || ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/$(SHARED)'
	$(call write-pc,$(LIBDIR),$(INCLUDEDIR)) > '$(DESTDIR)$(LIBDIR)/pkgconfig/sds.pc'
## uninstall: PREFIX= DESTDIR=: remove what install put there
uninstall:
	rm -f '$(DESTDIR)$(INCLUDEDIR)/sds.h' '$(DESTDIR)$(LIBDIR)/libsds.a' '$(DESTDIR)$(LIBDIR)/$(SONAME)' \
		'$(DESTDIR)$(LIBDIR)/$(SHARED)' '$(DESTDIR)$(LIBDIR)/pkgconfig/sds.pc'

.PHONY: setup
## setup: install what the tests need and this machine lacks (as root, where packages can be had)
setup:
	$(SAY) $@
	tools/setup.sh

# One after the other, cheap ones first, so that a failure shows soon and the output stays in order.
TESTS = setup fmt-check lint rust-test swarm-test conformance-check doc header-check c-test without-sqlite-test check-memory symbols-test \
	install-test link-test go-lint go-test dropin-test smoke interop wasm-test bridge-test web-test deny
.PHONY: test $(TESTS)
## test: everything below, in this order: $(TESTS)
test:
	@for step in $(TESTS); do $(MAKE) --no-print-directory $$step || { echo "make test: $$step failed" >&2; exit 1; }; done
	@printf '\nmake test: all passed\n'

## fmt-check: rustfmt has nothing to reformat
fmt-check:
	$(SAY) $@
	$(CARGO) fmt --all --check
## lint: clippy, warnings are errors
lint:
	$(SAY) $@
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy --lib --features fuzzing --locked -- -D warnings
## rust-test: all Rust tests, house rules included
rust-test:
	$(SAY) $@
	$(CARGO) test --workspace --locked
## conformance-check: fail if a row of RFC 109 fails, docs/conformance.md is stale, or a mutation does not apply or compile
conformance-check:
	$(SAY) $@
	$(CARGO) run --quiet --locked -p sds-conformance -- --check
## doc: the Rust documentation, warnings are errors
doc:
	$(SAY) $@
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked

## c-test: tests/c as C and as C++, each against the static and the shared library
c-test: lib
	$(SAY) $@
	CC='$(CC)' CXX='$(CXX)' LIBS='$(LIBS_PRIVATE)' tests/c/run.sh
## without-sqlite-test: `make SQLITE=0` builds, and sds_manager_open_store says what is missing
without-sqlite-test: lib
	$(SAY) $@
	CC='$(CC)' LIBS='$(LIBS_PRIVATE)' tests/c/without.sh '$(MAKE)'
## check-memory: the C tests under valgrind and, with instrumented Rust, under the address, undefined and thread sanitizers
check-memory: lib
	$(SAY) $@
	@tools/setup.sh --has valgrind || exit 0; \
	CC='$(CC)' CXX='$(CXX)' LIBS='$(LIBS_PRIVATE)' tests/c/run.sh --valgrind
	@tools/setup.sh --sanitizers || exit 0; CC='$(CC)' CARGO='$(CARGO)' LIBS='$(LIBS_PRIVATE)' tests/c/sanitize.sh
## symbols-test: both libraries show the header's functions and nothing else; panics are caught after localising
symbols-test: lib
	$(SAY) $@
	CC='$(CC)' CARGO='$(CARGO)' LIBS='$(LIBS_PRIVATE)' tests/symbols.sh $(OUT) $(SHARED) $(SONAME)
## install-test: install into a scratch folder, build the example through pkg-config, uninstall
install-test: lib
	$(SAY) $@
	@tools/setup.sh --has pkg-config || exit 0; CC='$(CC)' tests/install.sh '$(MAKE)'
## link-test: one Go program with our static library, SQLite and another Rust archive
link-test: lib
	$(SAY) $@
	@tools/setup.sh --has $(GO) || exit 0; set -e; \
	$(CARGO) build --quiet --release --manifest-path tests/link/other/Cargo.toml --target-dir $(CURDIR)/target/link; \
	cd tests/link && $(GO) vet ./... && $(GO) test -count=1 -v ./...


## go-lint: gofmt and go vet
go-lint: lib
	$(SAY) $@
	@tools/setup.sh --has $(GO) || exit 0; set -e; \
	for module in $(GO_MODULES) $(dir $(wildcard tests/*/go.mod)); do \
		unformatted=$$(gofmt -l $$module); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }; \
		(cd $$module && $(GO) vet ./...); \
	done
## go-test: the Go bindings' tests with the race detector
go-test: lib
	$(SAY) $@
	@tools/setup.sh --has $(GO) || exit 0; set -e; \
	for module in $(GO_MODULES); do \
		(cd $$module && $(GO) test -race -count=1 ./...); \
	done

## dropin-test: a program written for sds-go-bindings, on our engine after one replace line; and one with its own database
dropin-test: lib
	$(SAY) $@
	@tools/setup.sh --has $(GO) || exit 0; GO='$(GO)' tests/dropin/run.sh

.PHONY: demo chat bench
# What was given goes through the environment, so that blanks and quotes in it stay what they are; and the programs run
# in the folder that make runs in, so that relative names mean the same.
export LOSS SEED SPEED FILE STORE PLAIN NAME MESSAGES
GIVEN = $(GO) build -C $(GO_BINDINGS) -o $(CURDIR)/target/bin/ ./cmd/$(1) && target/bin/$(1)
## demo: LOSS=0.2 SEED= SPEED= FILE= STORE=1 PLAIN= WAKU=: six people chat over UDP sockets that lose packets, or with WAKU=1 (anything but 0) over go-waku nodes, where SPEED is that of the typing alone and all lines are plain; all logs end equal
demo: $(if $(filter-out 0,$(WAKU)),waku-demo,udp-demo)
.PHONY: udp-demo waku-demo waku-test
udp-demo: lib
	@$(call GIVEN,sds-demo) $${LOSS:+-loss "$$LOSS"} $${SEED:+-seed "$$SEED"} $${SPEED:+-speed "$$SPEED"} \
		$${FILE:+-file "$$FILE"} $${STORE:+-store="$$STORE"} $${PLAIN:+-plain="$$PLAIN"}
waku-demo: lib
	@[ -z "$$PLAIN" ] || echo 'make demo: PLAIN makes no difference with WAKU: its lines are always plain' >&2
	@$(GO) build -C $(WAKU_MODULE) -tags $(WAKU_TAGS) -o $(CURDIR)/target/bin/ ./cmd/sds-waku-demo && target/bin/sds-waku-demo \
		$${LOSS:+-loss "$$LOSS"} $${SEED:+-seed "$$SEED"} $${SPEED:+-speed "$$SPEED"} $${STORE:+-store="$$STORE"} \
		-file "$${FILE:-$(GO_BINDINGS)/cmd/sds-demo/transcript.txt}"
## waku-test: COUNT=1: reliable channels over real go-waku nodes on loopback; minutes to build, and not a part of `make test`
waku-test: lib
	cd $(WAKU_MODULE) && unformatted=$$(gofmt -l .) && { [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }; }
	cd $(WAKU_MODULE) && $(GO) vet -tags $(WAKU_TAGS) ./... && $(GO) test -tags $(WAKU_TAGS) -count=$(or $(COUNT),1) -timeout 60m ./...
## chat: NAME=alice PLAIN=: a chat to type in; run it in two or more terminals
chat: lib
	@$(call GIVEN,sds-chat) $${NAME:+-name "$$NAME"} $${PLAIN:+-plain="$$PLAIN"}
## bench: prints lines `bench: <name> <value> <unit>`
bench: lib
	MAKE='$(MAKE)' tools/bench.sh
## flood: MESSAGES=1000000: hostile messages of all kinds into one channel; minutes
.PHONY: flood limits
flood:
	$(CARGO) bench --locked --bench flood
## crash-test: ROUNDS=500: a process is killed at random, restarted and checked; minutes
.PHONY: crash-test sqlcipher-test
crash-test:
	SDS_CRASH_ROUNDS=$(or $(ROUNDS),500) $(CARGO) test --locked --test crash -- --nocapture
## sqlcipher-test: builds SQLCipher and OpenSSL, and runs the tests of durable state with them; minutes
sqlcipher-test:
	$(CARGO) test --locked --features sqlcipher --test durable
## limits: write docs/limits.md from src/config.rs and tests/hostile/limits.tsv
limits:
	SDS_WRITE_LIMITS=1 $(CARGO) test --quiet --locked --test hostile limits_document
# The simulator is built by a profile of its own (Cargo.toml), without SQLite, when one of these asks for it.
SIM := $(CARGO) run --quiet --profile sim --locked -p sds-sim --
.PHONY: swarm furps sim
## swarm: RUNS=5000 SEED=0: so many simulated groups, each drawn from its seed, held to every promise; minutes
swarm:
	$(SIM) swarm --runs $(or $(RUNS),5000) --seed $(or $(SEED),0)
## swarm-test: the first 400 of them
swarm-test:
	$(SAY) $@
	$(SIM) swarm --runs 400
## furps: FURPS="--participants 10,100 --loss 1,10 --repair store": P1 to R2 of simulated groups, beside their bounds
furps:
	$(SIM) furps $(FURPS)
SIZES ?= 10,100,1000
## sim: SIZES=10,100,1000 SEED=1 DOCS=: the same over loss and size, as target/sim/report.html with plots, and report.json; DOCS=docs renews docs/figures.md (that has 10,100)
sim:
	$(SIM) report --participants $(SIZES) --seed $(or $(SEED),1) --out target/sim $(if $(DOCS),--docs $(DOCS))
# The demo itself checks that all logs end equal, and fails if not.
smoke: lib
	$(SAY) $@
	@tools/setup.sh --has $(GO) || exit 0; tests/demo.sh '$(MAKE)'

## interop: our engine and the real @waku/sds, from npm in Node, talk until both logs are equal
interop: lib
	$(SAY) $@
	@GO='$(GO)' MAKE='$(MAKE)' tests/interop/run.sh $(INTEROP_MODULES)
# npm rewrites the folder as a whole; the file says from which lock file.
INTEROP_MODULES := tests/interop/node_modules/.installed
$(INTEROP_MODULES): $(addprefix tests/interop/,package.json package-lock.json .npmrc)
	cd tests/interop && npm ci --prefer-offline --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: wasm wasm-bench
# What the .wasm and the package are made of.
WASM_SOURCES := $(SOURCES) $(shell find wasm/src wasm/ts wasm/bindgen -name '*.rs' -o -name '*.ts' ! -path '*/ts/wasm/*') \
	$(wildcard wasm/*.sh wasm/*.json wasm/Cargo.* wasm/README.md)
WASM_MODULES := wasm/node_modules/.installed
$(WASM_MODULES): $(addprefix wasm/,package.json package-lock.json .npmrc)
	cd wasm && npm ci --prefer-offline --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
wasm/dist/.built: $(WASM_SOURCES) $(WASM_MODULES)
	CARGO='$(CARGO)' wasm/build.sh
	@touch $@
## wasm: the npm package for browsers, bundlers and Node, in target/npm; its .wasm is at most 120 KiB gzipped
wasm: wasm/dist/.built
## wasm-test: the engine's tests under WebAssembly, and the package's in Node, with live interop with @waku/sds
wasm-test:
	$(SAY) $@
	@CARGO='$(CARGO)' MAKE='$(MAKE)' wasm/test.sh
## bridge-test: Go participants and the npm package's in one channel, through a bridge that only forwards bytes
.PHONY: bridge-test
bridge-test: lib
	$(SAY) $@
	@GO='$(GO)' CARGO='$(CARGO)' MAKE='$(MAKE)' tests/bridge/run.sh
## wasm-bench: the package and @waku/sds in one Node process; part of bench
wasm-bench: wasm
	cd wasm && node --expose-gc bench.mjs

.PHONY: web-demo web-test
# The page, built: target/web-demo/site.
WEB_SITE := target/web-demo/site/index.html
WEB_MODULES := wasm/demo/node_modules/.installed
WEB_SOURCES := $(shell find wasm/demo/src wasm/demo/public -type f) $(wildcard wasm/demo/*.html wasm/demo/*.json wasm/demo/*.js)
$(WEB_MODULES): $(addprefix wasm/demo/,package.json package-lock.json .npmrc)
	cd wasm/demo && npm ci --prefer-offline --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
$(WEB_SITE): wasm/dist/.built $(WEB_SOURCES) $(WEB_MODULES)
	cd wasm/demo && npm run --silent build
## web-demo: a forum whose participants are the tabs of a browser, over a network that can be made to lose: serves it on loopback
web-demo: $(WEB_SITE)
	@cd wasm/demo && npm run --silent serve
## web-test: that page in Chromium: tabs, losses, one offline, reloads; keeps pictures in target/web-demo
web-test:
	$(SAY) $@
	@CARGO='$(CARGO)' MAKE='$(MAKE)' wasm/demo/test.sh

# cargo-deny takes about three minutes to build on two cores; once built it stays in target/tools.
DENY := target/tools/bin/cargo-deny
$(DENY):
	$(CARGO) install --quiet --locked --root target/tools --target-dir target/tools/build cargo-deny
	@rm -rf target/tools/build
## deny: licences, sources and duplicates of all crates (deny.toml)
deny:
	$(SAY) $@
	@command -v cargo-deny >/dev/null || $(MAKE) --no-print-directory $(DENY)
	PATH="$$PATH:$(CURDIR)/target/tools/bin" cargo-deny --workspace --all-features check bans licenses sources
	PATH="$$PATH:$(CURDIR)/target/tools/bin" cargo-deny --manifest-path wasm/Cargo.toml --workspace --all-features --config deny.toml \
		check bans licenses sources

# cargo-fuzz takes about two minutes to build on two cores; once built it stays in target/tools.
FUZZ := target/tools/bin/cargo-fuzz
$(FUZZ):
	$(CARGO) install --quiet --locked --root target/tools --target-dir target/tools/build cargo-fuzz
	@rm -rf target/tools/build
.PHONY: fuzz fuzz-seeds
export TIME
## fuzz: TIME=60 TARGETS=: each fuzzer for so many seconds; prints lines `fuzz: <target> executions ... cov ... ft ... found ...`
fuzz: setup
	@command -v cargo-fuzz >/dev/null || $(MAKE) --no-print-directory $(FUZZ)
	@PATH="$$PATH:$(CURDIR)/target/tools/bin" tools/fuzz.sh $(TARGETS)
## fuzz-seeds: write what the fuzzers begin with, fuzz/seeds, from recorded messages and our own
fuzz-seeds:
	SDS_FUZZ_SEEDS=write $(CARGO) test --quiet --locked --lib fuzz::tests::seeds

.PHONY: clean help
## clean: remove all that was built
clean:
	$(CARGO) clean
	rm -rf target
## help: this list
help:
	@sed -n 's/^## //p' Makefile | sed 's/$$(TESTS)/$(TESTS)/' | awk -F': ' \
		'{ name = $$1; sub(/^[^:]*: /, ""); printf "%-14s %s\n", name, $$0 }'
