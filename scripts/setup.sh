# Sourced by the other scripts: makes a virtual environment with the package, and installs OpenGL if it is needed.
# A fresh machine needs only bash and python3 (3.11 or later).

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV="${TURNTABLE_VENV:-.venv}"
PYTHON="$VENV/bin/python"
OPENGL_LINE="apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri"
PYRENDER_LINE="$OPENGL_LINE libgl1"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf 'turntable: %s\n' "$*" >&2; exit 1; }

# Run a line as root, if this user may; fail otherwise.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo "$@"
    else return 1
    fi
}

# Install Debian packages, or print the command that does.
system_packages() {
    local line="$1"
    command -v apt-get >/dev/null || fail "install the equivalent of: $line"
    say "installing system packages: $line"
    # shellcheck disable=SC2086
    as_root apt-get update -q >&2 && as_root env DEBIAN_FRONTEND=noninteractive $line >&2 ||
        fail "run this as root, then try again: apt-get update && $line"
}

check_python() {
    command -v python3 >/dev/null || fail "python3 (3.11 or later) is not installed"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "python3 is $(python3 -V 2>&1); turntable needs Python 3.11 or later"
}

# make_environment EXTRAS [REQUIREMENT ...]: make the virtual environment; install again if what it is made from has
# changed.
make_environment() {
    local extra="$1" stamp wanted
    shift
    check_python
    stamp="$VENV/.turntable-$extra"
    wanted="$(cat pyproject.toml constraints.txt | cksum)$*"
    if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
        say "installing into $VENV"
        if [ ! -x "$PYTHON" ]; then
            python3 -c 'import ensurepip' 2>/dev/null || system_packages "apt-get install -y --no-install-recommends python3-venv"
            python3 -m venv "$VENV"
        fi
        "$PYTHON" -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[$extra]" "$@"
        printf '%s' "$wanted" >"$stamp"
    fi
    export PATH="$PWD/$VENV/bin:$PATH"
}

# make_lowest_environment: make another, with every library of the users' extras in the lowest version allowed.
make_lowest_environment() {
    local extras requirements
    check_python
    mapfile -t requirements < <(python3 scripts/lowest_versions.py)
    extras="${requirements[0]}"
    VENV+="-lowest"
    PYTHON="$VENV/bin/python"
    make_environment "$extras" "${requirements[@]:1}"
}

# opengl_found BACKEND: succeed if the renderer finds an OpenGL device, hardware or software.
opengl_found() {
    "$PYTHON" -c "from turntable.renderer.backends.registry import probe_device; probe_device('$1')"
}

# ensure_opengl [BACKEND LINE]: make sure that there is an OpenGL device; LINE installs it if it is missing.
ensure_opengl() {
    local backend="${1:-moderngl}" line="${2:-$OPENGL_LINE}"
    opengl_found "$backend" 2>/dev/null || {
        system_packages "$line"
        opengl_found "$backend" || fail "no OpenGL device for $backend; see: turntable doctor"
    }
}

# The same, but go on without OpenGL if it cannot be installed: turntable then traces rays on the CPU.
prefer_opengl() {
    (ensure_opengl) || say "going on without OpenGL: rays are traced on the CPU, which takes longer"
}
