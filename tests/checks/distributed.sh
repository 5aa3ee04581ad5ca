#!/bin/sh
# What make dist packs is the whole tree: all that is kept in git.
. "${TOP_SRCDIR:-.}/tests/checks/tap.sh"
top=$(cd "${TOP_SRCDIR:-.}" && pwd) || exit 99

name="every file that git keeps is distributed"
if ! tracked=$(git -c safe.directory="$top" -C "$top" ls-files 2>/dev/null) || [ -z "$tracked" ]; then
    tap_skip "$name" "this tree is no clone, or there is no git"
    tap_end
fi

packed=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$packed"; rm -rf "$packed"' EXIT
said=$(env -u MAKEFLAGS -u MFLAGS make -s distdir distdir="$packed/tree" 2>&1)
tap_result $? "the tree is packed" "$said"

[ ! -e "$packed/tree/no-such-file" ]
tap_result $? "a file that is not there would be noticed"
missing=$(printf '%s\n' "$tracked" | while read -r file; do
    [ -e "$packed/tree/$file" ] || printf '%s\n' "$file"
done)
[ -z "$missing" ]
tap_result $? "$name" "$missing"
tap_end
