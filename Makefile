# cprof: build, test and install. Read from top to bottom: settings, packages, groups in layer
# order, rules, data and demo, tests, install.
#
#   make                 ./cprof, ./segment, the samples and data/s
#   make demo            the main job, from nothing to a table and two pictures
#   make check           all tests              make check-long   what takes longer
#   make bench           the figures, beside perf
#   make fuzz            the readers, on what libFuzzer makes of their input
#   make DEVELOPER=1     more warnings, and they are errors
#   make SANITIZE=address,undefined             V=1 shows the commands

# --- settings ------------------------------------------------------------------------------------
VERSION := 0.1
BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
CFLAGS  ?= -O2 -g
V       ?= 0
Q       := $(if $(filter 0,$(V)),@)
say      = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' $(1) $(2))

# Programs land in the root; a build directory of another name keeps its own.
BIN := $(if $(filter build,$(BUILD)),.,$(BUILD))

override CFLAGS += -std=gnu11 -pthread -fno-strict-aliasing
override CPPFLAGS += -D_GNU_SOURCE -DCPROF_VERSION='"$(VERSION)"' -DCPROF_PREFIX='"$(PREFIX)"'
WARNINGS := -Wall -Wextra -Wno-missing-field-initializers
ifdef DEVELOPER
WARNINGS += -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wformat=2 -Wvla -Wundef -Wwrite-strings
endif
ifdef SANITIZE
override CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
override LDFLAGS += -fsanitize=$(SANITIZE)
endif
# Objects depend on a file that holds the flags, which changes when they do.
FLAGS := $(CC) $(CFLAGS) $(CPPFLAGS) $(WARNINGS)
ifneq ($(file <$(BUILD)/.flags),$(FLAGS))
$(shell mkdir -p $(BUILD))
$(file >$(BUILD)/.flags,$(FLAGS))
endif

# --- packages ------------------------------------------------------------------------------------
# What must be installed, by Debian's names; tests/need.sh installs or names what is missing.
BUILD_PACKAGES := gcc libc6-dev pkg-config libelf-dev libdw-dev libzstd-dev zlib1g-dev \
	liblzma-dev libiberty-dev libxxhash-dev libdebuginfod-dev libhdf5-dev libgccjit-12-dev \
	libpng-dev
DEMO_PACKAGES  := graphviz
CHECK_PACKAGES := mandoc check libunwind-dev graphviz gdb g++ python3 xz-utils sqlite3 git dwz \
	debuginfod gawk openssl busybox-static
BENCH_PACKAGES := linux-perf hyperfine time zstd perl nodejs redis nginx apache2-utils
FUZZ_PACKAGES  := clang

pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
GCCJIT_DIR := $(dir $(shell $(CC) -print-file-name=include/libgccjit.h))

# --- groups in layer order -----------------------------------------------------------------------
rooms = $(foreach room,$(1),$(sort $(wildcard $(room)/*.c)))

CORE_SOURCES    := $(call rooms,profiler/base profiler/model profiler/elf profiler/jit \
	profiler/unwind profiler/symbols profiler/collect viz viz/formats)
CLI_SOURCES     := $(call rooms,profiler/cli)
TARGET_SOURCES  := $(call rooms,target)
SAMPLE_SOURCES  := $(call rooms,samples)
CHECK_SOURCES   := $(call rooms,tests)
FUZZ_SOURCES    := $(call rooms,tests/fuzz)
CORES_SOURCES   := $(call rooms,tests/cores) tests/program_maps.c
ASSETS          := $(sort $(wildcard viz/assets/*))

CORE_PACKAGES   := libelf libdw libzstd zlib liblzma libxxhash
CORE_CPPFLAGS   := -Iprofiler -I. -I$(BUILD) $(call pkg,--cflags,$(CORE_PACKAGES) libdebuginfod)
CORE_LIBS       := $(call pkg,--libs,$(CORE_PACKAGES)) -liberty -ldl -lm
# libunwind is what our unwinder is checked against and compared with.
CHECK_LIBS      := $(call pkg,--libs,check libunwind libunwind-ptrace)
BENCH_LIBS      := $(call pkg,--libs,libunwind libunwind-ptrace)
TARGET_CPPFLAGS := -Itarget -Iprofiler/agent -idirafter $(GCCJIT_DIR) $(call pkg,--cflags,hdf5 libpng)
TARGET_LIBS     := $(call pkg,--libs,hdf5 libpng) -lgccjit -lm

object  = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE    := $(BUILD)/libcore.a
SAMPLES := $(patsubst samples/%.c,$(BUILD)/samples/%,$(SAMPLE_SOURCES))

.PHONY: all programs demo data check check-long fuzz fuzz-programs bench install uninstall clean \
	need-build need-demo need-check need-bench need-fuzz
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

# What pkg-config says is asked when this file is read: after packages were installed it is read anew.
all: need-build
	@$(MAKE) --no-print-directory programs data
programs: $(BIN)/cprof $(BIN)/segment $(SAMPLES)

# --- rules ---------------------------------------------------------------------------------------
$(call object,$(CORE_SOURCES) $(CLI_SOURCES)): EXTRA := $(CORE_CPPFLAGS)
$(call object,$(CHECK_SOURCES) $(CORES_SOURCES)): EXTRA := $(CORE_CPPFLAGS) -Itests $(call pkg,--cflags,check)
$(call object,$(FUZZ_SOURCES)): EXTRA := $(CORE_CPPFLAGS) -Itests
$(call object,$(TARGET_SOURCES)): EXTRA := $(TARGET_CPPFLAGS)

$(BUILD)/%.o: %.c $(BUILD)/.flags | need-build
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(EXTRA) $(CFLAGS) $(WARNINGS) -MMD -MP -c $< -o $@

$(CORE): $(call object,$(CORE_SOURCES))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BIN)/cprof: $(call object,$(CLI_SOURCES)) $(CORE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(CFLAGS) $^ -o $@ $(CORE_LIBS)

$(BIN)/segment: $(call object,$(TARGET_SOURCES))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(CFLAGS) $^ -o $@ $(TARGET_LIBS)

# The samples are programs to be profiled: never sanitised, built as Debian builds (no frame pointers).
$(BUILD)/samples/%: samples/%.c | need-build
	$(call say,SAMPLE,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 -O2 -g $(SAMPLE_CFLAGS) -Iprofiler/agent -MMD -MP $< -o $@ -pthread -lm

$(BUILD)/samples/nofp: SAMPLE_CFLAGS := -fomit-frame-pointer

# Text that is part of the program: viz/assets/NAME.EXT becomes the string asset_NAME_EXT.
$(BUILD)/assets.h: $(ASSETS)
	$(call say,ASSETS,$@)
	@mkdir -p $(@D)
	$(Q)for file in $^; do \
		name=$$(basename $$file | tr '.-' '__'); \
		printf 'static const char asset_%s[] = {' $$name; \
		od -An -v -tx1 $$file | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
		printf '0};\n'; \
	done > $@
$(call object,$(call rooms,viz)): | $(BUILD)/assets.h

-include $(patsubst %.o,%.d,$(call object,$(CORE_SOURCES) $(CLI_SOURCES) $(TARGET_SOURCES) $(CHECK_SOURCES) \
	$(FUZZ_SOURCES) $(CORES_SOURCES)))
-include $(addsuffix .d,$(SAMPLES))

# --- what is needed, by name ---------------------------------------------------------------------
need-build:
	@tests/need.sh $(BUILD_PACKAGES)
need-demo: need-build
	@tests/need.sh $(DEMO_PACKAGES)
need-check: need-demo
	@tests/need.sh $(CHECK_PACKAGES)
need-bench: need-check
	@tests/need.sh $(BENCH_PACKAGES)
need-fuzz: need-check
	@tests/need.sh $(FUZZ_PACKAGES)

# --- data and demo -------------------------------------------------------------------------------
data: data/s/data.hdf5
data/s/data.hdf5: | $(BIN)/segment
	$(call say,DATA,$(@D))
	$(Q)$(BIN)/segment generate s

demo: need-demo
	@$(MAKE) --no-print-directory programs data
	@tests/demo.sh $(BIN)

# --- tests ---------------------------------------------------------------------------------------
CHECK_SUITES := $(patsubst tests/check_%.c,%,$(filter-out tests/check_main.c,$(wildcard tests/check_*.c)))

$(BUILD)/suites.h: $(CHECK_SOURCES) | $(BUILD)/.flags
	@mkdir -p $(@D)
	@printf '$(foreach s,$(CHECK_SUITES),SUITE($(s))\n)' > $@
$(BUILD)/tests/check_main.o: $(BUILD)/suites.h

# The fuzz targets are compiled along: what they call changes under them.
$(BUILD)/check: $(call object,$(CHECK_SOURCES) $(filter-out profiler/cli/main.c,$(CLI_SOURCES))) $(CORE) \
		| $(call object,$(FUZZ_SOURCES))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(CFLAGS) $^ -o $@ $(CHECK_LIBS) $(CORE_LIBS)

# The stacks of core dumps, which a test compares with gdb's.
$(BUILD)/core_stacks: $(call object,$(CORES_SOURCES)) $(CORE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(CFLAGS) $^ -o $@ $(CORE_LIBS)

CHECK_PROGRAMS := $(BUILD)/check $(BUILD)/core_stacks

check: need-check
	@$(MAKE) --no-print-directory programs $(CHECK_PROGRAMS)
	@$(MAKE) --no-print-directory $(FUZZ_FLAGS) fuzz-programs
	@tests/check.sh $(BUILD) $(BIN)

check-long: need-check
	@$(MAKE) --no-print-directory programs $(CHECK_PROGRAMS)
	@$(MAKE) --no-print-directory $(FUZZ_FLAGS) fuzz-programs
	@CPROF_LONG=1 tests/check.sh $(BUILD) $(BIN)

# --- fuzzing -------------------------------------------------------------------------------------
# One program for each tests/fuzz/fuzz_NAME.c. Those that the tests run are built once, whatever else
# is tested, with a driver that always makes the same inputs; `make fuzz` links them with libFuzzer.
FUZZ_FLAGS   := BUILD=build-fuzz SANITIZE=address,undefined CFLAGS='-O1 -g1'
FUZZ_DRIVER  ?= $(BUILD)/tests/fuzz/mutate.o
FUZZ_SECONDS ?= 60
FUZZ_NAMES   := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TARGETS      ?= $(FUZZ_NAMES)

# All of clang's `undefined` but pointer-overflow, which minds that NULL + 0 is NULL.
LIBFUZZER_CHECKS := alignment,bool,bounds,builtin,enum,integer-divide-by-zero,nonnull-attribute,null,$\
	object-size,return,shift,signed-integer-overflow,unreachable,vla-bound
LIBFUZZER_FLAGS  := BUILD=build-libfuzzer CC=clang \
	SANITIZE=address,$(LIBFUZZER_CHECKS),fuzzer-no-link \
	CFLAGS='-O1 -g1' FUZZ_DRIVER=-fsanitize=fuzzer

$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(filter %.o,$(FUZZ_DRIVER)) \
		$(call object,tests/fuzz/fuzz.c tests/fuzz/elf_mutator.c tests/fake_module.c \
			profiler/cli/run_record.c) $(CORE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(CFLAGS) $(filter-out %.o,$(FUZZ_DRIVER)) $^ -o $@ $(CORE_LIBS)

$(BUILD)/make_seeds: $(BUILD)/tests/fuzz/make_seeds.o $(CORE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(CFLAGS) $^ -o $@ $(CORE_LIBS)

$(BUILD)/seeds: $(BUILD)/make_seeds tests/fuzz/seeds.sh $(wildcard tests/fuzz/seeds/*)
	$(call say,SEEDS,$@)
	$(Q)tests/fuzz/seeds.sh $@ $(BUILD)/make_seeds

fuzz-programs: $(TARGETS:%=$(BUILD)/fuzz_%) $(BUILD)/seeds

fuzz: need-fuzz
	@$(MAKE) --no-print-directory $(LIBFUZZER_FLAGS) fuzz-programs
	@tests/fuzz/fuzz.sh build-libfuzzer $(FUZZ_SECONDS) $(TARGETS)

# --- figures -------------------------------------------------------------------------------------
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

$(BUILD)/bench/%: tests/bench/%.c $(CORE)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CORE_CPPFLAGS) $(LDFLAGS) $(CFLAGS) $(WARNINGS) $^ -o $@ $(BENCH_LIBS) $(CORE_LIBS)

bench: need-bench
	@$(MAKE) --no-print-directory programs data $(BENCHES) $(BUILD)/core_stacks
	@python3 tests/bench/bench.py $(BUILD) $(BIN) $(FIGURES)

# --- install -------------------------------------------------------------------------------------
DESTINATION = $(DESTDIR)$(PREFIX)
MAN1 := $(wildcard man/*.1)
MAN5 := $(wildcard man/*.5)

install: programs
	install -d $(DESTINATION)/bin $(DESTINATION)/include $(DESTINATION)/share/man/man1 \
		$(DESTINATION)/share/man/man5 $(DESTINATION)/share/bash-completion/completions \
		$(DESTINATION)/share/zsh/site-functions $(DESTINATION)/share/fish/vendor_completions.d
	install -m 755 $(BIN)/cprof $(BIN)/segment $(DESTINATION)/bin
	install -m 644 profiler/agent/cprof.h $(DESTINATION)/include
	install -m 644 $(MAN1) $(DESTINATION)/share/man/man1
	install -m 644 $(MAN5) $(DESTINATION)/share/man/man5
	install -m 644 completions/cprof.bash $(DESTINATION)/share/bash-completion/completions/cprof
	install -m 644 completions/_cprof $(DESTINATION)/share/zsh/site-functions
	install -m 644 completions/cprof.fish $(DESTINATION)/share/fish/vendor_completions.d

uninstall:
	rm -f $(DESTINATION)/bin/cprof $(DESTINATION)/bin/segment $(DESTINATION)/include/cprof.h \
		$(addprefix $(DESTINATION)/share/man/man1/,$(notdir $(MAN1))) \
		$(addprefix $(DESTINATION)/share/man/man5/,$(notdir $(MAN5))) \
		$(DESTINATION)/share/bash-completion/completions/cprof \
		$(DESTINATION)/share/zsh/site-functions/_cprof \
		$(DESTINATION)/share/fish/vendor_completions.d/cprof.fish

clean:
	rm -rf build build-* cprof segment demo
