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

# check_tests NAME ARGUMENT...: runs pytest with the arguments under each interpreter.
check_tests() {
    tests=$1
    shift
    for python in $pythons; do
        # Not "python -m pytest": that would put the checkout on sys.path.
        # PyPy 7.3.11 now and then crashes in compile() of the syntax trees that pytest rewrites, so it gets them as written.
        case $python in pypy) set -- --assert=plain "$@" ;; esac
        PYCZMQ_TEST_LOG=$(mktemp)
        export PYCZMQ_TEST_LOG
        check "$tests under $python" run_tests ".venv/$python/bin/pytest" "$@"
        rm -f "$PYCZMQ_TEST_LOG"
    done
}

# run_tests COMMAND...: runs pytest; if that did not come to its end, says in which test, and where each thread was.
run_tests() {
    "$@" && return
    status=$?
    if [ -s "$PYCZMQ_TEST_LOG" ]; then
        printf 'pytest ended with status %s in ' $status
        awk '/^Thread/ { depth = 0 } depth++ < 9' "$PYCZMQ_TEST_LOG"
    fi
    return $status
}

finish() { [ -z "$failed" ] || die "failed: $failed"; }
