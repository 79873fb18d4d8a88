# Sourced. fetch NAME PROGRAM: the program of a Debian or Ubuntu package that is not installed, which these give to
# everybody, to unpack without installing it; into zig-out/, which git ignores. Sets `fetched` to the program, or to
# nothing, and `fetch_missing` to the reason.

fetch() {
    local name=$1 program=$2 folder=$PWD/zig-out/$1
    fetched=$folder/unpacked$program
    fetch_missing=
    [ -x "$fetched" ] && return
    fetched=
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        fetch_missing="$name is not installed, and there is no apt-get to fetch it with"
        return
    fi
    rm -rf "$folder"
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    # Lists of its own, since the machine's may be missing, and are its administrator's to renew.
    local own=(-o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=
        -o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Debug::NoLocking=1)
    if (cd "$folder" && { apt-get -qq download "$name" || { apt-get -qq "${own[@]}" update &&
        apt-get -qq "${own[@]}" download "$name"; }; }) >"$folder/log" 2>&1 &&
        dpkg-deb -x "$folder/$name"_*.deb "$folder/unpacked"; then
        fetched=$folder/unpacked$program
    else
        fetch_missing="$name is not installed, and apt-get could not fetch it: $(tail -n 1 "$folder/log")"
    fi
}
