# shellcheck shell=sh
# What the scripts share: finding what a machine lacks, and the virtual environments under .venv/.
#
# POSIX sh, sourced with the checkout as the working directory. PYTHON and PYPY name other interpreters than python3 and
# pypy3. Everything here says on stderr what it does, one line a step.

PYTHON=${PYTHON:-python3}
PYPY=${PYPY:-pypy3}
unset PYTHONPATH PYTHONHOME

# Where no locale is set, PyPy 3.9 takes file names and arguments for ASCII, as CPython has long ceased to do.
[ "$(locale charmap 2>/dev/null)" = UTF-8 ] || export LC_ALL=C.UTF-8

# All that a wheel is built from: when none of it has changed, the installed one is still right.
SOURCES="setup.py pyproject.toml MANIFEST.in README.md LICENSE pyczmq"

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$0: $*"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# step TEXT COMMAND...: says TEXT, runs the command in silence, shows its log and stops if it fails.
step() {
    say "- $1"
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        die "this failed: $*"
    fi
}

# --- What the machine lacks, as Debian packages -----------------------------------------------------------------------

need() {
    for package; do
        case " $missing " in
        *" $package "*) ;;
        *) missing="${missing:+$missing }$package" ;;
        esac
    done
}

# Debian keeps the pip that goes into a new venv in packages of its own.
can_make_venvs() { "$1" -c 'import ensurepip, sys, venv; sys.exit(not ensurepip.version())' >/dev/null 2>&1; }

need_python() {
    if ! has "$PYTHON"; then
        need python3 python3-venv
    elif ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then
        die "pyczmq needs Python 3.9 or later, and $PYTHON is $("$PYTHON" --version 2>&1);" \
            "name another one: PYTHON=python3.11 $0"
    elif ! can_make_venvs "$PYTHON"; then
        need python3-venv
    fi
}

need_pypy() {
    has "$PYPY" || need pypy3 pypy3-venv
    can_make_venvs "$PYPY" || need pypy3-venv
}

need_library() {
    [ -z "${PYCZMQ_LIBRARY:-}" ] || return 0 # the user's own choice: pyczmq says what is wrong with it
    "$PYTHON" - 2>/dev/null <<'EOF' || need libczmq4 libzmq5
import ctypes, ctypes.util, sys
def names():
    yield from ("libczmq.so.4", "libczmq.4.dylib", "libczmq.dll")
    yield ctypes.util.find_library("czmq")
for name in filter(None, names()):
    try:
        ctypes.CDLL(name)
    except OSError:
        continue
    sys.exit()
sys.exit(1)
EOF
}

# The test of the declarations compiles them against the installed headers.
need_compiler() {
    for cc in cc gcc clang; do
        if has $cc; then
            printf '#include <czmq.h>\n' | $cc -E -x c - >/dev/null 2>&1 || need libczmq-dev libc6-dev
            return 0
        fi
    done
    need gcc libc6-dev libczmq-dev
}

# The beacon's tests broadcast, in network namespaces of their own.
need_namespaces() {
    [ "$(uname -s)" = Linux ] || return 0
    has ip || [ -x /sbin/ip ] || need iproute2
    has unshare && has nsenter || need util-linux
}

need_valgrind() { [ "$(uname -s)" != Linux ] || has valgrind || need valgrind; }

# provide NEED...: installs what the named needs find missing, or says how to and stops.
provide() {
    missing=
    for what; do "need_$what"; done
    [ -n "$missing" ] || return 0
    install="apt-get install -y --no-install-recommends $missing"
    if ! has apt-get; then
        say "$0 needs what Debian has in these packages; there is no apt-get here, so install their like and run it again:"
        say ""
        die "$missing"
    elif [ "$(id -u)" != 0 ]; then
        say "$0 needs packages that are not installed. Install them with this line and run it again:"
        say ""
        say "    sudo apt-get update && sudo $install"
        say ""
        die "some packages are missing: $missing"
    fi
    export DEBIAN_FRONTEND=noninteractive
    step "refreshing apt's lists" apt-get update
    # shellcheck disable=SC2086 # a list of words
    step "installing $missing" $install
    hash -r
    missing=
    for what; do "need_$what"; done
    [ -z "$missing" ] || die "still missing after the installation: $missing"
}

# exec_in_own_network COMMAND...: runs it where nothing that is broadcast reaches a real network.
exec_in_own_network() {
    [ "$(uname -s)" = Linux ] || die "only Linux has network namespaces; examples/wordcount.py --beacon broadcasts for real"
    user=
    [ "$(id -u)" = 0 ] || user=--map-root-user
    # shellcheck disable=SC2016,SC2086 # the inner shell expands it; no word where there is no option
    exec unshare --net $user sh -eu -c '
        PATH=$PATH:/usr/sbin:/sbin
        ip link set lo up
        ip link add eth0 type veth peer name eth1
        ip address add 10.77.0.1/24 broadcast + dev eth0
        ip link set eth0 up
        ip link set eth1 up
        exec "$@"' sh "$@"
}

# --- The virtual environments -----------------------------------------------------------------------------------------

# Two runs at a time in one checkout wait for each other here.
lock_environments() {
    mkdir -p .venv 2>/dev/null && [ -w .venv ] || die "cannot write to $PWD/.venv"
    if has flock; then
        exec 9>.venv/lock
        flock 9
    fi
}

unlock_environments() { if has flock; then exec 9>&-; fi; }

# The time that a file was touched does not count, only what is in it.
sources_hash() {
    # shellcheck disable=SC2086 # a list of words
    find $SOURCES -type f ! -name '*.py[cod]' ! -name _abi.py -exec cksum {} + | LC_ALL=C sort | cksum
}

# environment NAME INTERPRETER [EXTRAS]: .venv/NAME, made with the interpreter, has a wheel of this checkout installed.
environment() {
    venv=.venv/$1
    identity="$PWD $("$2" -c 'import os, sys; print(os.path.realpath(sys.executable), sys.version.replace("\n", " "))')"
    if [ "$(cat "$venv/made-of" 2>/dev/null)" != "$identity" ]; then
        rm -rf "$venv"
        step "making $venv ($2)" "$2" -m venv "$venv"
        printf '%s\n' "$identity" >"$venv/made-of"
    fi
    contents=$(sources_hash)
    stamp="$venv/installed${3:+-with-$3}"
    [ "$(cat "$stamp" 2>/dev/null)" != "$contents" ] || return 0
    # From a copy: setuptools leaves a build/ behind, from which a later wheel would get files long removed.
    rm -rf .venv/build
    mkdir .venv/build
    # shellcheck disable=SC2086 # a list of words
    cp -R $SOURCES .venv/build
    step "installing pyczmq${3:+ and its extras $3} into $venv" \
        "$venv/bin/python" -m pip --disable-pip-version-check --no-input install ".venv/build${3:+[$3]}"
    rm -rf .venv/build
    printf '%s\n' "$contents" >"$stamp"
    printf '%s\n' "$contents" >"$venv/installed"
}
