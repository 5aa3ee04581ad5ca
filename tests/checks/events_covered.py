#!/usr/bin/env python3
"""Every event of the catalogue is raised by a case, and a case that nearly raises it does not."""
import glob
import json
import os
import re
import subprocess
import sys

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))

# What a single case cannot show has a check of its own, which has the near misses, too.
ELSEWHERE = {
    "hosts.py": ("syn_flood", "tw_accumulation", "port_exhaustion_suspected", "connection_churn",
                 "server_side_tw"),
    "icmp_events.py": ("icmp_unreachable_reset",),
}
# It stands in the flow's list of events alone: every connection that closed otherwise is a miss.
NAMED_IN_FLOWS = ("close_graceful",)


def events():
    listed = subprocess.run([LASTACK, "--list-events=json"], capture_output=True, check=True)
    return [entry["id"] for entry in json.loads(listed.stdout)["events"]]


def main():
    tap = Tap()
    raised, missed, named, unnamed = set(), set(), set(), set()
    for path in glob.glob(os.path.join(TOP, "tests", "cases", "*", "*.seg")):
        with open(path, encoding="utf-8") as file:
            missed.update(re.findall(r"^expect no event (\w+)", file.read(), re.MULTILINE))
        with open(path[:-4] + ".json", encoding="utf-8") as file:
            for record in json.load(file):
                if record["event"]["dataset"] == "lastack.event":
                    raised.add(record["event"]["action"])
                    continue
                named.update(record["lastack"]["events"])
                unnamed.update(set(NAMED_IN_FLOWS) - set(record["lastack"]["events"]))
    for check, ids in ELSEWHERE.items():
        with open(os.path.join(TOP, "tests", "checks", check), encoding="utf-8") as file:
            text = file.read()
        for event in ids:
            tap.ok(text.count(event) >= 2, "%s: %s raises it and nearly raises it" % (event, check))
    for event in events():
        if any(event in ids for ids in ELSEWHERE.values()):
            continue
        tap.ok(event in raised or (event in NAMED_IN_FLOWS and event in named),
               "%s: a case raises it" % event)
        tap.ok(event in missed or event in unnamed, "%s: a case nearly does" % event)
    return tap.end()


sys.exit(main())
