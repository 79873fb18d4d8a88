#!/usr/bin/env bash
# Runs test/race/stress.c under the thread sanitizer, which comes with Zig; any report ends it with an error.
#   test/race/run.sh [operations per thread]   4000 if not said
# The first build compiles the sanitizer too, which takes a minute. There are no suppressions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH="$PWD/node_modules/.bin:$PATH"
export ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-$PWD/.zig-cache/global}
export ZIG_LOCAL_CACHE_DIR=${ZIG_LOCAL_CACHE_DIR:-$PWD/.zig-cache}

work=zig-out/race
mkdir -p "$work"
zig cc -std=c17 -g -O1 -fsanitize=thread -Wall -Wextra -Icore -Icore/include -Itest/core \
    test/race/stress.c core/*.c core/os/*/*.c -lm -lpthread -o "$work/stress"
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 exec "$work/stress" "$@"
