#!/usr/bin/env python3
"""No folder includes what the table in ARCHITECTURE.md does not let it know."""
import os
import re
import sys

from tap import Tap

# What the files of a folder may include: folders (ending in /) and single files.  Longest match
# decides which row a file falls under.
MAY_INCLUDE = {
    "dissect/": ["dissect/"],
    "analyzer/base/": ["analyzer/base/"],
    "analyzer/tcp/": ["analyzer/tcp/", "analyzer/base/", "dissect/dissect.h"],
    "analyzer/flow/": ["analyzer/flow/", "analyzer/tcp/", "analyzer/base/", "analyzer/config.h",
                       "dissect/dissect.h"],
    "analyzer/event/": ["analyzer/event/", "analyzer/base/", "analyzer/tcp/names.h",
                        "analyzer/detect/events.def"],
    "analyzer/detect/": ["analyzer/detect/", "analyzer/event/", "analyzer/flow/", "analyzer/tcp/",
                         "analyzer/base/", "analyzer/config.h", "dissect/dissect.h"],
    "analyzer/source/": ["analyzer/source/", "analyzer/base/"],
    "analyzer/sink/": ["analyzer/sink/", "analyzer/event/", "analyzer/flow/", "analyzer/base/",
                       "analyzer/tcp/names.h"],
    "analyzer/intake/": ["analyzer/intake/", "analyzer/base/", "analyzer/config.h",
                         "dissect/dissect.h"],
    "analyzer/host/": ["analyzer/host/", "analyzer/event/", "analyzer/base/", "analyzer/config.h",
                       "analyzer/tcp/names.h"],
    "analyzer/path/": ["analyzer/path/", "analyzer/event/", "analyzer/base/", "analyzer/config.h",
                       "analyzer/flow/key.h", "analyzer/tcp/names.h", "analyzer/tcp/rtt.h",
                       "dissect/dissect.h"],
    # A shard is a whole analyzer: it may know the engine as the engine knows itself.
    "analyzer/shard/": ["analyzer/shard/", "analyzer/*.h", "analyzer/base/", "analyzer/event/",
                        "analyzer/flow/", "dissect/dissect.h"],
    # The engine joins the rooms; outputs and inputs it knows as values only.
    "analyzer/": ["analyzer/*.h", "analyzer/*.def", "analyzer/base/", "analyzer/event/",
                  "analyzer/tcp/", "analyzer/flow/", "analyzer/detect/", "analyzer/intake/",
                  "analyzer/host/", "analyzer/path/", "analyzer/shard/",
                  "dissect/dissect.h"],
    "analyzer/analyzer.h": ["analyzer/base/", "analyzer/event/", "analyzer/config.h"],
    "doc/": ["analyzer/*.h", "analyzer/event/"],
}

# The program knows the public headers only, and its own files.
PROGRAM = ["main", "analysis", "board_readers", "board_server", "board_server_none", "chain", "exit_status",
           "feed", "guard", "http_answer", "http_guests", "idle", "input_places", "input_report", "input_title",
           "interrupt", "listener", "live_board", "live_view", "memory_plan", "merge", "messages", "nearest", "option_apply",
           "option_inputs", "option_outputs", "option_table", "option_takers", "options",
           "options_check", "analysis_packets", "analysis_parts", "analysis_read", "destination",
           "file_place", "outputs", "outputs_forward", "outputs_parts", "terminal",
           "problem_packets", "progress", "reference", "tunables", "upkeep", "values", "live_file",
           "renamed_files",
           "privileges", "sandbox", "screen", "screen_curses", "screen_none", "service",
           "page_file", "page_output", "page_server", "kafka_output", "kafka_sender", "kafka_main",
           "tap_set"]
MAY_INCLUDE.update({
    "analyzer/%s." % name:
        ["analyzer/%s.h" % file for file in PROGRAM] +
        ["analyzer/options.def", "analyzer/chain_state.def", "analyzer/analyzer.h",
         "analyzer/config.h", "analyzer/base/",
         "analyzer/event/", "analyzer/source/source.h", "analyzer/sink/sinks.h",
         "analyzer/sink/schema.h", "analyzer/sink/pieces.h", "analyzer/sink/settings.h",
         "analyzer/sink/board.h", "analyzer/sink/top.h", "analyzer/sink/chosen.h",
         "analyzer/source/file_set.h", "analyzer/source/pcapng_writer.h",
         "analyzer/source/spool.h", "analyzer/source/clock.h", "analyzer/config.def"]
    for name in PROGRAM})

# Libraries that one folder alone may know.
ONLY_IN = {
    "pcap.h": "analyzer/source/",
    "pcap/": "analyzer/source/",
    "json-c/": "analyzer/sink/",
    "curses.h": "analyzer/screen_curses.c",
    "json.h": "analyzer/sink/",
    "microhttpd.h": ("analyzer/page_server.", "analyzer/board_server.", "analyzer/board_readers.",
                     "analyzer/http_answer.", "analyzer/http_guests."),
    "librdkafka/": "analyzer/kafka_sender.",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def row_of(path):
    return max((row for row in MAY_INCLUDE if path.startswith(row)), key=len)


def allows(rule, target):
    if rule.endswith("/"):
        return target.startswith(rule)
    if "*" in rule:
        folder, name = rule.split("*")
        return target.startswith(folder) and "/" not in target[len(folder):] and \
            target.endswith(name)
    return target == rule


def faults_of(path, text):
    """What is wrong with the includes of one file, a line each."""
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        where = "%s:%d includes %s" % (path, number, match.group(2))
        if match.group(1) == "<":
            for library, folder in ONLY_IN.items():
                if match.group(2).startswith(library) and not path.startswith(folder):
                    faults.append("%s, which belongs to %s" % (where, folder))
            continue
        target = os.path.normpath(os.path.join(os.path.dirname(path), match.group(2)))
        if not any(allows(rule, target) for rule in MAY_INCLUDE[row_of(path)]):
            faults.append("%s (%s), beyond its layer" % (where, target))
    return faults


def sources(top):
    for folder in ("dissect", "analyzer", "doc"):
        for directory, _, names in os.walk(os.path.join(top, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".def")):
                    yield os.path.relpath(os.path.join(directory, name), top)


def main():
    top = os.environ.get("TOP_SRCDIR", ".")
    tap = Tap()
    # The check itself: what it must refuse, and what it must let pass.
    tap.ok(faults_of("dissect/tcp.c", '#include "../analyzer/flow/table.h"'),
           "dissect including analyzer would be noticed")
    tap.ok(faults_of("analyzer/flow/table.c", "#include <pcap/pcap.h>"),
           "pcap.h outside source would be noticed")
    tap.ok(faults_of("analyzer/main.c", '#include "flow/table.h"'),
           "main.c including a room would be noticed")
    tap.ok(not faults_of("analyzer/tcp/fsm.c", '#include "../base/seq.h"\n#include <stdint.h>'),
           "tcp including base is let pass")
    faults = {row: [] for row in MAY_INCLUDE}
    for path in sources(top):
        with open(os.path.join(top, path), encoding="utf-8") as file:
            faults[row_of(path)] += faults_of(path, file.read())
    program = sum((faults.pop("analyzer/%s." % name) for name in PROGRAM), [])
    tap.ok(not program, "the program keeps to its layer", *program)
    for row, found in faults.items():
        tap.ok(not found, row + " keeps to its layer", *found)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
