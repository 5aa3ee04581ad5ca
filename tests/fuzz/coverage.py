#!/usr/bin/env python3
"""coverage: how much of the code the fuzz targets' inputs run through, room by room.

usage: coverage.py [--build FOLDER] [--work FOLDER] [--missing FILE]

FOLDER of --build is made, configured for gcc's coverage, and brought up to date.  Every target
runs over its seeds, the corpus in the tree and that of --work (fuzz.py).  --missing writes the
lines that none of them reached, one a line.  Exit: 0; 1 a target broke a claim; 77 no gcov.
"""
import argparse
import collections
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

import seeds

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
ROOMS = ("dissect", "analyzer/tcp", "analyzer/flow", "analyzer/intake", "analyzer/detect",
         "analyzer/path", "analyzer/host", "analyzer/source", "analyzer/base")


def build(folder):
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(os.path.join(folder, "Makefile")):
        compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
        subprocess.run([os.path.join(TOP, "configure"), "-q", "--enable-coverage",
                        "CC=" + compiler], cwd=folder, check=True)
    subprocess.run(["make", "-s", "-j%d" % os.cpu_count(), "fuzz-targets"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    for name in glob.glob(os.path.join(folder, "**", "*.gcda"), recursive=True):
        os.unlink(name)


def replay(options, made):
    """Runs every target; returns the names of those that broke a claim."""
    broken = []
    for target in sorted(seeds.SEEDS):
        folders = [os.path.join(made, target), os.path.join(HERE, "corpus", target),
                   os.path.join(options.work, "corpus", target)]
        program = os.path.join(options.build, "tests", "fuzz", target + "-target")
        run = subprocess.run([program] + [folder for folder in folders if os.path.isdir(folder)],
                             capture_output=True, check=False)
        if run.returncode != 0:
            broken.append(target)
            print("%s: %s" % (target, run.stderr.decode(errors="replace")[-300:]))
    return broken


def lines_of(options):
    """{file: {line: times}} of every file of the tree."""
    lines = collections.defaultdict(collections.Counter)
    for data in glob.glob(os.path.join(options.build, "**", "*.gcda"), recursive=True):
        done = subprocess.run(["gcov", "--stdout", "--json-format", data], capture_output=True,
                              check=False, cwd=options.build)
        said = gzip.decompress(done.stdout) if done.stdout[:2] == b"\x1f\x8b" else done.stdout
        for document in map(json.loads, said.splitlines()):
            for file in document["files"]:
                path = os.path.relpath(os.path.join(options.build, file["file"]), TOP)
                for line in file["lines"]:
                    lines[path][line["line_number"]] += line["count"]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="coverage-build", metavar="FOLDER")
    parser.add_argument("--work", default="fuzz-work", metavar="FOLDER")
    parser.add_argument("--missing", default=None, metavar="FILE")
    options = parser.parse_args()
    options.build, options.work = os.path.abspath(options.build), os.path.abspath(options.work)
    if not shutil.which("gcov"):
        print("skipped: no gcov")
        return 77
    build(options.build)
    with tempfile.TemporaryDirectory() as made:
        seeds.write_all(made)
        broken = replay(options, made)
    lines = lines_of(options)
    for room in ROOMS:
        counts = [count for path in lines if os.path.dirname(path) == room
                  for count in lines[path].values()]
        run = sum(1 for count in counts if count > 0)
        print("%-16s %5d of %5d lines, %5.1f %%" % (room, run, len(counts),
                                                   100 * run / max(1, len(counts))))
    if options.missing:
        with open(options.missing, "w", encoding="ascii") as file:
            for path in sorted(lines):
                file.writelines("%s:%d\n" % (path, line) for line in sorted(lines[path])
                                if lines[path][line] == 0)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
