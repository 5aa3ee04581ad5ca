#!/bin/sh
# Every source and every test of the tree is named in Makefile.am.
. "${TOP_SRCDIR:-.}/tests/checks/tap.sh"
cd "${TOP_SRCDIR:-.}" || exit 99

listed() {
    tr -s ' \t\\' '\n\n\n' <Makefile.am | grep -Fqx "$1"
}

! listed analyzer/no-such-file.c
tap_result $? "a file that is not named would be noticed"

missing=
for file in $(find dissect analyzer doc -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort); do
    listed "$file" || missing="$missing$file
"
done
[ -z "$missing" ]
tap_result $? "sources are named in Makefile.am" "$missing"

missing=
for file in $(find tests/unit -name 'test_*.c' | LC_ALL=C sort); do
    listed "${file%.c}" || missing="$missing$file
"
done
for file in $(find tests/fuzz -name '*.[ch]' | LC_ALL=C sort); do
    listed "$file" || missing="$missing$file
"
done
for file in $(find tests/checks tests/tools tests/lab tests/fuzz -name '*.sh' -o -name '*.py' -o -name '*.md' |
    LC_ALL=C sort); do
    listed "$file" || missing="$missing$file
"
done
[ -z "$missing" ]
tap_result $? "tests are named in Makefile.am" "$missing"

# What has the name of a target is made anew by make dist, which may write into the sources.
targets_that_exist() {
    sed -n 's/^\([a-z][a-z-]*\):.*/\1/p' "$1" | while read -r target; do
        [ ! -e "$target" ] || [ "$target" = check ] || echo "$target"
    done
}
printf 'samples: lastack\n' >"${TMPDIR:-/tmp}/lastack-targets.$$"
[ "$(targets_that_exist "${TMPDIR:-/tmp}/lastack-targets.$$")" = samples ]
tap_result $? "a target that has the name of a folder would be noticed"
rm -f "${TMPDIR:-/tmp}/lastack-targets.$$"
found=$(targets_that_exist Makefile.am)
[ -z "$found" ]
tap_result $? "no target has the name of a file or folder" "$found"

tap_end
