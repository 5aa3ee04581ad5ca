#!/usr/bin/env python3
"""run: how long lastack takes, and how much memory, as a multiple of a bare counting pcap_loop.

usage: run.py [options] [WORKLOAD | CAPTURE]...

Without words: short and single; "all" are all workloads, with that of 2 million open connections
(crowd) and one of copies of a real capture (replica).  GENERATE, REPLICATE, COUNT and LASTACK name
the programs (default: those of the build in the current directory).  A workload's capture is generated first, with the amounts
given; every capture is read once to have it in memory.  Then the programs run in turn, round after
round, so that what else the machine does falls on all of them; the table shows medians.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

GENERATE = os.environ.get("GENERATE", "tests/bench/generate")
COUNT = os.environ.get("COUNT", "tests/bench/count")
LASTACK = os.environ.get("LASTACK", "./lastack")
REPLICATE = os.environ.get("REPLICATE", "tests/bench/replicate")
SAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "samples")
AMOUNTS = ("connections", "live", "span", "packets", "payload", "snaplen", "reuse", "seed")
ALL = ("short", "tail", "headers", "mixed", "bulk", "single", "flood", "crowd", "replica")

# Workloads that are another one with amounts of its own, or copies of a real capture.
VARIANTS = {
    "crowd": ["--connections=2500000", "--live=2000000", "--span=100", "short"],
    "replica": [os.path.join(SAMPLES, "time-wait-reopened.pcap")],
}

# What is compared: name, command; {capture} and {scratch} are filled in.
OURS = (
    ("count", [COUNT, "{capture}"]),
    ("lastack to /dev/null", [LASTACK, "-q", "--ndjson=/dev/null", "{capture}"]),
    ("lastack to a file", [LASTACK, "-q", "--ndjson={scratch}/out.ndjson", "{capture}"]),
    ("lastack's report", [LASTACK, "-q", "--json=/dev/null", "{capture}"]),
)
PEERS = (
    ("tshark", ["tshark", "-q", "-z", "conv,tcp", "-r", "{capture}"]),
    ("tcptrace", ["tcptrace", "-n", "-l", "{capture}"]),
    ("argus", ["argus", "-X", "-r", "{capture}", "-w", "/dev/null"]),
)


class Failure(Exception):
    """A program did not do what the measurement needs."""


def main():
    options = read_arguments()
    with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
        try:
            for name in ALL if options.names == ["all"] else options.names:
                measure(name, options, scratch)
        except Failure as failure:
            print(f"run.py: {failure}", file=sys.stderr)
            return 1
    return 0


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=["short", "single"],
                        metavar="WORKLOAD|CAPTURE")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs")
    parser.add_argument("--peers", action="store_true",
                        help="also tshark, tcptrace and argus, those that are installed")
    parser.add_argument("--directory", help="where captures are made; some GiB of room")
    for amount in AMOUNTS:
        parser.add_argument(f"--{amount}", type=int, help="as generate has it")
    return parser.parse_args()


def measure(name, options, scratch):
    capture = name
    made = {}
    if not os.path.exists(name):
        capture = os.path.join(scratch, "capture.pcap")
        made = generate(name, options, capture)
        print(" ".join(f"{key}={value}" for key, value in made.items()))
    warm(capture)
    programs = [p for p in OURS + (PEERS if options.peers else ()) if shutil.which(p[1][0])]
    if len(programs) < len(OURS):
        raise Failure(f"{COUNT} or {LASTACK} is not there; build them or set COUNT and LASTACK")
    runs = {title: [] for title, _ in programs}
    for _ in range(options.rounds):
        for title, command in programs:
            runs[title].append(run(command, capture, scratch))
    print_table(runs, made)
    check_answer(os.path.join(scratch, "out.ndjson"), made)


def generate(workload, options, capture):
    amounts = [f"--{a}={getattr(options, a)}" for a in AMOUNTS if getattr(options, a) is not None]
    program = REPLICATE if workload == "replica" else GENERATE
    words = VARIANTS.get(workload, [workload])
    if workload == "replica":
        amounts = [f"--seed={options.seed}"] if options.seed is not None else []
    elif len(words) > 1:
        words, amounts = words[-1:], words[:-1] + amounts
    done = subprocess.run([program, *amounts, *words, capture], stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{program} {workload}: {done.stderr.strip()}")
    return {k: v if k == "workload" else int(v)
            for k, v in re.findall(r"(\w+)=(\S+)", done.stderr)}


def warm(capture):
    with open(capture, "rb") as file:
        while file.read(1 << 20):
            pass


def run(command, capture, scratch):
    """Seconds on the wall, seconds of processor time, and peak KiB of one run."""
    words = [word.format(capture=capture, scratch=scratch) for word in command]
    peaks = []
    begun = time.monotonic()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watch = threading.Thread(target=watch_memory, args=(child.pid, peaks))
    watch.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begun
    watch.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Failure(f"{' '.join(words)}: exit status {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, max(peaks, default=usage.ru_maxrss)


def watch_memory(pid, peaks):
    """Notes VmHWM until the process ends: ru_maxrss of a child begins at its parent's size."""
    while True:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                found = re.search(r"VmHWM:\s+(\d+)", file.read())
        except OSError:
            return
        if not found:
            return
        peaks.append(int(found[1]))
        time.sleep(0.02)


def print_table(runs, made):
    middle = {title: [statistics.median(column) for column in zip(*rows)]
              for title, rows in runs.items()}
    base_wall, base_processor, _ = middle["count"]
    print(f"{'':22}{'wall s':>9}{'spread':>8}{'times':>8}{'cpu s':>9}{'times':>8}{'peak MiB':>10}"
          f"{'octets/live':>13}")
    for title, (wall, processor, peak) in middle.items():
        walls = [row[0] for row in runs[title]]
        spread = (max(walls) - min(walls)) / wall
        live = f"{peak * 1024 / made['live']:13.0f}" if made.get("live", 0) > 1 else f"{'':13}"
        print(f"{title:22}{wall:9.2f}{spread:8.0%}{wall / base_wall:8.2f}{processor:9.2f}"
              f"{processor / base_processor:8.2f}{peak / 1024:10.1f}{live}")


def check_answer(path, made):
    """The flows found, against those generated, from the last line of the records."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - (1 << 20)))
        record = json.loads(file.read().splitlines()[-1])
    found = record["lastack"]["summary"]["flows"]["total"]
    packets = record["lastack"]["capture"]["packets"]
    print(f"flows found {found}, generated {made.get('connections', 'unknown')}; "
          f"packets {packets}, generated {made.get('packets', 'unknown')}\n")
    if made and (found, packets) != (made["connections"], made["packets"]):
        raise Failure("lastack did not find what was generated")


if __name__ == "__main__":
    sys.exit(main())
