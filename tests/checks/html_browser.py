#!/usr/bin/env python3
"""The HTML page of each sample, and of hostile names, read in a browser from disk."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from html_page import CLOSING, HOSTILE, NAMES, SAMPLE, SAMPLES, TOP, packets_of, pcapng, report_of
from tap import Tap

READER = os.path.join(TOP, "tests", "checks", "html_reader.js")
MODULES = os.path.join(TOP, "build-npm", "node_modules")
SIDES = ("client", "server")
# Histories that samples have not: revoked states, IPv6, a capture that begins in the middle.
CASES = ("reuse/last-ack-answers-with-reset-in-the-old-numbers", "close/ipv6",
         "midstream/begins-with-the-first-fin")


def environment():
    paths = [path for path in (os.environ.get("NODE_PATH"), MODULES) if path]
    return {**os.environ, "NODE_PATH": ":".join(paths)}


def why_no_browser(node, browser):
    if not node or not browser:
        return "node or chromium is not installed"
    found = subprocess.run([node, "-e", "require('playwright-core')"], capture_output=True,
                           check=False, env=environment())
    return "" if found.returncode == 0 else "playwright-core is not here: .ci/install-node fetches it"


def states_of(flow, side, revoked):
    return [entry["state"] for entry in flow["lastack"][side]["history"]
            if revoked is None or entry["revoked"] == revoked]


def lanes_of(connection):
    """The states that were drawn, lane by lane, without what stands before the first packet."""
    tops = sorted({float(y) for y, _, _ in connection["lanes"]})
    return [[state for y, state, _ in connection["lanes"] if float(y) == top][1:] for top in tops]


def check_connections(tap, name, read, report, segments):
    flows = {flow["lastack"]["flow_uid"]: flow for flow in report["flows"]}
    named = {graph["uid"]: {note[0] for note in graph["notes"]} for graph in segments["connections"]}
    wrong = []
    for connection in read["connections"]:
        flow = flows[connection["uid"]]
        drawn = [states_of(flow, side, False) for side in SIDES]
        listed = [states_of(flow, side, None) for side in SIDES]
        struck = [state for side in SIDES for state in states_of(flow, side, True)]
        if (connection["lists"] != listed or lanes_of(connection) != drawn or
                connection["revoked"] != struck):
            wrong.append("states of " + connection["uid"])
        if set(connection["marks"]) != named[connection["uid"]]:
            wrong.append("marks of %s: %s" % (connection["uid"], connection["marks"]))
        if connection["graphs"] < 1 or flow["source"]["ip"] not in connection["filter"]:
            wrong.append("graphs or filter of " + connection["uid"])
    tap.ok(len(read["connections"]) == len(flows) and not wrong,
           name + ": lines open to the states of the history, marks and graphs", *wrong)
    tap.ok(read["closed"] == 0, name + ": and close again")


def check_table(tap, name, read, report):
    flows = report["flows"]
    packets = sorted(flow["network"]["packets"] for flow in flows)
    tap.ok(read["lines"] == len(packets) and read["up"] == packets and
           read["down"] == packets[::-1] and read["sortedAs"] == "ascending",
           name + ": the table sorts", read["up"], read["down"])
    kinds = [flow["lastack"]["close"]["kind"] for flow in flows]
    problems = {problem["id"] for problem in report["problems"]}
    troubled = [flow for flow in flows if problems & set(flow["lastack"]["events"])]
    tap.ok(read["kinds"] == {kind: kinds.count(kind) for kind in kinds} and
           read["withProblems"] == len(troubled), name + ": and filters", read["kinds"])
    tap.ok(read["found"] == 0, name + ": what is not found is not shown")


def check_problems(tap, name, read, report, text):
    tap.ok(read["problems"] == len(report["problems"]), name + ": every problem")
    if report["problems"]:
        tap.ok(read["hidden"] and read["shown"], name + ": the keyboard opens one to its ladder")
    tap.ok(read.get("arrows", 0) == text.count('class="h"/>') + text.count('class="k"/>'),
           name + ": with all its arrows")


def check_dwell(tap, name, read, report):
    times = report["summary"]["dwell_times"]
    counts = {state: times[state]["count"] for state in times if times[state]["count"] > 0}
    tap.ok(dict(read["dots"]) == counts, name + ": a dot for each stay that the report counts",
           read["dots"], counts)


def check_looks(tap, name, read, uplot):
    tap.ok(not read["wide"], name + ": nothing is wider than the screen", read["wide"])
    tap.ok(not read["nameless"], name + ": all that is used has a name", *read["nameless"])
    own, light, dark, again, screen = read["papers"]
    tap.ok(own == light == again and dark != light and screen == dark,
           name + ": light, dark, and as the screen", read["papers"])
    tap.ok(read["pdf"] > 1000 and read["printed"] == read["problems"] and read["controls"] == 0,
           name + ": paper has every problem open, and nothing to press", read["controls"])
    tap.ok("client" in read["paperHead"] and "more" not in read["paperHead"],
           name + ": the table keeps its head", read["paperHead"])
    tap.ok(read["paperCanvases"] == 0 and read["paperPlots"] > 0,
           name + ": and its graphs are SVG" + ("" if uplot else ", as on the screen"))


def check_quiet(tap, name, read, url):
    tap.ok(read["requests"] == [url], name + ": nothing but the page is asked for",
           read["requests"])
    tap.ok(not read["messages"] and read["dialogs"] == 0, name + ": no message, no dialog",
           *read["messages"])
    tap.ok(read["foreign"] == 0, name + ": no element that could load or run anything")


def data_of(text, name):
    return json.loads(text.split('id="%s">' % name, 1)[1].split("</script>", 1)[0])


def make_pages(folder):
    """Name of a check -> capture."""
    names = [SAMPLE] if os.environ.get("LASTACK_SANITIZED") else NAMES  # the browser is not
    captures = {name: os.path.join(SAMPLES, name + ".pcap") for name in names}
    for case in CASES:
        captures[case] = os.path.join(folder, os.path.basename(case) + ".pcap")
        subprocess.run([sys.executable, os.path.join(TOP, "tests", "tools", "seg2pcap.py"),
                        os.path.join(TOP, "tests", "cases", case + ".seg"), captures[case]],
                       check=True, capture_output=True)
    captures["a hostile file name"] = os.path.join(folder, HOSTILE)
    shutil.copy(captures[SAMPLE], captures["a hostile file name"])
    captures["a hostile interface name"] = os.path.join(folder, "interface.pcapng")
    with open(captures["a hostile interface name"], "wb") as file:
        file.write(pcapng(packets_of(captures[SAMPLE]), CLOSING))
    pages = {}
    for number, (name, capture) in enumerate(captures.items()):
        pages[name] = os.path.join(folder, "page-%d.html" % number)
        report_of("--html=" + pages[name], capture)
    return pages


def check_pages(tap, pages, everything):
    for name, page in pages.items():
        url = "file://" + page
        with open(page, encoding="utf-8") as file:
            text = file.read()
        read, report = everything[url], data_of(text, "report")
        check_quiet(tap, name, read, url)
        check_table(tap, name, read, report)
        check_connections(tap, name, read, report, data_of(text, "segments"))
        check_problems(tap, name, read, report, text)
        check_dwell(tap, name, read, report)
        check_looks(tap, name, read, "uPlot's licence" in text)


def main():
    tap = Tap()
    node, browser = shutil.which("node"), shutil.which("chromium")
    reason = why_no_browser(node, browser)
    if reason:
        tap.skip("the page in a browser", reason)
        return tap.end()
    with tempfile.TemporaryDirectory() as folder:
        pages = make_pages(folder)
        done = subprocess.run([node, READER, browser] + ["file://" + p for p in pages.values()],
                              capture_output=True, text=True, check=False, timeout=1200,
                              env=environment())
        if tap.ok(done.returncode == 0, "a browser opens the pages", done.stderr):
            check_pages(tap, pages, json.loads(done.stdout))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
