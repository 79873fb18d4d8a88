#!/usr/bin/env bash
# Checks the core's protocols under weak memory: the programs of test/order/litmus, by GenMC, and the loom models of
# test/order/loom, by cargo. Each holds as coded, and fails without each order that it needs.
#   test/order/run.sh          half a minute, once cargo has built loom
#   test/order/run.sh --long   two readers at a time
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readers=1
if [ "${1:-}" = --long ]; then readers=2; fi
export CARGO_TARGET_DIR=$PWD/zig-out/order
loom=(--locked --manifest-path test/order/loom/Cargo.toml)
mkdir -p "$CARGO_TARGET_DIR"

if ! command -v cargo >/dev/null; then
    echo "skipped: cargo is not installed, so loom can't be run"
elif ! cargo fetch "${loom[@]}" 2>"$CARGO_TARGET_DIR/log"; then
    echo "skipped: cargo could not fetch loom: $(grep -m 1 . "$CARGO_TARGET_DIR/log")"
else
    cargo build --quiet --offline "${loom[@]}"
    "$CARGO_TARGET_DIR/debug/order" "$readers"
fi

node test/order/litmus.mjs
