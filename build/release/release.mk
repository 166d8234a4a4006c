# What is handed out: the plugin and the tool for each architecture, built on one machine against an old glibc. The same commit gives
# the same bytes anywhere: compilers are pinned, and neither paths nor the time of the build go in.

ARCHITECTURES := amd64 arm64
# The oldest glibc that the files load with: RHEL 7's. build/release/elf_test.go checks it.
GLIBC         := 2.17
zig_amd64     := x86_64-linux-gnu.$(GLIBC)
zig_arm64     := aarch64-linux-gnu.$(GLIBC)
RELEASE       := $(OUT)/release
RELEASED      := $(foreach a,$(ARCHITECTURES),$(RELEASE)/linux-$(a)/flb-filter_rgcn.so $(RELEASE)/linux-$(a)/rgcn)
ZIG           := $(abspath $(OUT)/zig/ziglang/zig)
# Of Go too one version is taken, which the go command fetches where it is another.
RELEASE_GO    := go1.26.8

# Of the commit checked out; a copy without git gives both.
VERSION           ?= $(shell build/release/version.sh)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: release
release: $(RELEASED)

# What is built is built anew when the version is another.
.PHONY: FORCE
$(RELEASE)/version: FORCE
	@mkdir -p $(@D); version='$(VERSION)'; [ "$$(cat $@ 2>/dev/null)" = "$$version" ] || echo "$$version" >$@

$(ZIG): build/release/zig.txt
	@command -v python3 >/dev/null || { echo "python3 with pip is missing: it fetches the C compiler for releases" >&2; exit 1; }
	@echo "fetching zig, the C compiler for releases, into $(OUT): 100 MB, 400 when unpacked"
	@rm -rf $(OUT)/zig
	@python3 -m pip install --quiet --root-user-action=ignore --no-deps --require-hashes --target $(OUT)/zig -r $<
	@touch $@

ZIGCC   := $(abspath build/release/zigcc)
zig_env  = ZIG=$(ZIG) ZIG_TARGET=$(zig_$(1)) ZIG_GLOBAL_CACHE_DIR=$(abspath $(OUT)/zig-cache) ZIG_LOCAL_CACHE_DIR=$(abspath $(OUT)/zig-cache)
# The environment of a build for the architecture named, and nothing else of the one that make runs in.
release_env = $(call zig_env,$(1)) CC=$(ZIGCC) CGO_ENABLED=1 GOOS=linux GOARCH=$(1) GOAMD64=v1 GOARM64=v8.0 GOFLAGS= GOTOOLCHAIN=$(RELEASE_GO) \
	CGO_CFLAGS="-O2 -I$(CUDA)" CGO_LDFLAGS="-L$(CUDA)"
release_build = $(call release_env,$(1)) $(GO) build -tags $(TAGS) -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X flb-filter-rgcn/plugin/version.stamp=$$(cat $(RELEASE)/version)"

define release_rules
$(RELEASE)/linux-$(1)/flb-filter_rgcn.so: $(SOURCES) build/release/zigcc $(ZIG) $(RELEASE)/version | setup
	$$(call release_build,$(1)) -buildmode=c-shared -o $$@ ./plugin
	@rm -f $$(@:.so=.h)

$(RELEASE)/linux-$(1)/rgcn: $(SOURCES) build/release/zigcc $(ZIG) $(RELEASE)/version | setup
	$$(call release_build,$(1)) -o $$@ ./plugin/cmd/rgcn
endef
$(foreach a,$(ARCHITECTURES),$(eval $(call release_rules,$(a))))

# The licence texts of all modules that are linked in, which whoever hands the files on has to hand on with them.
LICENCES := $(RELEASE)/third-party-licences.txt
$(LICENCES): $(RELEASED) plugin/report/assets/licenses.txt build/release/licences/main.go
	GOTOOLCHAIN=$(RELEASE_GO) $(GO) run ./build/release/licences -also plugin/report/assets $(RELEASED) >$@.new
	@mv $@.new $@

# .deb, .rpm and .tar.gz of each architecture, what each plugin was built of (CycloneDX), and checksums of all.
PACKAGES := $(RELEASE)/packages
NFPM     := $(abspath $(OUT)/nfpm)
CDX      := $(abspath $(OUT)/cyclonedx-gomod)

.PHONY: packages
packages: release $(LICENCES)
	@$(call tool,nfpm,github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4)
	@$(call tool,cyclonedx-gomod,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0)
	@[ -x $(NFPM) ] && [ -x $(CDX) ] || { echo "packages need both" >&2; exit 1; }
	NFPM=$(NFPM) CDX=$(CDX) SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) build/release/package/pack.sh $(RELEASE) $(ARCHITECTURES)

# The same once more in a copy of what is committed, with other compilers' caches: every byte must be the same. Minutes.
.PHONY: reproduce
reproduce: packages
	@rm -rf $(OUT)/again && git clone -q . $(OUT)/again/in/another/folder
	$(MAKE) -C $(OUT)/again/in/another/folder packages VERSION='$(VERSION)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH)
	cmp $(PACKAGES)/SHA256SUMS $(OUT)/again/in/another/folder/$(PACKAGES)/SHA256SUMS
	@echo "every package has the same bytes"

# arm64 is tried in an emulator of user programs, with the C library of Debian's cross compiler.
QEMU     := $(shell command -v qemu-aarch64)
SYSROOT  := /usr/aarch64-linux-gnu
EMULATOR := $(if $(and $(QEMU),$(wildcard $(SYSROOT)/lib/libc.so.6)),$(QEMU) -L $(SYSROOT))
DEPS_RELEASE := python3-pip qemu-user libc6-arm64-cross debootstrap rpm

# What the checks of a release use where it is there, on Debian, as root.
.PHONY: deps-release
deps-release:
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEPS_RELEASE) >/dev/null

# A Debian system to install packages in.
DEBIAN := $(OUT)/debian
$(DEBIAN):
	@command -v debootstrap >/dev/null || { echo "skipped: packages in a Debian root, debootstrap is not on the PATH (make deps-release)"; exit 0; }; \
	[ "$$(id -u)" = 0 ] || { echo "skipped: packages in a Debian root, debootstrap wants root"; exit 0; }; \
	rm -rf $@.new; debootstrap --variant=minbase bookworm $@.new >$(OUT)/debootstrap.log 2>&1 && mv $@.new $@ || \
	echo "skipped: packages in a Debian root, debootstrap cannot make one: $$(tail -1 $(OUT)/debootstrap.log)"

arm64_host = $(call zig_env,arm64) RGCN_CC=$(ZIGCC)
# Tests whose results hang on the processor's arithmetic and its order of bytes.
ARITHMETIC := Kernels|HiddenLayer|Grouping|Philox|Gradient|Encode|Restore|Budget|SameSeed|Thresholds|AUC|Peers|CountsAgree

# The checks of what is handed out, minutes. On arm64: the C test host with everything it asks of the plugin, and the packages whose
# results hang on the processor's arithmetic, as plain Go.
.PHONY: test-release
test-release: packages $(DEBIAN)
	env RGCN_RELEASE=$(abspath $(RELEASE)) RGCN_EMULATOR="$(EMULATOR)" RGCN_NFPM=$(NFPM) $$([ ! -d $(DEBIAN) ] || echo RGCN_DEBIAN=$(abspath $(DEBIAN))) \
	  $(GO) test -count=1 -timeout 15m ./build/release
ifneq ($(EMULATOR),)
	$(arm64_host) RGCN_SO=$(abspath $(RELEASE)/linux-arm64/flb-filter_rgcn.so) RGCN_EMULATOR="$(EMULATOR)" $(GO) test -count=1 -timeout 15m ./build/testhost
	@# Pages of 64 KiB, as RHEL 8's kernel has them. The emulator maps what lies behind a file's end only to the end of this machine's
	@# page, where a kernel would go on to the end of its own: the file is made as long as that.
	@mkdir -p $(OUT)/pages && cp $(RELEASE)/linux-arm64/flb-filter_rgcn.so $(OUT)/pages && truncate --size=%65536 $(OUT)/pages/flb-filter_rgcn.so
	$(arm64_host) RGCN_SO=$(abspath $(OUT)/pages/flb-filter_rgcn.so) RGCN_EMULATOR="$(EMULATOR) -p 65536" \
	  $(GO) test -count=1 -timeout 15m -run 'Scores|Threads|Reload|Refuses|Untouched' ./build/testhost
	CGO_ENABLED=0 GOARCH=arm64 $(GO) test -short -timeout 20m -exec "$(QEMU)" -run '$(ARITHMETIC)' ./model ./model/internal/... ./model/baseline ./model/budget ./model/ranking ./graphbuf
else
	@echo "skipped: arm64, qemu-aarch64 is not on the PATH or $(SYSROOT) has no C library (make deps-release)"
endif
