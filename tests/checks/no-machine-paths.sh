#!/bin/sh
# The tree speaks of no machine it was written on: no home directories, no work areas.
. "${TOP_SRCDIR:-.}/tests/checks/tap.sh"
cd "${TOP_SRCDIR:-.}" || exit 99

# Spelled in pieces, so that this file does not find itself.
pattern='(^|[^A-Za-z0-9_.-])/(wo''rk|ho''me|ro''ot|mn''t)/[a-z]'

printf '%s\n' "see /wo""rk/notes" | grep -Eq "$pattern"
tap_result $? "such a path would be noticed"

found=$(find . \( -name .git -o -name build\* -o -name autom4te.cache \) -prune -o -type f \
    ! -name configure ! -name Makefile.in ! -name aclocal.m4 ! -name '*.o' ! -name '*.a' \
    ! -name Makefile ! -name config.log ! -name config.status ! -name '*.log' ! -name '*.trs' \
    -exec grep -EIn "$pattern" {} +)
[ -z "$found" ]
tap_result $? "no machine's paths in the tree" "$found"
tap_end
