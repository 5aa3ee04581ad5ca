#!/usr/bin/env python3
"""Ladders show what the segment records say, in the form of the golden files.

ladder.py --accept writes the golden files (tests/checks/ladders/) anew; read them before keeping
them.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from tap import Tap

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.path.abspath(os.environ.get("TOP_BUILDDIR", "."))
LASTACK = os.path.abspath(os.environ.get("LASTACK", os.path.join(BUILD, "lastack")))
GOLDEN = os.path.join(TOP, "tests", "checks", "ladders")
SVG = "{http://www.w3.org/2000/svg}"

# Scripts, and the width of each look at them; 200 columns are drawn in UTF-8, 80 in ASCII.
SCRIPTS = {
    "syn-reset-in-last-ack": "tests/checks/ladders/syn-reset-in-last-ack.seg",
    "collision-challenged": "tests/checks/ladders/collision-challenged.seg",
    "stray-delivered": "tests/checks/ladders/stray-delivered.seg",
    "final-ack-lost": "tests/cases/close/final-ack-lost-before-tap.seg",
    "ipv6": "tests/cases/close/ipv6.seg",
    "time-wait-over": "tests/cases/reuse/after-2msl.seg",
}
LOOKS = {80: "C", 200: "C.UTF-8"}


def run(arguments, columns=80, locale="C"):
    environment = dict(os.environ, LC_ALL=locale, COLUMNS=str(columns), TERM="xterm")
    return subprocess.run([LASTACK] + arguments, capture_output=True, text=True, check=False,
                          encoding="utf-8", env=environment)


def golden_name(name, columns):
    return os.path.join(GOLDEN, "%s.%d.txt" % (name, columns))


def compile_script(name, folder):
    capture = os.path.join(folder, name + ".pcap")
    subprocess.run([sys.executable, os.path.join(TOP, "tests", "tools", "seg2pcap.py"),
                    os.path.join(TOP, SCRIPTS[name]), capture], check=True, capture_output=True)
    return capture


def segments_of(capture, uids):
    records = run(["--ndjson", "--segments", "all", capture]).stdout.splitlines()
    records = [json.loads(line) for line in records]
    return [r["lastack"] for r in records if r["event"]["dataset"] == "lastack.segment" and
            r["lastack"]["flow_uid"] in uids]


def rows_of(text):
    """Packet number -> (left state, right state) of every arrow."""
    row = r"^ *(\d+) +[\d.]+ +(~?[A-Z_0-9]+\??~?) \|.*\| (~?[A-Z_0-9]+\??~?)$"
    return {int(m[1]): (m[2], m[3]) for m in re.finditer(row, text, re.M)}


def state_name(state):
    return re.sub("[~?]", "", state)


def check_states(tap, name, text, segments):
    rows = rows_of(text)
    folded = sum(int(n) for n in re.findall(r"(\d+) quiet segments", text))
    tap.ok(len(rows) + folded == len(segments), name + ": an arrow a packet, or folded")
    wrong = [s["packet"] for s in segments if s["packet"] in rows and
             tuple(map(state_name, rows[s["packet"]])) !=
             (s["client"]["state"], s["server"]["state"])]
    tap.ok(not wrong, name + ": the states are those of the records", wrong)


def check_svg(tap, name, capture, folder, text):
    svg = os.path.join(folder, name + ".svg")
    done = run(["--json=" + os.devnull, "--svg=" + svg, "--flow", "1", capture])
    tap.ok(done.returncode == 0, name + ": an SVG is written", done.stderr)
    root = xml.etree.ElementTree.parse(svg).getroot()
    tap.ok(len(root.findall(SVG + "path")) == len(rows_of(text)), name + ": as many arrows in it")
    texts = [element.text for element in root.iter(SVG + "text")]
    states = [state for pair in rows_of(text).values() for state in pair]
    drawn = [t for t in texts if t and re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)*\??", t)]
    tap.ok([s.replace("~", "") for s in states] == drawn, name + ": and the same states")


def check_choices(tap, capture):
    """The ways to name a connection lead to the same ladder."""
    by_number = run(["ladder", "--flow", "1", capture])
    ends = re.match(r"1: (\S+) \(left\) and (\S+) \(right\)", by_number.stdout)
    for form in ("%s-%s" % ends.groups(), "%s-%s" % ends.groups()[::-1]):
        tap.ok(run(["ladder", capture, "--flow", form]).stdout == by_number.stdout,
               "by its ends: " + form)
    uid = re.findall(r"flow ([0-9a-f]{16})", by_number.stdout)[-1]
    tap.ok(rows_of(run(["ladder", capture, "--flow", uid]).stdout), "by its flow_uid")
    missing = run(["ladder", capture, "--flow", "3"])
    tap.ok("No such connection among the 2" in missing.stdout, "there is no third one")
    for wrong in (["ladder", capture, "--flow", "0"], ["ladder", capture, "--flow", "1.2.3.4:5"],
                  ["--svg=" + os.devnull, capture], ["--flow", "1", capture], ["ladder"]):
        tap.ok(run(wrong).returncode == 2, "refused: " + " ".join(wrong[:-1] or wrong))


def check_event(tap, capture):
    named = run(["ladder", capture, "--event", "syn_in_last_ack_rst"]).stdout
    tap.ok("syn_in_last_ack_rst: " in named and "incarnation_collision" not in named,
           "--event marks that event's packets alone")
    tap.ok("No such connection" in
           run(["ladder", capture, "--event", "stray_accepted_hazard"]).stdout,
           "an event that did not happen draws nothing")


def check_sample(tap, name, folder):
    """The picture that the README shows."""
    svg = os.path.join(folder, "sample.svg")
    sample = os.path.join(TOP, "samples", name)
    run(["--json=" + os.devnull, "--svg=" + svg, "--flow", "1", sample + ".pcap"])
    if "--accept" in sys.argv:
        with open(svg, encoding="utf-8") as new, open(sample + ".svg", "w",
                                                      encoding="utf-8") as kept:
            kept.write(new.read())
    with open(svg, encoding="utf-8") as new, open(sample + ".svg", encoding="utf-8") as kept:
        tap.ok(new.read() == kept.read(), "samples/%s.svg is what lastack draws" % name)


def check_widths(tap, name, text, columns):
    widest = max(len(line) for line in text.splitlines())
    tap.ok(widest <= columns, "%s: fits %d columns" % (name, columns), widest)
    tap.ok("\x1b" not in text, name + ": no colour in a pipe")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        captures = {name: compile_script(name, folder) for name in SCRIPTS}
        for name, capture in captures.items():
            for columns, locale in LOOKS.items():
                text = run(["ladder", "--flow", "1", capture], columns, locale).stdout
                if "--accept" in sys.argv:
                    with open(golden_name(name, columns), "w", encoding="utf-8") as file:
                        file.write(text)
                with open(golden_name(name, columns), encoding="utf-8") as file:
                    tap.ok(file.read() == text, "%s: golden at %d columns" % (name, columns))
                check_widths(tap, name, text, columns)
            text = run(["ladder", "--flow", "1", capture]).stdout
            uids = re.findall(r"flow ([0-9a-f]{16})", text)
            check_states(tap, name, text, segments_of(capture, uids))
            check_svg(tap, name, capture, folder, text)
        check_choices(tap, captures["syn-reset-in-last-ack"])
        check_sample(tap, "syn-reset-in-last-ack", folder)
        check_event(tap, captures["syn-reset-in-last-ack"])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
