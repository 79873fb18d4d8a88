#!/usr/bin/env bash
# Checks test/model/read.pml and index.pml with Spin: that each holds, and that it fails without each of its parts.
#   test/model/run.sh          some seconds
#   test/model/run.sh --long   more reads, operations, deaths and stops
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export PATH="$PWD/node_modules/.bin:$PATH"
source test/model/spin.sh
if [ -z "$spin" ]; then
    echo "skipped: $spin_missing"
    exit 0
fi

models=$PWD/test/model
model=$models/read.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
count=0

# The number of errors that Spin finds; its sums go to states.txt.
errors() { # <assertions or ends> <-D...>
    local what=$1
    shift
    "$spin" "-P$cc -std=gnu99 -E -x c" -a "$@" "$model" >/dev/null
    if [ "$what" = ends ]; then
        $cc -w -O2 -DNFAIR=3 -DVECTORSZ=2048 -o pan pan.c
        ./pan -a -f -m1000000 >out.txt
    else
        $cc -w -O2 -DSAFETY -DNOCLAIM -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c
        ./pan -m1000000 >out.txt
    fi
    if grep -q "max search depth too small" out.txt; then
        echo "the search was cut off" >&2
        exit 1
    fi
    grep -o "[0-9.e+]* states, stored" out.txt >states.txt || true
    sed -n 's/.*errors: \([0-9]*\).*/\1/p' out.txt
}

report() { # <wanted: holds or fails> <errors> <name>
    count=$((count + 1))
    if { [ "$1" = holds ] && [ "$2" = 0 ]; } || { [ "$1" = fails ] && [ "$2" != 0 ]; }; then
        echo "ok $count - $3: $1 ($(cat states.txt))"
    else
        echo "not ok $count - $3: $2 errors"
        exit 1
    fi
}

holds() { # <assertions or ends> <name> <-D...>
    report holds "$(errors "$1" "${@:3}")" "$2"
}
fails() { # <what is left out> <-D...>
    report fails "$(errors assertions "-D$1" "${@:2}")" "without its part: $1"
}

holds assertions "a reader, two writers, a death"
holds assertions "a reader, two writers, a stop" -DDEATHS=0 -DSTOPS=1
holds ends "everybody ends but the stopped" -DDEATHS=0 -DSTOPS=1 -DATTEMPTS=1
fails NO_RELEASE_FENCE
fails NO_ACQUIRE_FENCE
fails NO_GENERATION
fails PUBLISH_EARLY
fails TAKE_LIVE
fails MARK_ANY -DOPERATIONS=2 -DDEATHS=0

model=$models/index.pml
holds assertions "a reader, an index that grows and shrinks, a death"
for part in CLEAR_BEFORE_SIZE NO_INDEX_MOVES SPLIT_UNCOUNTED DRAIN_CLEARS_FIRST NO_COUNT_AT_TAKE_OVER LATE_SEQUENCE \
    NO_WORD_REUSED BLIND_MARK; do
    fails "$part"
done

if [ "${1:-}" = --long ]; then
    holds assertions "the same, and another operation" -DOPERATIONS=6
    model=$models/read.pml
    holds assertions "two reads" -DREADS=2
    holds assertions "a death and a stop" -DSTOPS=1
    holds ends "everybody ends but the dead and the stopped" -DSTOPS=1
fi
echo "1..$count"
