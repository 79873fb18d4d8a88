# Sourced by test/model/run.sh. Sets `spin` and `cc` to commands, of the machine or else from elsewhere: Zig is a C
# compiler too. Without Spin `spin` is empty, and `spin_missing` says why.

. test/fetch.sh

cc=$(command -v gcc || command -v cc || echo "zig cc")
spin=$(command -v spin || true)
spin_missing=
if [ -z "$spin" ]; then
    fetch spin /usr/bin/spin
    spin=$fetched
    spin_missing=$fetch_missing
fi
