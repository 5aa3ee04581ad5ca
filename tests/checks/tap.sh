# tap: results in the Test Anything Protocol.  Sourced by the checks written in shell.

tap_count=0
tap_failed=0

# tap_result STATUS NAME [DETAILS]: one check; DETAILS are shown when it failed.
tap_result() {
    tap_count=$((tap_count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tap_count - $2"
        return
    fi
    tap_failed=1
    echo "not ok $tap_count - $2"
    if [ -n "${3-}" ]; then
        printf '%s\n' "$3" | sed 's/^/# /'
    fi
}

# tap_skip NAME REASON: a check that cannot be made here.
tap_skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# tap_end: the plan, and the exit status of the test.
tap_end() {
    echo "1..$tap_count"
    exit "$tap_failed"
}
