# Sourced by test/model/run.sh. Sets `spin` and `cc` to commands, of the machine or else from elsewhere: Zig is a C
# compiler too, and a Debian or Ubuntu gives its package of Spin to everybody, to unpack without installing it. Without
# Spin `spin` is empty, and `spin_missing` says why.

cc=$(command -v gcc || command -v cc || echo "zig cc")
spin=$(command -v spin || true)
spin_missing=

# Into zig-out/, which git ignores.
fetch_spin() {
    local folder=$PWD/zig-out/spin
    spin=$folder/unpacked/usr/bin/spin
    [ -x "$spin" ] && return
    spin=
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        spin_missing="spin is not installed, and there is no apt-get to fetch it with"
        return
    fi
    rm -rf "$folder"
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    # Lists of its own, since the machine's may be missing, and are its administrator's to renew.
    local own=(-o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=
        -o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Debug::NoLocking=1)
    if (cd "$folder" && { apt-get -qq download spin || { apt-get -qq "${own[@]}" update &&
        apt-get -qq "${own[@]}" download spin; }; }) >"$folder/log" 2>&1 &&
        dpkg-deb -x "$folder"/spin_*.deb "$folder/unpacked"; then
        spin=$folder/unpacked/usr/bin/spin
    else
        spin_missing="spin is not installed, and apt-get could not fetch it: $(tail -n 1 "$folder/log")"
    fi
}

[ -n "$spin" ] || fetch_spin
