# Sourced by ./run and ./test: makes .venv and keeps it as the lists in requirements/ say. POSIX sh, needs only python3.
# Every failure is one sentence with the line to type.

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

say() {
    printf '%s\n' "$*" >&2
}

# Sets PYTHON to the first Python 3.11 or newer.
find_python() {
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            PYTHON=$candidate
            return
        fi
    done
    found=$(python3 --version 2>/dev/null || echo "no python3 at all")
    fail "Pilothouse needs Python 3.11 or newer and this machine has $found: sudo apt install python3 (Debian 12, Raspberry Pi OS 12 or newer), or name one with PYTHON=/path/to/python3.11 $0"
}

# Makes .venv where there is none or where the Python it was made with is gone.
make_venv() {
    if .venv/bin/python -c '' 2>/dev/null; then
        return
    fi
    find_python
    [ -w . ] || fail "The folder $(pwd) cannot be written by $(id -un): sudo chown -R $(id -un) '$(pwd)'"
    free=$(df -Pk . | awk 'NR == 2 { print $4 }')
    [ "${free:-0}" -gt 400000 ] || fail "There are only $((${free:-0} / 1024)) MB free in $(pwd) and the set-up takes 400 MB: make room, then start $0 again"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv module is missing: sudo apt install $(venv_package)"
    say "Setting up (first time only, a minute or two): making .venv"
    rm -rf .venv
    "$PYTHON" -m venv .venv || fail "The virtual environment could not be made: see the lines above, mend that, then start $0 again"
}

venv_package() {
    "$PYTHON" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'
}

# install NAME FILE...: installs pinned and hashed requirements when they changed since the last time.
install() {
    name=$1
    shift
    stamp=.venv/.installed-$name
    wanted=$(cat "$@" | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    say "Setting up: installing what requirements/$name.txt lists"
    for list in "$@"; do
        {
            .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
                --require-hashes -r "$list" 2>.venv/.pip-errors || echo failed
        } | sed -n -e 's/^Collecting \([^ ;]*\).*/  \1/p' -e '/^failed$/w .venv/.pip-failed' >&2
        if [ -s .venv/.pip-failed ]; then
            rm -f .venv/.pip-failed
            grep -v '^WARNING' .venv/.pip-errors | tail -n 5 >&2
            fail "The packages of $list could not be installed: check the network and the room on the disk, then start $0 again"
        fi
    done
    printf '%s\n' "$wanted" >"$stamp"
}

# Installs Pilothouse itself in place: what stands in src/ is what runs.
install_self() {
    stamp=.venv/.installed-self
    wanted=$(printf '%s %s' "$(pwd)" "$(cksum <pyproject.toml)")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-input --no-deps --no-build-isolation -e . 2>.venv/.pip-errors ||
        { cat .venv/.pip-errors >&2; fail "Pilothouse could not be installed into .venv: see the lines above"; }
    printf '%s\n' "$wanted" >"$stamp"
}

# fetch_assets [--tests]: fetches the third-party web assets that web/package-lock.json pins; brings npm where there is none.
fetch_assets() {
    .venv/bin/python tools/assets.py --check "$@" && return
    command -v npm >/dev/null 2>&1 || install npm requirements/npm.txt
    .venv/bin/python tools/assets.py "$@" || exit 2
}

set_up_product() {
    make_venv
    install run requirements/build.txt requirements/run.txt
    install_self
    fetch_assets
}
