#!/usr/bin/env bash
# Runs test/race/stress.c under the thread sanitizer; any report ends it with an error.
#   test/race/run.sh [operations per thread]   4000 if not said
# Needs clang (set CLANG for another than clang-14). There are no suppressions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

clang=${CLANG:-clang-14}
if ! command -v "$clang" >/dev/null; then
    echo "skipped: $clang is not installed"
    exit 0
fi

work=zig-out/race
mkdir -p "$work"
"$clang" -std=c17 -g -O1 -fsanitize=thread -Wall -Wextra -Icore -Icore/include -Itest/core \
    test/race/stress.c core/*.c core/os/*/*.c -lm -lpthread -o "$work/stress"
# The address space layout of recent kernels is too random for the sanitizer of older clangs.
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 exec setarch -R "$work/stress" "$@"
