#!/usr/bin/env python3
"""One catalogue: events.def, --list-events, its JSON, the schema and doc/events.md name the same ids."""
import json
import os
import re
import subprocess
import sys

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))


def ids_of_table(path, macro):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return re.findall(r"^%s\((\w+)," % macro, file.read(), re.MULTILINE)


def run(*arguments):
    return subprocess.run([LASTACK, *arguments], capture_output=True, text=True, check=False)


def enums(schema):
    """All lists of values in a schema, as sets of strings."""
    if isinstance(schema, dict):
        if isinstance(schema.get("enum"), list):
            yield {value for value in schema["enum"] if isinstance(value, str)}
        for value in schema.values():
            yield from enums(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from enums(value)


def differences(expected, found):
    return "only in the table: %s" % sorted(set(expected) - set(found)), \
        "only there: %s" % sorted(set(found) - set(expected))


def main():
    tap = Tap()
    events = ids_of_table("analyzer/detect/events.def", "EVENT")
    notes = ids_of_table("analyzer/event/notes.def", "NOTE")
    tap.ok(len(events) >= 11 and len(notes) >= 1, "the tables were read", events, notes)
    tap.ok(len(set(events + notes)) == len(events + notes), "no id stands for two things")

    listed = [line.split()[0] for line in run("--list-events").stdout.splitlines()]
    tap.ok(listed == events, "--list-events", *differences(events, listed))
    listed = [line.split()[0] for line in run("--list-events", "--notes").stdout.splitlines()]
    tap.ok(listed == events + notes, "--list-events --notes", *differences(events + notes, listed))

    document = json.loads(run("--list-events=json", "--notes").stdout)
    for key, ids in (("events", events), ("notes", notes)):
        listed = [entry["id"] for entry in document[key]]
        tap.ok(listed == ids, "--list-events=json: %s" % key, *differences(ids, listed))
    empty = [entry["id"] for entry in document["events"] if not all(entry.values())]
    tap.ok(not empty, "every event has all its texts", empty)

    with open(os.path.join(BUILD, "doc", "events.md"), encoding="utf-8") as file:
        titles = re.findall(r"^## (\w+)$", file.read(), re.MULTILINE)
    tap.ok(titles == events, "doc/events.md", *differences(events, titles))

    schema = json.loads(run("--schema").stdout)
    for name, ids in (("events", events), ("notes", notes)):
        tap.ok(any(set(ids) == values for values in enums(schema)),
               "the schema lists exactly the %s" % name)
    with open(os.path.join(BUILD, "doc", "lastack.schema.json"), encoding="utf-8") as file:
        tap.ok(json.load(file) == schema, "the schema that is installed is the one printed")

    unexplained = [name for name in events + notes
                   if not run("--explain", name).stdout.startswith(name + " ")]
    tap.ok(not unexplained, "--explain knows every id", unexplained)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
