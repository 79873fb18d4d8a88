#!/usr/bin/env bash
# Fuzzes the core with libFuzzer under the address and undefined-behaviour sanitizers.
#   test/fuzz/run.sh damage [seconds]           60 seconds if not said
#   test/fuzz/run.sh damage -runs=10000000 ...  any arguments of libFuzzer
#   test/fuzz/run.sh damage --merge             minimises what was found into the committed corpus
# Targets: damage, sequence. Needs clang (set CLANG for another than clang-14).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target=${1:?which target: damage or sequence}
shift
clang=${CLANG:-clang-14}
if ! command -v "$clang" >/dev/null; then
    echo "skipped: $clang is not installed"
    exit 0
fi

work=${FUZZ_WORK:-zig-out/fuzz}/$target
mkdir -p "$work/found" "$work/crashes"
"$clang" -std=c17 -g -O2 -fsanitize=fuzzer,address,undefined -fno-sanitize-coverage=trace-cmp -fno-sanitize-recover=all \
    -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -Icore -Icore/include -Itest/core -Itest/fuzz -Wl,--wrap=os_wait \
    core/*.c core/os/*/*.c "test/fuzz/${target}_test.c" -lm -lpthread -o "$work/fuzz"

corpus=test/fuzz/$target.corpus
committed=$work/committed
rm -rf "$committed"
mkdir "$committed"
if [ -f "$corpus" ]; then (cd "$committed" && ar x "$OLDPWD/$corpus"); fi

if [ "${1:-}" = --merge ]; then
    rm -rf "$work/minimal"
    mkdir "$work/minimal"
    "$work/fuzz" -merge=1 "$work/minimal" "$work/found" "$committed" 2>&1 | tail -n 2
    rm -f "$corpus"
    number=0
    for input in "$work"/minimal/*; do mv "$input" "$work/minimal/$((++number))"; done
    (cd "$work/minimal" && find . -type f -printf '%f\n' | sort -n | xargs ar rcDS "$OLDPWD/$corpus")
    ls -l "$corpus"
    exit
fi
case ${1:-60} in
-*) options=("$@") ;;
*) options=("-max_total_time=${1:-60}") ;;
esac
exec "$work/fuzz" -max_len=160 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$work/crashes/" "${options[@]}" "$work/found" "$committed"
