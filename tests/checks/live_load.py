#!/usr/bin/env python3
"""Live capture under load, on a pair of veth interfaces: nothing is lost that could be kept, and
what is lost is said.

LASTACK_LOAD_SECONDS and LASTACK_LOAD_RATE make the sustained load longer and heavier, and
LASTACK_LOAD_SAVED the one that is also saved to a file (make load: ten minutes, 300,000 packets a
second, half a minute).  LASTACK_LOAD_OPTIONS are given to lastack in both.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from livelab import BUILD, LASTACK, Live, enter
from tap import Tap

FLOOD = os.path.join(BUILD, "tests", "tools", "flood")
SECONDS = int(os.environ.get("LASTACK_LOAD_SECONDS", "6"))
RATE = int(os.environ.get("LASTACK_LOAD_RATE", "60000"))
SAVED = int(os.environ.get("LASTACK_LOAD_SAVED", "2"))
OPTIONS = os.environ.get("LASTACK_LOAD_OPTIONS", "").split()
MINUTE = 60
PACKETS, EXCHANGES = 64, 29 # of a connection that is not short


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


def start_flood(packets, rate, exchanges=1):
    return subprocess.Popen([FLOOD, "flood0", str(packets), str(rate), "100", str(exchanges)],
                            stdout=subprocess.PIPE, text=True)


def end_flood(process):
    output, _ = process.communicate(timeout=SECONDS * 3 + 60)
    return int(output.split()[0]), float(output.split()[1])


def flood(packets, rate):
    return end_flood(start_flood(packets, rate))


def resident(live):
    """Memory of the process in KiB, now and at most."""
    status = live.status()
    return [int(re.match(r"\s*(\d+)", status[name]).group(1)) for name in ("VmRSS", "VmHWM")]


def cpu_seconds(live):
    with open("/proc/%d/stat" % live.process.pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(live, sender):
    """The resident memory in KiB, once a second while the sender sends."""
    seen = []
    while sender.poll() is None:
        seen.append(resident(live)[0])
        time.sleep(1)
    return seen


def note(text, *values):
    print("# " + text % values)


def check_sustained(tap):
    """Connections end as fast as they begin; of a long load, after half of the first minute."""
    is_long = SECONDS > 2 * MINUTE
    exchanges, packets, msl = (EXCHANGES, PACKETS, 15) if is_long else (1, 8, 1)
    live = Live("-i", "flood1", "--flows", "none", "--stats-interval", "1", "--msl", str(msl),
                *(OPTIONS or ["--threads", "2"]), sockets=1)
    sender = start_flood(SECONDS * RATE, RATE, exchanges)
    memory = watch(live, sender)
    sent, took = end_flood(sender)
    time.sleep(0.6)
    used_cpu = cpu_seconds(live)
    stats = [r["lastack"] for r in live.records("stats")]
    status = live.end()
    capture = live.records("summary")[0]["lastack"]["capture"]
    rate = sent / took
    tap.ok(status == 0 and capture["packets"] == capture["segments"] == sent,
           "%d packets sent in %.1f s are %d analysed" % (sent, took, sent), capture)
    tap.ok(capture["drops"]["kernel"] == 0, "none was dropped", capture["drops"])
    note("%.0f packets a second, %.0f were asked for; %.2f of a processor", rate, RATE,
         used_cpu / took)
    if is_long:
        tap.ok(rate > 0.99 * RATE, "at the rate that was asked for", "%.0f a second" % rate)
    flows = live.records("summary")[0]["lastack"]["summary"]["flows"]
    tap.ok(flows["total"] == flows["by_close"]["orderly"] == (sent + packets - 1) // packets,
           "every connection is closed in order", flows)
    used = [s["memory"]["used"] for s in stats if s["packets"] > 0]
    half = used[len(used) // 2:]
    tap.ok(len(used) >= 4 and max(half) < 1.6 * half[0],
           "memory stays the same once connections end as fast as they begin", used)
    if is_long:
        later = memory[MINUTE:]
        note("resident memory: %d MiB after a minute, then %d to %d MiB", later[0] >> 10,
             min(later) >> 10, max(later) >> 10)
        tap.ok(max(later) <= 1.05 * later[0] + 1024, "and is flat after the first minute",
               later[::MINUTE])
    wrong = {e["event"]["action"] for e in live.records("event") if e["event"]["severity"] > 1}
    load = {"connection_churn", "tw_accumulation", "port_exhaustion_suspected"}
    tap.ok(wrong <= load, "and nothing is found wrong but that there are so many", wrong)
    shutil.rmtree(live.folder)


def told(path):
    """What is said of every connection but for times, which each socket takes for itself."""
    flows = {}
    with open(path) as lines:
        for line in lines:
            if '"dataset":"lastack.flow"' not in line:
                continue
            flow = json.loads(line)
            ours = flow["lastack"]
            histories = [(e["state"], e["fact"], e["basis"], e["packet"], e["proof"])
                         for side in ("client", "server") for e in ours[side]["history"]]
            said = (flow["network"]["packets"], flow["network"]["bytes"], ours["close"]["kind"],
                    ours["close"]["initiator"], ours["zeek"]["history"], ours["caveats"],
                    ours["events"], histories)
            ends = (flow["source"]["ip"], flow["source"]["port"], ours["incarnation"])
            flows[ends] = hash(json.dumps(said))
    return flows


def check_saved(tap):
    """The same packets, saved by tcpdump and read offline."""
    live = Live("-i", "flood1", *OPTIONS)
    saved = os.path.join(live.folder, "saved.pcap")
    tcpdump = subprocess.Popen(["tcpdump", "-i", "flood1", "-Z", "root", "-B", "131072", "-w",
                                saved], stderr=subprocess.PIPE, text=True)
    tcpdump.stderr.readline() # it listens
    time.sleep(0.5)
    sent, took = end_flood(start_flood(SAVED * RATE, RATE, EXCHANGES))
    time.sleep(1.5)
    tcpdump.send_signal(signal.SIGINT)
    said = tcpdump.communicate(timeout=60)[1]
    live.end(seconds=120)
    offline = os.path.join(live.folder, "offline.ndjson")
    subprocess.run([LASTACK, "--ndjson=" + offline, saved], check=True)
    dropped = re.search(r"(\d+) packets dropped by kernel", said)
    capture = live.records("summary")[0]["lastack"]["capture"]
    note("%d packets in %.1f s; tcpdump: %s", sent, took, " ".join(said.split("\n")))
    tap.ok(capture["packets"] == sent, "while tcpdump saves them, too, none is lost", capture)
    if dropped is None or int(dropped.group(1)) > 0:
        tap.skip("the same packets offline", "tcpdump itself lost some: %s" % said)
    else:
        flows = [told(path) for path in (live.path, offline)]
        tap.ok(flows[0] == flows[1] and len(flows[0]) == (sent + PACKETS - 1) // PACKETS,
               "%d connections, told alike live and of the saved packets" % len(flows[0]),
               [len(each) for each in flows],
               [ends for ends in flows[0] if flows[0][ends] != flows[1].get(ends)][:5])
    shutil.rmtree(live.folder)


def check_overload(tap, threads):
    """A small ring and a record for each packet: more than can be taken."""
    what = "overload of %d thread%s" % (threads, "s" if threads > 1 else "")
    live = Live("-i", "flood1", "-B", "256", "--segments", "all", "--threads", str(threads),
                sockets=threads)
    sent, _ = flood(120000, 0)
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
    check_saved(tap)
    check_overload(tap, 1)
    check_overload(tap, 4)
    check_killed(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
