#!/usr/bin/env python3
"""Every sample is what its source says, and lastack says of it what stands beside it.

samples.py --accept writes captures and reports anew; read the difference before keeping it.
"""
import filecmp
import json
import os
import re
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.path.abspath(os.environ.get("TOP_BUILDDIR", "."))
LASTACK = os.path.abspath(os.environ.get("LASTACK", os.path.join(BUILD, "lastack")))
SAMPLES = os.path.join(TOP, "samples")
TOOLS = os.path.join(TOP, "tests", "tools")

# The anomaly that each sample is there for.
SHOWS = {
    "syn-reset-in-last-ack": "syn_in_last_ack_rst",
    "collision-challenged": "syn_in_last_ack_challenged",
    "stray-delivered": "stray_accepted_hazard",
}

# The one whose HTML page is kept.
PAGE = "syn-reset-in-last-ack"


def path(name, ending):
    return os.path.join(SAMPLES, name + ending)


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def compile_sample(name, out):
    return subprocess.run([sys.executable, os.path.join(TOOLS, "seg2pcap.py"), path(name, ".seg"),
                           out], capture_output=True, text=True, check=False)


def report_of(name):
    """The report, made where the sample lies so that it names no machine's folder."""
    return subprocess.run([LASTACK, "--json", name + ".pcap"], cwd=SAMPLES, capture_output=True,
                          text=True, check=False)


def page_of(name):
    return subprocess.run([LASTACK, "--html=-", name + ".pcap"], cwd=SAMPLES, capture_output=True,
                          text=True, check=False)


def told_by(page):
    """A page without what every page has, which a build may have with or without uPlot: policy,
    style, scripts, footer, version."""
    page = re.sub(r"<meta http-equiv[^>]*>|<style>.*?</style>|<footer.*?</footer>", "", page,
                  flags=re.DOTALL)
    page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    return without_version(re.sub(r"Made by lastack [0-9.]+", "", page))


def without_version(report):
    """A report does not become wrong by the next release."""
    return re.sub(r'"version":"[^"]*"', '"version":""', report, count=1)


def accept():
    for name in SHOWS:
        compile_sample(name, path(name, ".pcap")).check_returncode()
        with open(path(name, ".json"), "w", encoding="utf-8") as file:
            file.write(report_of(name).stdout)
    page = page_of(PAGE).stdout
    if "uPlot's licence" not in page:
        sys.exit("this build has no uPlot: the page that is kept needs it")
    with open(path(PAGE, ".html"), "w", encoding="utf-8") as file:
        file.write(page)


def claims_hold(name):
    return subprocess.run([sys.executable, os.path.join(TOOLS, "run-cases.py"), "--no-golden",
                           "--variations", "none", path(name, ".seg")],
                          env={**os.environ, "LASTACK": LASTACK}, capture_output=True, text=True,
                          check=False)


def check_sample(tap, name, folder):
    again = os.path.join(folder, name + ".pcap")
    made = compile_sample(name, again)
    tap.ok(made.returncode == 0 and filecmp.cmp(again, path(name, ".pcap"), shallow=False),
           name + ".pcap is made from its source", made.stderr)
    claims = claims_hold(name)
    tap.ok(claims.returncode == 0, name + ".seg: what it claims holds", claims.stdout)
    run = report_of(name)
    tap.ok(run.returncode == 0 and not run.stderr and
           without_version(run.stdout) == without_version(read(path(name, ".json"))),
           name + ".json is what lastack says", run.stderr, run.stdout)
    raised = [problem["id"] for problem in json.loads(read(path(name, ".json")))["problems"]]
    tap.ok(SHOWS[name] in raised, "%s shows %s" % (name, SHOWS[name]), raised)


def check_page(tap):
    run, kept = page_of(PAGE), read(path(PAGE, ".html"))
    tap.ok(run.returncode == 0 and told_by(run.stdout) == told_by(kept),
           PAGE + ".html is the page that lastack writes", run.stderr)
    tap.ok(told_by(kept) != told_by(kept.replace(">#14<", ">#15<", 1)),
           "another packet in it would be noticed")


def check_together(tap):
    """All at once: three captures in the order of their times, which do not touch each other."""
    names = sorted(SHOWS)
    run = subprocess.run([LASTACK, "--json"] + [name + ".pcap" for name in names], cwd=SAMPLES,
                         capture_output=True, text=True, check=False)
    together = json.loads(run.stdout)
    alone = sum((json.loads(read(path(name, ".json")))["problems"] for name in names), [])
    tap.ok(sorted((entry["id"], entry["count"]) for entry in together["problems"]) ==
           sorted((entry["id"], entry["count"]) for entry in alone),
           "all samples together give the problems of each", run.stderr, run.stdout)


def check_completeness(tap):
    listed = {name.split(".")[0] for name in os.listdir(SAMPLES) if not name.startswith("README")}
    tap.ok(listed == set(SHOWS), "no sample is left out of this test", listed ^ set(SHOWS))
    table = read(os.path.join(SAMPLES, "README.md"))
    missing = [name for name in SHOWS if "`%s.pcap`" % name not in table]
    tap.ok(not missing, "samples/README.md has every sample", missing)


def check_readme(tap):
    """README.md explains an event line by line: command and output there must be true."""
    readme = read(os.path.join(TOP, "README.md"))
    command, shown = re.search(r"```\nlastack (--text [^\n]*)\n```\n\nends with\n\n```\n(.*?)```",
                               readme, re.DOTALL).groups()
    run = subprocess.run([LASTACK, *command.split()], cwd=TOP, capture_output=True, text=True,
                         check=False)
    tap.ok(run.returncode == 0 and run.stdout.endswith("\n\n" + shown),
           "README.md shows what lastack says", run.stdout)


def main():
    if sys.argv[1:] == ["--accept"]:
        accept()
        return 0
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for name in SHOWS:
            check_sample(tap, name, folder)
    check_page(tap)
    check_together(tap)
    check_completeness(tap)
    check_readme(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
