#!/usr/bin/env python3
"""Every cell (state, fact) of the grid is reached by a case, or unreachable.txt says why none can."""
import os
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
GRID_HITS = os.environ.get("GRID_HITS", os.path.join(BUILD, "tests", "tools", "grid-hits"))
CASES = os.path.join(TOP, "tests", "cases")
LEAST_CASES = 100

sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import gridcells
import segread
import segwire


def compile_cases(folder):
    """Writes every case's capture; {capture: name of the case}."""
    names = {}
    for place, _, files in sorted(os.walk(CASES)):
        for file in sorted(files):
            if not file.endswith(".seg"):
                continue
            name = "%s/%s" % (os.path.basename(place), file[:-len(".seg")])
            capture = os.path.join(folder, "%d.pcap" % len(names))
            names[capture] = name
            with open(capture, "wb") as out:
                out.write(segwire.capture(segread.read_case(os.path.join(place, file), name)))
    return names


def run(words):
    done = subprocess.run([GRID_HITS, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit("Bail out! %s: %s" % (GRID_HITS, done.stderr))
    return [line.split() for line in done.stdout.splitlines()]


def main():
    if not os.access(GRID_HITS, os.X_OK):
        print("1..0 # SKIP no program at %s" % GRID_HITS)
        return 0
    tap = Tap()
    unreachable = gridcells.read_unreachable(os.path.join(CASES, "unreachable.txt"))
    listed = {key for key in unreachable if isinstance(key, tuple)}
    grid = {(state, fact): kind for state, fact, kind in run([])}
    with tempfile.TemporaryDirectory() as folder:
        names = compile_cases(folder)
        tap.ok(len(names) >= LEAST_CASES, "the cases were found", len(names))
        hits = {}
        for state, fact, _, capture in run(names):
            hits.setdefault((state, fact), []).append(names[capture])
    show(grid, hits)
    tap.ok(listed <= set(grid), "unreachable.txt names cells of the grid", sorted(listed - set(grid)))
    for cell in sorted(listed & set(hits)):
        tap.ok(False, "%s, %s is listed as unreachable" % cell, "reached by " + hits[cell][0])
    missing = sorted(set(grid) - set(hits) - listed)
    for cell in missing:
        tap.ok(False, "%s, %s (%s) is neither reached nor excused" % (*cell, grid[cell]))
    tap.ok(not missing, "every cell is reached by a case, or excused")
    return tap.end()


def show(grid, hits):
    """How many cells of each kind are reached, and the cases behind those that one case reaches."""
    for kind in ("arrow", "repeat", "unexpected"):
        cells = [cell for cell in grid if grid[cell] == kind]
        print("# %s: %d of %d reached" % (kind, sum(c in hits for c in cells), len(cells)))
    for cell in sorted(hits):
        if len(hits[cell]) == 1:
            print("# %s, %s: only %s" % (*cell, hits[cell][0]))


if __name__ == "__main__":
    sys.exit(main())
