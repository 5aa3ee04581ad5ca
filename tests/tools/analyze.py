#!/usr/bin/env python3
"""analyze: every source through the analyzers of gcc and clang, clang-tidy and cppcheck; no finding
stays open.

usage: analyze.py [--only gcc,tidy,cppcheck] [--list] [SOURCE...] -- FLAG...

Without a SOURCE all that the tree has; the flags are the compiler's, of a configured build, in whose
folder this runs: `make analyze` calls it.  What is
known to be false stands in analyzed.txt beside this file, with the line it is about and the reason;
a row that no analyzer has asked for is a fault, too.  clang-tidy runs clang's analyzer
(clang-analyzer-*); .clang-tidy at the top names its checks.  --list shows findings as rows.
Exit: 0; 1 there are findings.  The last line reads "N passed, N failed, N skipped".
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
FOLDERS = ("dissect", "analyzer", "doc", "tests")
FOUND = re.compile(r"^(?P<file>[^\s:][^:]*):(?P<line>\d+)(?::\d+)?: (?:warning|error): .*"
                   r"\[(?P<check>[-\w.]+)[^\]]*\]$")
CPPCHECK = ("--enable=warning,performance,portability", "--std=c11", "--inline-suppr", "--quiet",
            "--suppress=missingIncludeSystem", "--suppress=varFuncNullUB",  # POSIX has NULL as a pointer
            "--template={file}:{line}:1: warning: {message} [{id}]")


def commands(tool, sources, flags):
    """One a source; cppcheck looks at all together."""
    if tool == "gcc":
        return [["gcc", *flags, "-O2", "-fanalyzer", "-fdiagnostics-path-format=none",
                 "-fno-diagnostics-show-caret", "-c", "-o", "/dev/null", source]
                for source in sources]
    if tool == "tidy":
        return [["clang-tidy", "--quiet", source, "--", *flags] for source in sources]
    kept = [word for word in flags if word.startswith(("-D", "-I")) and word != "-I."]
    return [["cppcheck", *CPPCHECK, "-j%d" % os.cpu_count(), *kept, *sources]]


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, errors="replace")
    hits = [FOUND.match(line) for line in done.stdout.splitlines()]
    return [hit for hit in hits if hit], done.returncode, done.stdout


def source_line(path, number):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()[number - 1].strip()


def row_of(hit):
    """(check, file, the line's text): it outlives changes above it."""
    path = os.path.normpath(os.path.join(os.getcwd(), hit["file"]))
    check = hit["check"]
    return check, os.path.relpath(path, TOP), source_line(path, int(hit["line"]))


def known():
    """{row: reason} of analyzed.txt: a line each of check and file, source text, and reason."""
    rows, lines = {}, []
    with open(os.path.join(HERE, "analyzed.txt"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                lines.append(line.strip())
    for at in range(0, len(lines), 3):
        check, path = lines[at].split()
        rows[check, path, lines[at + 1]] = lines[at + 2]
    return rows


def tool_of(check):
    if check.startswith("-Wanalyzer"):
        return "gcc"
    return "tidy" if "-" in check else "cppcheck"


def analyze(tool, sources, flags, rows):
    """(open findings, rows that were asked for, what was said by those that failed)"""
    faults, used, said = set(), set(), []
    with ThreadPoolExecutor(1 if tool == "cppcheck" else os.cpu_count()) as pool:
        for hits, code, text in pool.map(run, commands(tool, sources, flags)):
            found = {row_of(hit) for hit in hits}
            used |= found & set(rows)
            faults |= found - set(rows)
            if code != 0 and not found:
                said.append(text[-2000:])
    return faults, used, said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="gcc,tidy,cppcheck")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("sources", nargs="*")
    words = sys.argv[1:] + ["--"]
    flags = [word for word in words[words.index("--") + 1:-1] if word != "-Werror"]
    options = parser.parse_args(words[:words.index("--")])
    sources = [os.path.abspath(name) for name in options.sources] or sorted(
        path for folder in FOLDERS
        for path in glob.glob(os.path.join(TOP, folder, "**", "*.c"), recursive=True))
    rows, counts = known(), {"ok": 0, "not ok": 0, "skip": 0}
    for tool in options.only.split(","):
        program = {"tidy": "clang-tidy"}.get(tool, tool)
        if not shutil.which(program):
            counts["skip"] += 1
            print("skipped: %s is not installed" % program)
            continue
        faults, used, said = analyze(tool, sources, flags, rows)
        stale = set() if options.sources else \
            {row for row in rows if tool_of(row[0]) == tool} - used
        result = "not ok" if faults or said or stale else "ok"
        counts[result] += 1
        print("%s - %s: %d sources, %d findings, %d known to be false" % (
            result, program, len(sources), len(faults), len(used)))
        for check, path, line in sorted(faults):
            print(("%s %s\n    %s\n    REASON" if options.list else "# %s %s: %s") % (check, path, line))
        for check, path, line in sorted(stale):
            print("# no longer found: %s: %s: %s" % (path, check, line))
        print("".join("# %s\n" % text for text in said), end="", flush=True)
    print("%d passed, %d failed, %d skipped" % tuple(counts.values()))
    return 1 if counts["not ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
