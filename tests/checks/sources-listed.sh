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

tap_end
