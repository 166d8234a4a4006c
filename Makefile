# flb-filter-rgcn. `make` builds, `make demo` shows, `make test` checks; each does all of its own set-up.

GO       ?= go
# Vector kernels where the machine has them (model/kernels_simd.go); without it the plain ones are built.
export GOEXPERIMENT := simd
OUT      := build/out
SO       := $(OUT)/flb-filter_rgcn.so
RGCN     := $(OUT)/rgcn
# With the tag gpu training can run on a card. Neither the CUDA toolkit nor a driver is needed
# to build or to load it: build/cudagen makes what the compiler asks for.
CUDA     := $(abspath $(OUT)/cuda)
GPUENV   := CGO_CFLAGS="-O2 -g -I$(CUDA)" CGO_LDFLAGS="-L$(CUDA)"
GOBUILD  := $(GPUENV) $(GO) build -tags gpu -trimpath -ldflags '-s -w'
SOURCES  := $(shell find plugin graphbuf model -name '*.go' -o -name '*.[ch]') model/cuda/kernels.ptx go.mod go.sum

.PHONY: all
all: $(SO) $(RGCN)

$(SO): $(SOURCES) | setup
	$(GOBUILD) -buildmode=c-shared -o $@ ./plugin
	@rm -f $(@:.so=.h)

$(RGCN): $(SOURCES) | setup
	$(GOBUILD) -o $@ ./plugin/cmd/rgcn

# Go, a C compiler and git are all that a build needs; what is missing of the compiler comes from apt.
.PHONY: setup
setup:
	@mkdir -p $(OUT)
	@command -v $(GO) >/dev/null || { echo "go is missing: install Go 1.26 or newer" >&2; exit 1; }
	@command -v gcc >/dev/null || { \
	  echo "gcc is missing: installing it with apt-get"; \
	  apt-get update -qq && apt-get install -y -qq gcc libc6-dev; }
	@$(GO) mod download
	@$(GO) run ./build/cudagen -o $(CUDA)

# A driver without a card, that runs the kernels as the host's compiler builds them: for tests.
FAKECUDA := $(CUDA)/fake/libcuda.so.1
FAKEWARP := $(CUDA)/fakewarp
$(FAKECUDA): model/cuda/testdata/fakecuda.cpp model/cuda/kernels.cu model/cuda/reference.cuh model/cuda/device.h
	@command -v g++ >/dev/null || { echo "g++ is missing: installing it with apt-get"; apt-get update -qq && apt-get install -y -qq g++; }
	@mkdir -p $(@D)
	g++ -shared -fPIC -O2 -Wall -Wno-unknown-pragmas -o $@ $<
	@mkdir -p $(FAKEWARP)
	g++ -shared -fPIC -O2 -Wall -Wno-unknown-pragmas -DHOST_WARP -o $(FAKEWARP)/libcuda.so.1 $<

# The kernels for the driver. kernels.ptx is committed, so that a build needs no clang.
CLANG := clang-19
PTX   := $(CLANG) -x cuda --cuda-device-only --cuda-gpu-arch=sm_75 --cuda-feature=+ptx63 -nocudainc -nocudalib -ffp-contract=fast -O3 -S model/cuda/kernels.cu
.PHONY: ptx
ptx:
	$(PTX) -o model/cuda/kernels.ptx

# The main job on LOG=..., a Zeek ssh.log (JSON, or TSV with its header), or on a simulated one.
.PHONY: demo
demo: all
	@build/demo.sh $(LOG)

# A checker in the version named, kept beside what is built.
tool = [ -x $(OUT)/$(1) ] || GOBIN=$(abspath $(OUT)) $(GO) install $(2) >/dev/null 2>&1 || echo "$(1) cannot be fetched: skipped"

.PHONY: test
test: all $(FAKECUDA)
	@test -z "$$(gofmt -l build graphbuf model plugin)" || { gofmt -l build graphbuf model plugin; echo "gofmt would change these" >&2; exit 1; }
	$(GO) vet ./...
	@$(call tool,staticcheck,honnef.co/go/tools/cmd/staticcheck@v0.8.2); [ ! -x $(OUT)/staticcheck ] || $(GPUENV) $(OUT)/staticcheck -tags gpu ./...
	@$(call tool,govulncheck,golang.org/x/vuln/cmd/govulncheck@v1.9.0); [ ! -x $(OUT)/govulncheck ] || \
	  { found=$$($(OUT)/govulncheck ./... 2>&1) || case "$$found" in \
	    *"fetching vulnerabilities"*) echo "the vulnerability database is not reachable: govulncheck is skipped" ;; \
	    *) echo "$$found" >&2; exit 1 ;; esac; }
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { echo "chromium is missing: installing it with apt-get, for the test of the report page"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }; } || \
	  echo "chromium is not on the PATH: the report page is not tried in a browser"
	@command -v fluent-bit >/dev/null || echo "fluent-bit is not on the PATH: the scenarios of the real host are skipped; the C test host covers the ABI"
	@command -v $(CLANG) >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { echo "$(CLANG) is missing: installing it with apt-get, to compare the PTX with its source"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(CLANG) >/dev/null; }; } || \
	  echo "$(CLANG) is not on the PATH: the PTX is not compared with its source"
	@! command -v $(CLANG) >/dev/null || { $(PTX) -o $(OUT)/kernels.ptx && cmp model/cuda/kernels.ptx $(OUT)/kernels.ptx || \
	  { echo "model/cuda/kernels.ptx is not what kernels.cu gives: run make ptx" >&2; exit 1; }; }
	RGCN_SO=$(abspath $(SO)) RGCN_BIN=$(abspath $(RGCN)) RGCN_FAKECUDA=$(dir $(FAKECUDA)) $(GO) test -timeout 10m ./...
	$(GPUENV) $(GO) vet -tags gpu ./model/... ./plugin
	LD_LIBRARY_PATH=$(dir $(FAKECUDA)):$$LD_LIBRARY_PATH $(GPUENV) $(GO) test -tags gpu -timeout 5m -run 'CUDA|Plan|PTX' ./model/...
	LD_LIBRARY_PATH=$(FAKEWARP):$$LD_LIBRARY_PATH $(GPUENV) $(GO) test -count=1 -tags gpu -timeout 5m -run 'CUDA.*Gradients' ./model
	@$(MAKE) -s fuzz FUZZTIME=2s FUZZ='FuzzProcess|FuzzWalk'
	$(GO) test -race -timeout 5m -run 'Writers|Goroutines|Background|Close|Conn|SlowReaders|OneDrawing' ./graphbuf ./plugin/filter ./plugin/metrics ./plugin/cmd/rgcn

# The shipped configuration against real search servers, which Maven fetches; minutes, and 2 GB of memory.
.PHONY: e2e
e2e: all
	RGCN_E2E=1 RGCN_SO=$(abspath $(SO)) RGCN_BIN=$(abspath $(RGCN)) $(GO) test -count=1 -timeout 15m -v ./build/elastic

# Every reader of bytes from outside (or those that FUZZ names) on bytes that nobody wrote, each as long as FUZZTIME says.
FUZZTIME ?= 4m
FUZZ     ?= Fuzz[A-Za-z]*
.PHONY: fuzz
fuzz:
	@grep -ro --include='*_test.go' -E '^func ($(FUZZ))\>' graphbuf model plugin | sort | while IFS=: read file target; do \
	  echo "$${target#func } in $$(dirname $$file)"; \
	  $(GO) test ./$$(dirname $$file) -run xxx -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x -parallel 1 || exit 1; done

# What the filter costs, in one table; some four minutes. `go test -bench .` has the parts.
.PHONY: bench
bench: all
	$(GO) run ./build/bench

# All that has to be seen on a card, on this machine: tests, faults, bandwidth, passes from two thousand to a
# hundred million edges, whole trainings beside the CPU's, compute-sanitizer. Six minutes.
.PHONY: bench-cuda
bench-cuda:
	build/oncard.sh pack
	$(OUT)/oncard/oncard.sh run $(OUT)/oncard-report.md

# What is generated and committed: conf/rgcn.toml and plugin/options.h, from the table of settings,
# and the report page's script and style, which need Node.js and npm.
.PHONY: generate
generate:
	$(GO) generate ./plugin/config ./plugin/report

.PHONY: install
install: $(SO)
	install -D -m 644 $(SO) $(DESTDIR)/usr/lib/fluent-bit/flb-filter_rgcn.so

.PHONY: clean
clean:
	rm -rf $(OUT)
