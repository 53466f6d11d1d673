# shellcheck shell=sh
# What scripts/test and scripts/soak share: the interpreters that they test, and running checks to the last.
#
# POSIX sh, sourced after environment.sh, with the script's own arguments.

pythons="cpython pypy"
if [ "${1:-}" = --python ]; then
    case ${2:-} in
    cpython | pypy) pythons=$2 ;;
    *) die "--python is followed by cpython or pypy" ;;
    esac
    shift 2
fi

case $pythons in
*pypy*) provide python library compiler namespaces valgrind pypy ;;
*) provide python library compiler namespaces valgrind ;;
esac
lock_environments
for python in $pythons; do
    case $python in
    cpython) environment cpython "$PYTHON" test,dev ;;
    pypy) environment pypy "$PYPY" test ;;
    esac
done
unlock_environments

failed=

# check NAME COMMAND...: runs it, in full view, and remembers whether it failed.
check() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    "$@" </dev/null || failed="${failed:+$failed, }$name"
}

# check_tests NAME ARGUMENT...: runs pytest with the arguments under each interpreter, one after the other.
check_tests() {
    tests=$1
    shift
    for python in $pythons; do
        check "$tests under $python" run_tests "$python" "$@"
    done
}

# check_tests_at_once NAME ARGUMENT...: the same, under both at a time where there are processors enough, since signals
# are timed, and each can have a network of its own, since there are tests that count on the next ports to be free. What
# the second one prints follows at the end.
check_tests_at_once() {
    if [ "$pythons" != "cpython pypy" ] || [ "$(processors)" -lt 4 ] || ! apart true 2>/dev/null; then
        check_tests "$@"
        return
    fi
    tests=$1
    shift
    network=apart
    printed=$(mktemp)
    run_tests pypy "$@" >"$printed" 2>&1 </dev/null &
    other=$!
    check "$tests under cpython" run_tests cpython "$@"
    ended=0
    wait $other || ended=$?
    check "$tests under pypy" show "$printed" $ended
    rm -f "$printed"
}

# run_tests PYTHON ARGUMENT...: runs pytest; if that did not come to its end, says in which test, and where each thread was.
run_tests() {
    # Not "python -m pytest": that would put the checkout on sys.path.
    pytest=.venv/$1/bin/pytest
    # PyPy 7.3.11 now and then crashes in compile() of the syntax trees that pytest rewrites, so it gets them as written.
    case $1 in pypy) plain=--assert=plain ;; *) plain= ;; esac
    shift
    PYCZMQ_TEST_LOG=$(mktemp)
    export PYCZMQ_TEST_LOG
    status=0
    $network "$pytest" $plain "$@" || status=$?
    if [ $status != 0 ] && [ -s "$PYCZMQ_TEST_LOG" ]; then
        printf 'pytest ended with status %s in ' $status
        awk '/^Thread/ { depth = 0 } depth++ < 9' "$PYCZMQ_TEST_LOG"
    fi
    rm -f "$PYCZMQ_TEST_LOG"
    return $status
}
network=

processors() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1; }

# apart COMMAND...: runs it in a network namespace of its own.
apart() { unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"; }

# show FILE STATUS: prints a file and returns the status.
show() {
    cat "$1"
    return "$2"
}

finish() { [ -z "$failed" ] || die "failed: $failed"; }
