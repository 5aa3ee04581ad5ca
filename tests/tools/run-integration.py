#!/usr/bin/env python3
"""Runs the tests named, each with a real program at the other side.

    run-integration.py SCRIPT...

Shows what failed and every skip with its reason; the last line reads "N passed, N failed, N skipped".
"""
import os
import subprocess
import sys

SECONDS = 900  # for one script


def run(script):
    """(passed, failed, skipped, lines to show) of a script that speaks TAP."""
    try:
        result = subprocess.run([sys.executable, script], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 0, 1, 0, ["it took longer than %d s" % SECONDS]
    lines = result.stdout.splitlines()
    plan = [line for line in lines if line.startswith("1..")]
    if plan and plan[0].startswith("1..0"):
        return 0, 0, 1, [plan[0]]
    done = [line for line in lines if line.startswith("ok ")]
    skipped = [line for line in done if "# SKIP" in line]
    failed = sum(line.startswith("not ok ") for line in lines)
    shown = [line for line in lines if not line.startswith("ok ") or "# SKIP" in line]
    whole = plan and plan[0] == "1..%d" % (len(done) + failed)
    if not whole or (result.returncode != 0 and not failed):
        failed += 1
        shown += ["exit status %d" % result.returncode, *result.stderr.splitlines()[-20:]]
    return len(done) - len(skipped), failed, len(skipped), shown


def main():
    totals = [0, 0, 0]
    for script in sys.argv[1:]:
        *counts, shown = run(script)
        totals = [a + b for a, b in zip(totals, counts)]
        print("== %s: %d passed, %d failed, %d skipped" % (os.path.basename(script), *counts))
        for line in shown:
            if not line.startswith("1..") or "SKIP" in line:
                print("   " + line)
        sys.stdout.flush()
    print("%d passed, %d failed, %d skipped" % tuple(totals))
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
