#!/usr/bin/env python3
"""All that lastack writes about the cases fits the schema that it prints."""
import os
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
TOOLS = os.path.join(TOP, "tests", "tools")
CASES = os.path.join(TOP, "tests", "cases")
SANITIZED = bool(os.environ.get("LASTACK_SANITIZED"))
SKIP = 77

# One list of arguments a round; the schema holds for all of them.
ROUNDS = (["--segments", "all", "--transitions"], ["--nano", "--observer", "tap", "--flows", "all"])


def tool(name, *arguments):
    return subprocess.run([sys.executable, os.path.join(TOOLS, name), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def topics():
    return sorted(name for name in os.listdir(CASES) if os.path.isdir(os.path.join(CASES, name)))


def write_outputs(folder, topic):
    """The outputs on every case of a topic, as file names; what went wrong, as lines."""
    outputs, faults = [], []
    for name in sorted(os.listdir(os.path.join(CASES, topic))):
        if not name.endswith(".seg"):
            continue
        stem = os.path.join(folder, "%s-%s" % (topic, name[:-4]))
        made = tool("seg2pcap.py", os.path.join(CASES, topic, name), stem + ".pcap")
        if made.returncode != 0:
            faults.append("%s: %s" % (name, made.stdout))
            continue
        for index, arguments in enumerate(ROUNDS):
            report, records = "%s.%d.json" % (stem, index), "%s.%d.ndjson" % (stem, index)
            run = subprocess.run([LASTACK, *arguments, "--json=" + report, "--ndjson=" + records,
                                  stem + ".pcap"], capture_output=True, text=True, check=False)
            if run.returncode != 0:
                faults.append("%s: exit status %d: %s" % (name, run.returncode, run.stderr))
            outputs += [report, records]
    return outputs + write_together(folder, topic, faults), faults


def write_together(folder, topic, faults):
    """The outputs on all captures of a topic at once: packets are named by file, too."""
    captures = sorted(os.path.join(folder, name) for name in os.listdir(folder)
                      if name.startswith(topic + "-") and name.endswith(".pcap"))
    report, records = (os.path.join(folder, topic + ending) for ending in (".json", ".ndjson"))
    run = subprocess.run([LASTACK, *ROUNDS[0], "--json=" + report, "--ndjson=" + records, *captures],
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        faults.append("%s together: exit status %d: %s" % (topic, run.returncode, run.stderr))
    return [report, records]


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        schema = os.path.join(folder, "schema.json")
        with open(schema, "w", encoding="utf-8") as file:
            subprocess.run([LASTACK, "--schema"], stdout=file, check=True)
        wrong = os.path.join(folder, "wrong.ndjson")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write('{"event":{"dataset":"lastack.flow"}}\n')
        result = tool("validate-schema.py", schema, wrong)
        if result.returncode == SKIP:
            print("1..0 # SKIP " + result.stdout.strip())
            return 0
        tap.ok(result.returncode == 1, "a record without its members is refused", result.stdout)
        for topic in topics():
            outputs, faults = write_outputs(folder, topic)
            if SANITIZED:  # the runs are of interest; what they write, the ordinary build writes
                outputs = outputs[::10]
            result = tool("validate-schema.py", schema, *outputs)
            tap.ok(outputs and not faults and result.returncode == 0,
                   "%s: %d outputs fit the schema" % (topic, len(outputs)), *faults,
                   result.stdout[:4000])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
