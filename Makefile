# flb-filter-rgcn. `make` builds, `make demo` shows it at work, `make test` runs all tests. `make deps` installs on Debian what they need;
# it and `make install` alone write outside this folder and Go's cache.

GO       ?= go
# Vector kernels where the machine has them (model/internal/num/kernels_simd.go); without it the plain ones are built.
export GOEXPERIMENT := simd
OUT      := build/out
comma    := ,
SO       := $(OUT)/flb-filter_rgcn.so
RGCN     := $(OUT)/rgcn
# With the tag gpu training can run on a card. Neither the CUDA toolkit nor a driver is needed
# to build or to load it: build/cudagen makes what the compiler asks for.
CUDA     := $(abspath $(OUT)/cuda)
GPUENV   := CGO_CFLAGS="-O2 -g -I$(CUDA)" CGO_LDFLAGS="-L$(CUDA)"
# netgo and osusergo: names of hosts and users are looked up without the C library, whose parts for that want the same release at run time.
TAGS     := gpu,netgo,osusergo
# The commit, which `rgcn version` and the log show. Go would put it in, but not in a worktree, and not where GOFLAGS say -buildvcs=false;
# and where a copy of the sources lies in another project's repository it would put in that one's.
DEVEL    := $(shell [ "$$(git rev-parse --show-toplevel 2>/dev/null)" = "$$(pwd -P)" ] && commit=$$(git rev-parse --short=12 HEAD 2>/dev/null) && echo "devel+$$commit$$([ -z "$$(git status --porcelain)" ] || echo .dirty)")
STAMP    := $(if $(DEVEL),-X flb-filter-rgcn/plugin/version.stamp=$(DEVEL))
GOBUILD  := $(GPUENV) $(GO) build -tags $(TAGS) -trimpath $(if $(DEVEL),,-buildvcs=false) -ldflags '-s -w $(STAMP)'
CLANG    := clang-19
SOURCES  := $(shell find plugin graphbuf model -name '*.go' -o -name '*.[ch]') $(wildcard plugin/report/assets/*) model/cuda/kernels.ptx go.mod go.sum

.PHONY: all
all: $(SO) $(RGCN)

$(SO): $(SOURCES) | setup
	$(GOBUILD) -buildmode=c-shared -o $@ ./plugin
	@rm -f $(@:.so=.h)

$(RGCN): $(SOURCES) | setup
	$(GOBUILD) -o $@ ./plugin/cmd/rgcn

# A build needs Go and a C compiler alone. If Go's cache lacks modules, it fetches them and prints a line about it.
.PHONY: setup
setup:
	@mkdir -p $(OUT)
	@command -v $(GO) >/dev/null || { echo "go is missing: install Go 1.26 or newer, from https://go.dev/dl" >&2; exit 1; }
	@command -v gcc >/dev/null || { echo "gcc is missing: a C compiler is needed to build the plugin; make deps, as root, installs it on Debian" >&2; exit 1; }
	@GOPROXY=off $(GO) mod download 2>/dev/null || \
	  { echo "fetching Go modules, 300 MB when unpacked, once: ten seconds on a fast line, minutes on a slow one"; $(GO) mod download; }
	@$(GO) run ./build/cudagen -o $(CUDA)

# The files to hand out, for each architecture, from one machine: build/release/release.mk.
include build/release/release.mk

# What a build needs besides Go, and what the tests use where it is there: chromium tries the report page, $(CLANG) compares the
# PTX with its source, g++ makes a driver without a card.
DEPS := gcc libc6-dev g++ $(CLANG) chromium
.PHONY: deps
deps:
	@missing=; for d in gcc g++ $(CLANG) chromium; do command -v $$d >/dev/null || missing="$$missing $$d"; done; \
	if [ -z "$$missing" ]; then echo "nothing is missing: gcc, g++, $(CLANG) and chromium are on the PATH"; exit; fi; \
	echo "missing:$$missing"; \
	command -v apt-get >/dev/null || { echo "there is no apt-get here: install them as this system does" >&2; exit 1; }; \
	[ "$$(id -u)" = 0 ] || { echo "to install them, as root: apt-get install $(DEPS)" >&2; exit 1; }; \
	echo "installing with apt-get: $(DEPS)"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEPS) >/dev/null

# A driver without a card, that runs the kernels as the host's compiler builds them: for tests.
FAKECUDA := $(CUDA)/fake/libcuda.so.1
FAKEWARP := $(CUDA)/fakewarp
$(FAKECUDA): model/cuda/testdata/fakecuda.cpp model/cuda/kernels.cu model/cuda/reference.cuh model/cuda/device.h
	@mkdir -p $(@D)
	g++ -shared -fPIC -O2 -Wall -Wno-unknown-pragmas -o $@ $<
	@mkdir -p $(FAKEWARP)
	g++ -shared -fPIC -O2 -Wall -Wno-unknown-pragmas -DHOST_WARP -o $(FAKEWARP)/libcuda.so.1 $<

# The kernels for the driver. kernels.ptx is committed, so that a build needs no clang.
PTX   := $(CLANG) -x cuda --cuda-device-only --cuda-gpu-arch=sm_75 --cuda-feature=+ptx63 -nocudainc -nocudalib -ffp-contract=fast -O3 -S model/cuda/kernels.cu
.PHONY: ptx
ptx:
	$(PTX) -o model/cuda/kernels.ptx

# The main job on LOG=..., a Zeek ssh.log (JSON, TSV with its header, or bare TSV with COLUMNS=ts,uid,...), or on a simulated one.
.PHONY: demo
demo: all
	@build/demo.sh $(if $(COLUMNS_GIVEN),-columns '$(COLUMNS)') $(if $(LOG),'$(LOG)')

# Shells export COLUMNS, the width of the terminal: it counts only where it was given to make itself, or names columns.
COLUMNS_GIVEN := $(if $(filter command line,$(origin COLUMNS)),yes,$(findstring $(comma),$(COLUMNS)))

# The C, C++ and CUDA that people write: options.h is generated.
C_SOURCES := $(filter-out %/options.h,$(shell find build graphbuf model plugin \( -path build/out -o -name node_modules \) -prune -o \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' \) -print))

# A checker in a fixed version, fetched once and kept in $(OUT).
tool = [ -x $(OUT)/$(1) ] || { echo "fetching $(1) into $(OUT)"; GOBIN=$(abspath $(OUT)) $(GO) install $(2) >/dev/null 2>&1; } || echo "skipped: $(1) cannot be fetched"

# Tests on the fake driver need g++.
WANTED_FAKECUDA := $(if $(shell command -v g++),$(FAKECUDA))
TESTENV = RGCN_SO=$(abspath $(SO)) RGCN_BIN=$(abspath $(RGCN)) $(if $(WANTED_FAKECUDA),RGCN_FAKECUDA=$(abspath $(dir $(FAKECUDA))))

.PHONY: test
test: all $(WANTED_FAKECUDA) skipped
	@test -z "$$(gofmt -l build graphbuf model plugin)" || { gofmt -l build graphbuf model plugin; echo "gofmt would change these" >&2; exit 1; }
	@! command -v clang-format-19 >/dev/null || clang-format-19 --dry-run -Werror $(C_SOURCES)
	$(GO) vet ./...
	@$(call tool,staticcheck,honnef.co/go/tools/cmd/staticcheck@v0.8.2); [ ! -x $(OUT)/staticcheck ] || $(GPUENV) $(OUT)/staticcheck -tags gpu ./...
	@$(call tool,govulncheck,golang.org/x/vuln/cmd/govulncheck@v1.9.0); [ ! -x $(OUT)/govulncheck ] || \
	  { found=$$($(OUT)/govulncheck ./... 2>&1) || case "$$found" in \
	    *"fetching vulnerabilities"*) echo "skipped: govulncheck, the vulnerability database is not reachable" ;; \
	    *) echo "$$found" >&2; exit 1 ;; esac; }
	@! command -v $(CLANG) >/dev/null || { $(PTX) -o $(OUT)/kernels.ptx && cmp model/cuda/kernels.ptx $(OUT)/kernels.ptx || \
	  { echo "model/cuda/kernels.ptx is not what kernels.cu gives: run make ptx" >&2; exit 1; }; }
	$(TESTENV) $(GO) test -timeout 20m ./...
	$(GPUENV) $(GO) vet -tags gpu ./model/... ./plugin
ifneq ($(WANTED_FAKECUDA),)
	LD_LIBRARY_PATH=$(dir $(FAKECUDA))$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} $(GPUENV) $(GO) test -tags gpu -timeout 5m -run 'CUDA|Plan|PTX' ./model/...
	LD_LIBRARY_PATH=$(FAKEWARP)$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} $(GPUENV) $(GO) test -count=1 -tags gpu -timeout 5m -run 'CUDA.*Gradients' ./model/internal/gnn ./model/baseline
endif
	@$(MAKE) -s fuzz FUZZTIME=2s FUZZ='FuzzProcess|FuzzWalk'
	$(GO) test -race -short -timeout 20m ./graphbuf ./model/... ./plugin/filter ./plugin/metrics ./plugin/risk

# The suite once more as a clone with nothing beside it has it: no file from outside the repository. .ci/run runs it in a copy.
.PHONY: test-bare
test-bare: all $(WANTED_FAKECUDA) skipped
	$(TESTENV) $(GO) test -timeout 20m ./...

# Prints a line for each part of the tests that this machine cannot run, with what is missing.
.PHONY: skipped
skipped:
	@command -v fluent-bit >/dev/null || echo "skipped: the scenarios of the real host, fluent-bit is not on the PATH; the C test host covers the ABI"
	@command -v chromium >/dev/null || echo "skipped: the report page in a browser, chromium is not on the PATH (make deps)"
	@command -v clang-format-19 >/dev/null || echo "skipped: the layout of C, clang-format-19 is not on the PATH"
	@command -v $(CLANG) >/dev/null || echo "skipped: the PTX against its source, $(CLANG) is not on the PATH (make deps)"
	@command -v g++ >/dev/null || echo "skipped: training on a card's driver for tests, g++ is not on the PATH (make deps)"
	@unshare -rm true 2>/dev/null || echo "skipped: the scenario of a full disk, unshare -rm is not allowed here"
	@for d in /sys/fs/cgroup/memory /sys/fs/cgroup; do [ ! -d $$d ] || break; done; [ -w $$d ] || echo "skipped: the scenarios of containers' memory limits, $$d is not writable; what a training takes is held to what was foretold all the same"
	@$(GO) test -count=1 -v -run '^TestAtHand$$' ./build/samples | sed -n 's/^.*\(skipped for want of \)/\1/p'

# The shipped configuration against real search servers, which Maven fetches; minutes, and 2 GB of memory.
.PHONY: e2e
e2e: all
	RGCN_E2E=1 RGCN_SO=$(abspath $(SO)) RGCN_BIN=$(abspath $(RGCN)) $(GO) test -count=1 -timeout 25m -v ./build/elastic

# Fuzzes every reader of bytes from outside, or those that FUZZ names, each for FUZZTIME.
FUZZTIME ?= 4m
FUZZ     ?= Fuzz[A-Za-z]*
.PHONY: fuzz
fuzz:
	@set -f; for name in $(subst |, ,$(FUZZ)); do \
	  grep -rqE --include='*_test.go' "^func $$name\>" graphbuf model plugin || \
	  { echo "no fuzz target is called $$name: see grep -r '^func Fuzz' graphbuf model plugin" >&2; exit 1; }; done
	@grep -ro --include='*_test.go' -E '^func ($(FUZZ))\>' graphbuf model plugin | sort | while IFS=: read file target; do \
	  echo "$${target#func } in $$(dirname $$file)"; \
	  $(GO) test ./$$(dirname $$file) -run xxx -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x -parallel 1 || exit 1; done

# What the filter costs, in one table; some four minutes. `go test -bench .` has the parts.
.PHONY: bench
bench: all
	$(GO) run ./build/bench

# All checks that need a card, on this machine: tests, faults, bandwidth, passes from two thousand to a
# hundred million edges, whole trainings beside the CPU's, compute-sanitizer. Seven minutes.
.PHONY: bench-cuda
bench-cuda:
	build/oncard.sh pack
	$(OUT)/oncard/oncard.sh run $(OUT)/oncard-report.md

# Makes the generated files that are committed: conf/rgcn.toml and plugin/fluentbit/options.h, from the table of settings,
# and the report page's script and style, which need Node.js and npm.
.PHONY: generate
generate:
	$(GO) generate ./plugin/config ./plugin/report

# The filter and the tool, where the packages put them too (build/release/package/nfpm.yaml).
PREFIX        ?= /usr
INSTALLED_SO   = $(DESTDIR)$(PREFIX)/lib/fluent-bit/flb-filter_rgcn.so
INSTALLED_RGCN = $(DESTDIR)$(PREFIX)/bin/rgcn
.PHONY: install
install: $(SO) $(RGCN)
	install -D -m 644 $(SO) $(INSTALLED_SO)
	install -D -m 755 $(RGCN) $(INSTALLED_RGCN)

# What install put there; state directories and configurations stay.
.PHONY: uninstall
uninstall:
	rm -f $(INSTALLED_SO) $(INSTALLED_RGCN)

.PHONY: clean
clean:
	rm -rf $(OUT)
