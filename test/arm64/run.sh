#!/usr/bin/env bash
# The C tests for arm64, and a participant of that kind beside the runtimes of this machine in one segment, under
# qemu's emulator of the processor. Another memory order than the machine's it does not show: test/order does.
#
#   bash test/arm64/run.sh [TEST ...]
#
# Speaks the Test Anything Protocol, one test for each program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. test/fetch.sh

SECONDS_MAX=900
# What asks for things of the machine that the emulator does not pass on.
declare -A left_out=(
    [limits_test]="the emulator's own memory counts towards the limits that it sets"
    [huge_pages_test]="the emulator maps memory its own way"
)

qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
if [ -z "$qemu" ]; then
    fetch qemu-user-static /usr/bin/qemu-aarch64-static
    qemu=$fetched
fi
if [ -z "$qemu" ]; then
    echo "skipped: $fetch_missing"
    exit 0
fi
zig build arm64

number=0
code=0
report() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2" && code=1; fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in zig-out/arm64/*_test; do
    name=$(basename "$program")
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    if [ -n "${left_out[$name]:-}" ]; then
        echo "skipped: $name: ${left_out[$name]}"
        continue
    fi
    status=0
    timeout --kill-after=5 "$SECONDS_MAX" "$qemu" "$program" >"$log" 2>&1 || status=$?
    [ "$status" = 0 ] || sed 's/^/# /' "$log"
    report "$status" "$name: $(grep -c '^ok' "$log" || true) tests"
done

if [ $# = 0 ]; then
    status=0
    # What the runtimes share with a participant, which is of this kind here.
    FASTCACHE_PARTICIPANT="$qemu $PWD/zig-out/arm64/participant" \
        node node_modules/vitest/vitest.mjs run test/cross/creation.test.ts test/cross/lifetimes.test.ts \
        test/cross/values.test.ts >"$log" 2>&1 || status=$?
    [ "$status" = 0 ] || sed 's/^/# /' "$log"
    report "$status" "beside Bun, Deno and Node: $(grep -o 'Tests .*' "$log" | sed 's/\x1b\[[0-9;]*m//g' || true)"
fi
echo "1..$number"
exit "$code"
