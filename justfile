# Everyday commands; `./justw RECIPE` installs what the machine lacks first.

# mold links a test binary in a third of the time that the compiler's own linker takes.
export CXX_LD := env("CXX_LD", shell("command -v mold >/dev/null && echo mold || echo bfd"))
# ccache then recognises a source in another checkout: a second clone compiles in a minute.
export CCACHE_BASEDIR := justfile_directory()
export CCACHE_NOHASHDIR := "1"
python := "/usr/bin/python3" # Debian's: it has the Debian packages
sources := "git ls-files -co --exclude-standard '*.cpp' '*.h'"

# list the recipes
default:
    @{{ quote(just_executable()) }} --list --unsorted --justfile {{ quote(justfile()) }}

# start a real cluster with the operator and Restate on this machine and show an update without a lost call
[no-exit-message]
demo *ARGS: (build "src/app/restate-operator")
    {{ python }} tests/lab/demo {{ ARGS }}

# build everything and run all tests, those on a real cluster too; in CI also what `sanitize` does
[no-exit-message]
test:
    @{{ python }} tests/run unit {{ if env("CI", "") == "true" { "asan tsan" } else { "" } }} lab

# build and run the unit tests only
[no-exit-message]
unit:
    @{{ python }} tests/run unit

# build everything in build/, or the targets named
build *TARGETS:
    @[ -f build/build.ninja ] || meson setup build
    ninja -C build {{ TARGETS }}

# run the unit tests under ASan + UBSan and under TSan
[no-exit-message]
sanitize:
    @{{ python }} tests/run asan tsan

# kill the operator in the lab after each write alone, which takes long: in `test` a run has several kills
[no-exit-message]
campaign: build
    RESTATE_LAB_KILLS=alone {{ python }} -B -m pytest -v -p no:cacheprovider tests/lab/e2e/kill_test.py \
        tests/lab/e2e/kill_clusters_test.py tests/lab/e2e/kill_environments_test.py tests/lab/e2e/kill_knative_test.py

# write the CRDs into crds/ and their chart, and the pages of docs/ that the code knows best
generate: build
    build/src/app/restate-operator generate crds crds
    build/src/app/restate-operator generate crds charts/restate-operator-crds/files
    build/src/app/restate-operator generate docs docs

# write the Pkl modules of the CRDs into pkl/
generate-pkl: build
    build/src/app/restate-operator generate pkl pkl

# evaluate examples/pkl/ to the YAML files in examples/
generate-examples: generate-pkl
    {{ python }} tests/lab/generate-examples

# run the lab by hand: up, down, status, ...
[no-exit-message]
lab *ARGS:
    {{ python }} tests/lab/lab {{ ARGS }}

# count what 200 converged objects cost in 10 minutes of nothing and after a restart: no write
[no-exit-message]
bench-idle *ARGS: build
    {{ python }} tests/lab/benchmark idle {{ ARGS }}

# measure what N new objects cost, beside a writer that only writes
[no-exit-message]
bench-converge N="800" *ARGS="": build
    {{ python }} tests/lab/benchmark converge {{ N }} {{ ARGS }}

# count the looks at Restate while 50 objects drain, and time how soon the end of an invocation is acted on
[no-exit-message]
bench-drain *ARGS: build
    {{ python }} tests/lab/benchmark drain {{ ARGS }}

# format the C++ sources
format:
    {{ sources }} | xargs -r clang-format-14 -i

# fail when a C++ source is not formatted
format-check:
    {{ sources }} | xargs -r clang-format-14 --dry-run --Werror

# lint the C++ sources of src/
tidy: build
    git ls-files 'src/*.cpp' | xargs -r -n 4 -P "$(nproc)" clang-tidy-14 --quiet -p build --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*'

# remove the build directories
clean:
    rm -rf build build-asan build-tsan
