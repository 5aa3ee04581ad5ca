#!/usr/bin/env python3
"""mutate-rules: is there a case for every rule?

usage: mutate-rules.py [--only WORD] [--keep FOLDER] SOURCE_TREE

In a scratch copy of the tree, each row of figure5.def is removed and led elsewhere, each row of
repeats.def, detectors.def and watches.def removed, one at a time; the program is built again and
the cases are run, their claims alone, up to the first that fails, and the checks that stand for
cases.  A repeat that is none shows as an unexpected segment.  Prints each change and whether a case
noticed it; exit code 1 when there is one that none did and that tests/cases/unreachable.txt does
not name.
"""
import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile

import gridcells

ROW = re.compile(r"^(ARROW|REPEAT|DETECTOR|WATCH)\((.*)\)\s*$")
RULES = ("analyzer/tcp/figure5.def", "analyzer/tcp/repeats.def", "analyzer/detect/detectors.def",
         "analyzer/detect/watches.def")
OTHER_STATE = {"STATE_CLOSED": "STATE_ESTABLISHED"}  # what an arrow leads to instead
# Built things: with the sources changing under them they would only mislead.
LEFT_BEHIND = (".git", "autom4te.cache", "Makefile", "config.status", "*.o", "*.a", "lastack")
CHECKS = ("tests/checks/icmp_events.py",)  # what the case language has no words for
UNREACHABLE = "tests/cases/unreachable.txt"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree", metavar="SOURCE_TREE")
    parser.add_argument("--only", default="", metavar="WORD", help="rows with WORD in them")
    parser.add_argument("--keep", metavar="FOLDER", help="build here and keep it for the next run")
    options = parser.parse_args()
    scratch = options.keep or tempfile.mkdtemp(prefix="lastack-mutate.")
    try:
        copy_tree(options.tree, scratch)
        return survey(scratch, options.only)
    finally:
        if not options.keep:
            shutil.rmtree(scratch)


def copy_tree(tree, scratch):
    """A configured build of the unchanged tree, on which all cases must pass first."""
    shutil.copytree(tree, scratch, dirs_exist_ok=True, copy_function=copy_changed,
                    ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    if not os.path.exists(os.path.join(scratch, "Makefile")):
        if not os.path.exists(os.path.join(scratch, "configure")):
            run(scratch, ["autoreconf", "-fi"])
        run(scratch, ["./configure", "--quiet", "CFLAGS=-O0"])
    build(scratch)
    if not cases_pass(scratch):
        sys.exit("mutate-rules: the cases fail on the unchanged tree")


def copy_changed(source, target):
    """What differs gets a new time stamp: objects of an earlier run are no newer than it."""
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copy(source, target)


def run(scratch, words):
    done = subprocess.run(words, cwd=scratch, capture_output=True, text=True)
    if done.returncode:
        said = done.stdout[-2000:] + done.stderr[-2000:]
        sys.exit(f"mutate-rules: {' '.join(words)} failed\n{said}")


def build(scratch):
    return subprocess.run(["make", "-s", "-j2", "lastack"], cwd=scratch,
                          capture_output=True, text=True).returncode == 0


def cases_pass(scratch):
    words = [sys.executable, "tests/tools/run-cases.py", "--variations", "none", "--no-golden",
             "--stop"]
    environment = dict(os.environ, LASTACK=os.path.join(scratch, "lastack"))
    suites = [words] + [[sys.executable, check] for check in CHECKS]
    return all(subprocess.run(suite, cwd=scratch, env=environment,
                              capture_output=True).returncode == 0 for suite in suites)


def survey(scratch, only):
    excused = gridcells.read_unreachable(os.path.join(scratch, UNREACHABLE))
    changes = unnoticed = 0
    for path in RULES:
        for row, change, text in mutations(os.path.join(scratch, path)):
            if only not in row:
                continue
            changes += 1
            noticed = try_change(scratch, path, text)
            key = row_key(row)
            if not noticed and key not in excused:
                unnoticed += 1
            verdict = "noticed" if noticed else "unreachable" if key in excused else "UNNOTICED"
            print(f"{verdict}: {change} {' '.join(key) if isinstance(key, tuple) else key}",
                  flush=True)
    print(f"{changes} changes, {unnoticed} that no case notices")
    return 1 if unnoticed or not changes else 0


def mutations(path):
    """Yields (row, what was done, the whole file with that row changed)."""
    if not os.path.exists(path):
        print(f"no {path}: skipped")
        return
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines(keepends=True)
    for index, line in enumerate(lines):
        match = ROW.match(line)
        if not match:
            continue
        rest = lambda new: "".join(lines[:index] + new + lines[index + 1:])
        yield line, "without", rest(["\n"])
        if match[1] == "ARROW":
            yield line, "elsewhere", rest([redirect(line)])


def redirect(line):
    """The same arrow into another state."""
    state, fact, target, label = line.split(",", 3)
    name = target.strip()
    return ",".join((state, fact, target.replace(name, OTHER_STATE.get(name, "STATE_CLOSED")),
                     label))


def row_key(row):
    """What unreachable.txt calls the row: (state, fact), or the name."""
    kind, inside = ROW.match(row).groups()
    words = [word.strip() for word in inside.split(",")]
    named = kind in ("DETECTOR", "WATCH")
    return words[0] if named else (words[0][len("STATE_"):], words[1][len("FACT_"):])


def try_change(scratch, path, text):
    """Whether some case fails with this text in place of the file; the file is put back."""
    full = os.path.join(scratch, path)
    with open(full, encoding="utf-8") as file:
        original = file.read()
    try:
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        if not build(scratch):
            sys.exit(f"mutate-rules: does not build without a row of {path}")
        return not cases_pass(scratch)
    finally:
        with open(full, "w", encoding="utf-8") as file:
            file.write(original)


if __name__ == "__main__":
    sys.exit(main())
