#!/bin/sh
# The libraries hold no writable static storage, so that two analyzers never share anything.
. "${TOP_SRCDIR:-.}/tests/checks/tap.sh"
build=${TOP_BUILDDIR:-.}

if [ -n "${LASTACK_SANITIZED-}" ]; then
    echo "1..0 # SKIP instrumentation ($LASTACK_SANITIZED) adds static storage of its own"
    exit 0
fi

# Symbols in .data, .bss, .tdata, .tbss or common storage.  Constant tables with pointers lie in
# .data.rel.ro, which is made read-only before main: those are allowed.
writable_symbols() {
    objdump -t "$1" | awk '
        /:     file format/ { object = $1 }
        { section = ""; for (i = 2; i <= NF; i++) if ($i ~ /^(\.|\*COM\*)/) { section = $i; break } }
        section ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && section !~ /^\.data\.rel\.ro/ &&
            $NF != section { print object, section, $NF }'
}

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/guilty.c" <<'END'
int counter_bss;
static int counter_data = 1;
static _Thread_local int counter_thread = 2;
static const char *const names[] = {"a", "b"};
int next(int i);
int next(int i) { return counter_bss++ + counter_data++ + counter_thread++ + names[i & 1][0]; }
END
for compiler in ${CC:-cc} clang; do
    command -v "${compiler%% *}" >/dev/null || continue
    $compiler -O2 -fPIE -c "$scratch/guilty.c" -o "$scratch/guilty.o"
    found=$(writable_symbols "$scratch/guilty.o" | wc -l)
    [ "$found" -eq 3 ]
    tap_result $? "three kinds of writable statics, and no constant, are noticed in $compiler's objects" \
        "$(writable_symbols "$scratch/guilty.o")"
done

for library in libdissect.a libanalyzer.a; do
    objdump -t "$build/$library" >"$scratch/symbols" 2>&1
    tap_result $? "$library can be read" "$(cat "$scratch/symbols")"
    found=$(writable_symbols "$build/$library")
    [ -z "$found" ]
    tap_result $? "$library holds no writable statics" "$found"
done
tap_end
