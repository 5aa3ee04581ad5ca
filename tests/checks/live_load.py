#!/usr/bin/env python3
"""Live capture under load, on a pair of veth interfaces: nothing is lost that could be kept, and
what is lost is said.

LASTACK_LOAD_SECONDS and LASTACK_LOAD_RATE make the sustained load longer and heavier.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from livelab import BUILD, Live, enter
from tap import Tap

FLOOD = os.path.join(BUILD, "tests", "tools", "flood")
SECONDS = int(os.environ.get("LASTACK_LOAD_SECONDS", "6"))
RATE = int(os.environ.get("LASTACK_LOAD_RATE", "60000"))


def pair():
    made = subprocess.run(["ip", "link", "add", "flood0", "type", "veth", "peer", "name", "flood1"],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return made.stderr.strip()
    for name in ("flood0", "flood1"):
        with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % name, "w") as switch:
            switch.write("1")
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
    time.sleep(0.3)
    return None


def flood(packets, rate):
    result = subprocess.run([FLOOD, "flood0", str(packets), str(rate)], capture_output=True,
                            text=True, timeout=SECONDS * 3 + 60, check=True)
    return int(result.stdout.split()[0]), float(result.stdout.split()[1])


def resident(live):
    """Memory of the process in KiB, now and at most."""
    status = live.status()
    return [int(re.match(r"\s*(\d+)", status[name]).group(1)) for name in ("VmRSS", "VmHWM")]


def check_sustained(tap):
    live = Live("-i", "flood1", "--flows", "none", "--stats-interval", "1", "--msl", "1",
                "--threads", "2")
    sent, took = flood(SECONDS * RATE, RATE)
    time.sleep(0.6)
    stats = [r["lastack"] for r in live.records("stats")]
    status = live.end()
    capture = live.records("summary")[0]["lastack"]["capture"]
    tap.ok(status == 0 and capture["packets"] == capture["segments"] == sent,
           "%d packets sent in %.1f s are %d analysed" % (sent, took, sent), capture)
    tap.ok(capture["drops"]["kernel"] == 0, "none was dropped", capture["drops"])
    flows = live.records("summary")[0]["lastack"]["summary"]["flows"]
    tap.ok(flows["total"] == flows["by_close"]["orderly"] == (sent + 7) // 8,
           "every connection is closed in order", flows)
    used = [s["memory"]["used"] for s in stats if s["packets"] > 0]
    half = used[len(used) // 2:]
    tap.ok(len(used) >= 4 and max(half) < 1.6 * half[0],
           "memory stays the same once connections end as fast as they begin", used)
    wrong = {e["event"]["action"] for e in live.records("event") if e["event"]["severity"] > 1}
    load = {"connection_churn", "tw_accumulation", "port_exhaustion_suspected"}
    tap.ok(wrong <= load, "and nothing is found wrong but that there are so many", wrong)
    shutil.rmtree(live.folder)


def check_overload(tap, threads):
    """A small ring and a record for each packet: more than can be taken."""
    what = "overload of %d thread%s" % (threads, "s" if threads > 1 else "")
    live = Live("-i", "flood1", "-B", "256", "--segments", "all", "--threads", str(threads),
                sockets=threads)
    sent, _ = flood(250000, 0)
    time.sleep(0.3)
    before = resident(live)
    began = time.monotonic()
    status = live.end()
    took = time.monotonic() - began
    summary = live.records("summary")
    capture = summary[0]["lastack"]["capture"] if summary else {}
    drops = capture.get("drops") or {}
    tap.ok(status == 0 and took < 10, what + ": the report still comes", "%.1f s" % took, live.said)
    tap.ok(drops.get("kernel", 0) > 0 and drops["received"] == sent and
           capture["packets"] + drops["kernel"] == sent,
           what + ": every packet that is not analysed is counted", capture)
    flows = live.records("flow")
    marked = sum("capture_drop" in f["lastack"]["caveats"] for f in flows)
    hurt = [f for f in flows if f["network"]["packets"] < 8]
    unmarked = [f for f in hurt if "capture_drop" not in f["lastack"]["caveats"]]
    tap.ok(marked > 0 and len(unmarked) * 20 <= len(hurt),
           what + ": connections that it hurts say so",
           "%d flows, %d hurt, %d of these unmarked" % (len(flows), len(hurt), len(unmarked)))
    certain = [e["event"]["action"] for e in live.records("event")
               if "capture_drop" in e["lastack"]["caveats"] and
               e["lastack"]["confidence"] == "certain"]
    tap.ok(not certain, what + ": nothing about those is certain", certain[:10])
    tap.ok(before[1] < 400 * 1024, what + ": memory stays bounded", before)
    shutil.rmtree(live.folder)


def broken_lines(path):
    """How many lines are no JSON, the last one aside, and whether that one is cut."""
    broken = 0
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    for line in lines[:-1]:
        try:
            json.loads(line)
        except ValueError:
            broken += 1
    return len(lines) - 1, broken, lines[-1] != b""


def check_killed(tap):
    """Killed amid writing; the file goes on with the next start."""
    live = Live("-i", "flood1", "--segments", "all")
    sender = subprocess.Popen([FLOOD, "flood0", "200000", "100000"], stdout=subprocess.DEVNULL)
    time.sleep(1)
    live.end(signal.SIGKILL)
    sender.wait(timeout=60)
    before, broken, cut = broken_lines(live.path)
    tap.ok(before > 1000 and broken == 0, "killed amid writing: at most the last line is cut",
           before, broken, cut)
    again = Live("-i", "flood1", "--segments", "all", folder=live.folder)
    flood(800, 0)
    time.sleep(0.5)
    status = again.end()
    after, broken, unended = broken_lines(live.path)
    tap.ok(status == 0 and broken == cut and not unended and after - before >= 901 + cut,
           "a new start begins a line of its own behind it", before, after, broken, cut)
    shutil.rmtree(live.folder)


def main():
    if os.environ.get("LASTACK_SANITIZED"):
        print("1..0 # SKIP loads are for a program without instrumentation")
        return 0
    enter()
    tap = Tap()
    problem = pair()
    if problem:
        print("1..0 # SKIP no pair of interfaces can be made here: %s" % problem)
        return 0
    check_sustained(tap)
    check_overload(tap, 1)
    check_overload(tap, 4)
    check_killed(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
