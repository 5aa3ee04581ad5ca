#!/usr/bin/env python3
"""lastack says of every sample what stands beside it.

samples.py --accept writes the reports, and what README.md shows, anew; read the difference before
keeping it.  The captures are made by tests/lab/record.py (make record-samples).
"""
import collections
import json
import os
import re
import subprocess
import sys

from tap import Tap

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.path.abspath(os.environ.get("TOP_BUILDDIR", "."))
LASTACK = os.path.abspath(os.environ.get("LASTACK", os.path.join(BUILD, "lastack")))
FOLDER = os.path.join(TOP, "samples")

# A capture's name, the scenario of tests/lab that it is of and the side of the relay, what lastack
# is told (as the hosts were), and the event that it is there for.
Sample = collections.namedtuple("Sample", "name scenario side settings shows")
SAMPLES = [Sample(*row) for row in (
    ("syn-reset-in-last-ack",  "textbook_resets_a_syn_in_last_ack",        "server", "", "syn_in_last_ack_rst"),
    ("collision-challenged",   "syn_in_last_ack",                          "client", "", "syn_in_last_ack_challenged"),
    ("stray-delivered",        "old_segment_accepted",                     "server", "", "stray_accepted_hazard"),
    ("last-ack-lost",          "last_ack_lost_once",                       "client", "", "final_ack_lost"),
    ("last-ack-lost-in-vxlan", "last_ack_lost_in_vxlan",                   "server", "", "final_ack_missing"),
    ("both-close-at-once",     "both_close_at_once",                       "client", "", "close_simultaneous"),
    ("request-meets-close",    "request_meets_close",                      "client", "", "keepalive_race"),
    ("closed-and-forgotten",   "fin_wait_2_expires_before_fin",            "client", "--set=fin_timeout=1s", "rst_to_retransmitted_fin"),
    ("never-closed",           "close_wait_left_open",                     "server", "--set=close_wait_leak=1s", "close_wait_leak"),
    ("time-wait-reopened",     "time_wait_reopened_by_timestamps",         "client", "", "tw_reopen_accepted"),
    ("time-wait-refused",      "time_wait_refuses_a_lower_sequence",       "client", "", "tw_reopen_refused_ack"),
    ("time-wait-assassinated", "time_wait_assassinated",                   "client", "", "tw_assassination"),
    ("orphan-meets-syn",       "syn_in_window_of_orphaned_fin_wait_2",     "server", "", "syn_in_synchronized_rst"),
    ("accept-queue-full",      "accept_queue_fills_up",                    "server", "", "accept_queue_overflow"),
    ("peer-is-gone",           "keep_alive_dies",                          "server", "", "keepalive_timeout"),
    ("unread-data",            "server_closes_with_unread_data",           "server", "", "close_abortive_app"),
)]
PAGE = "syn-reset-in-last-ack"  # the one whose HTML page is kept
LARGEST = 16 << 10  # octets of a capture


def path(name, ending):
    return os.path.join(FOLDER, name + ending)


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def run_on(words):
    """lastack's report, made where the samples lie so that it names no machine's folder."""
    return subprocess.run([LASTACK, "--json", *words], cwd=FOLDER, capture_output=True, text=True,
                          check=False)


def report_of(sample):
    return run_on(sample.settings.split() + [sample.name + ".pcap"])


def page_of(name):
    return subprocess.run([LASTACK, "--html=-", name + ".pcap"], cwd=FOLDER, capture_output=True,
                          text=True, check=False)


def without_version(report):
    """A report does not become wrong by the next release."""
    return re.sub(r'"version":"[^"]*"', '"version":""', report, count=1)


def told_by(page):
    """A page without what every page has, which a build may have with or without uPlot: policy,
    style, scripts, footer, version."""
    page = re.sub(r"<meta http-equiv[^>]*>|<style>.*?</style>|<footer.*?</footer>", "", page,
                  flags=re.DOTALL)
    page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    return without_version(re.sub(r"Made by lastack [0-9.]+", "", page))


def accept():
    for sample in SAMPLES:
        with open(path(sample.name, ".json"), "w", encoding="utf-8") as file:
            file.write(report_of(sample).stdout)
    page = page_of(PAGE).stdout
    if "uPlot's licence" not in page:
        sys.exit("this build has no uPlot: the page that is kept needs it")
    with open(path(PAGE, ".html"), "w", encoding="utf-8") as file:
        file.write(page)
    accept_readme()


def problems_of(report):
    return [(problem["id"], problem["count"]) for problem in json.loads(report)["problems"]]


def check_sample(tap, sample):
    run = report_of(sample)
    tap.ok(run.returncode == 0 and not run.stderr and
           without_version(run.stdout) == without_version(read(path(sample.name, ".json"))),
           sample.name + ".json is what lastack says", run.stderr)
    raised = [name for name, _ in problems_of(read(path(sample.name, ".json")))]
    tap.ok(sample.shows in raised, "%s shows %s" % (sample.name, sample.shows), raised)
    tap.ok(os.path.getsize(path(sample.name, ".pcap")) <= LARGEST, sample.name + " is small")


def check_page(tap):
    run, kept = page_of(PAGE), read(path(PAGE, ".html"))
    tap.ok(run.returncode == 0 and told_by(run.stdout) == told_by(kept),
           PAGE + ".html is the page that lastack writes", run.stderr)
    tap.ok(told_by(kept) != told_by(kept.replace(">#14<", ">#15<", 1)),
           "another packet in it would be noticed")


def check_together(tap):
    """All at once: captures of one time whose connections do not touch each other."""
    plain = [sample for sample in SAMPLES if not sample.settings]
    together = run_on([sample.name + ".pcap" for sample in plain])
    alone = sum((problems_of(read(path(sample.name, ".json"))) for sample in plain), [])
    counted = [collections.Counter(), collections.Counter()]
    for counter, problems in zip(counted, (problems_of(together.stdout), alone)):
        for name, count in problems:
            counter[name] += count
    tap.ok(counted[0] == counted[1], "all samples together give the problems of each",
           together.stderr, *counted)


def check_completeness(tap):
    listed = {name.split(".")[0] for name in os.listdir(FOLDER) if not name.startswith("README")}
    names = {sample.name for sample in SAMPLES}
    tap.ok(listed == names, "no sample is left out of this test", listed ^ names)
    table = read(os.path.join(FOLDER, "README.md"))
    missing = [sample.name for sample in SAMPLES
               if not re.search(r"\| `%s\.pcap` .*`%s`" % (sample.name, sample.shows), table)]
    tap.ok(not missing, "samples/README.md has every sample, and what it shows", missing)


def run_as_shown(words):
    """What README.md shows of it."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", COLUMNS="80")
    return subprocess.run([LASTACK, *words.split()], cwd=TOP, capture_output=True, text=True,
                          encoding="utf-8", check=False, env=environment).stdout


# What README.md shows of the first sample: the command, the end of what it says, and where that
# end begins.
SHOWN = ((r"```\nlastack (--text [^\n]*)\n```\n\nends with\n\n```\n(.*?)```", "\nERROR "),
         (r"```\nlastack (ladder [^\n]*)\n```\n\n```\n(.*?)```", "\n      8 "))


def accept_readme():
    name = os.path.join(TOP, "README.md")
    for pattern, first in SHOWN:
        readme = read(name)
        match = re.search(pattern, readme, re.DOTALL)
        said = run_as_shown(match[1])
        said = said[said.index(first) + 1:]
        with open(name, "w", encoding="utf-8") as file:
            file.write(readme[:match.start(2)] + said + readme[match.end(2):])


def check_readme(tap):
    """README.md explains an event line by line: command and output there must be true."""
    readme = read(os.path.join(TOP, "README.md"))
    for pattern, _ in SHOWN:
        command, shown = re.search(pattern, readme, re.DOTALL).groups()
        said = run_as_shown(command)
        tap.ok(said.endswith("\n" + shown), "README.md shows what lastack says: " + command, said)


def main():
    if sys.argv[1:] == ["--accept"]:
        accept()
        return 0
    tap = Tap()
    for sample in SAMPLES:
        check_sample(tap, sample)
    check_page(tap)
    check_together(tap)
    check_completeness(tap)
    check_readme(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
