#!/usr/bin/env python3
"""tests/cases/clauses.txt holds: every event has a case, and every clause one in which it is not met."""
import json
import os
import re
import subprocess
import sys

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
LINE = re.compile(r"^    (raised|once|possible|miss|spared|named|elsewhere)\s+([\w./-]+)(?:: (.+))?$")


def read_table():
    """{event: [(word, case or check, clause)]}, and the lines that are none."""
    table, wrong, event = {}, [], None
    with open(os.path.join(TOP, "tests", "cases", "clauses.txt"), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip()
            match = LINE.match(line)
            if not line or line.startswith("#"):
                continue
            if re.fullmatch(r"[a-z][a-z0-9_]+", line) and line not in table:
                event = line
                table[event] = []
            elif match and event and (match[1] in ("raised", "named") or match[3]):
                table[event].append(match.groups())
            else:
                wrong.append("line %d: %s" % (number, line))
    return table, wrong


def events():
    listed = subprocess.run([LASTACK, "--list-events=json"], capture_output=True, check=True)
    return [entry["id"] for entry in json.loads(listed.stdout)["events"]]


def golden(case):
    """A case's records; None when there is no such case."""
    path = os.path.join(TOP, "tests", "cases", case + ".json")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def fault(event, word, case):
    """What is wrong with one line of the table; None: it holds."""
    if word == "elsewhere":
        path = os.path.join(TOP, "tests", "checks", case)
        if not os.path.exists(path):
            return "no such check"
        with open(path, encoding="utf-8") as file:
            return None if event in file.read() else "it does not speak of that event"
    records = golden(case)
    if records is None:
        return "no such case"
    raised = [r["lastack"] for r in records if r["event"].get("action") == event]
    named = any(event in r["lastack"]["events"] for r in records if "events" in r["lastack"])
    holds = {
        "raised": bool(raised),
        "once": len(raised) == 1,
        "possible": bool(raised) and all(r["confidence"] == "possible" for r in raised),
        "miss": not raised and not named,
        "spared": not raised and not named,
        "named": named and not raised,
    }
    return None if holds[word] else "raised %d times" % len(raised)


def main():
    tap = Tap()
    table, wrong = read_table()
    tap.ok(not wrong, "every line of clauses.txt can be read", *wrong)
    listed = events()
    tap.ok(set(table) <= set(listed), "no event in it that there is not", set(table) - set(listed))
    for event in listed:
        lines = table.get(event, [])
        words = {line[0] for line in lines}
        raises = words & {"raised", "possible", "named", "elsewhere"}
        misses = words & {"miss", "elsewhere"}
        faults = ["%s %s: %s" % (word, case, fault(event, word, case))
                  for word, case, _ in lines if fault(event, word, case)]
        tap.ok(raises and misses and not faults, "%s: %d lines" % (event, len(lines)), *faults)
    return tap.end()


sys.exit(main())
