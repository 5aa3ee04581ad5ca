#!/bin/sh
# Every header compiles by itself, with gcc and with clang where it is installed.
. "${TOP_SRCDIR:-.}/tests/checks/tap.sh"
if [ -n "${LASTACK_SANITIZED-}" ]; then
    echo "1..0 # SKIP it is about sources, which the ordinary build has, too"
    exit 0
fi
cd "${TOP_SRCDIR:-.}" || exit 99

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/defines.h"

# compiles COMPILER FILE: as the first include of a file, and a second time after itself.
compiles() {
    printf '#include "%s"\n#include "%s"\n' "$2" "$2" |
        $1 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1
}

echo 'size_t size_of_nothing(void);' >"$scratch/dependent.h"
for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null; then
        tap_skip "headers with $compiler" "$compiler is not installed"
        continue
    fi
    ! compiles $compiler "$scratch/dependent.h" >/dev/null
    tap_result $? "$compiler: a header that needs another would be noticed"
    for folder in $(find dissect analyzer -name '*.h' -exec dirname {} + | LC_ALL=C sort -u); do
        faults=
        for header in "$folder"/*.h; do
            faults=$faults$(compiles $compiler "$PWD/$header")
        done
        [ -z "$faults" ]
        tap_result $? "$compiler: the headers of $folder compile alone" "$faults"
    done
done
tap_end
