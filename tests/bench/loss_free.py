#!/usr/bin/env python3
"""The highest rate at which nothing is lost live: lastack beside a bare libpcap counter.

Both capture on one end of a pair of veth interfaces in a namespace of their own, with a ring of the
same size, while a sender on the other end sends whole connections.  For each the highest rate
without a drop is found by halving an interval; the two take turns, and every round begins anew.
Printed are all rounds, their medians, and lastack's as a share of the counter's.  A rate that the
sender cannot reach is not a rate that was survived: then "at least" stands before it.

    loss_free.py [--seconds S] [--rounds N] [--buffer KIB] [--payload OCTETS] [--exchanges N]
                 [--options 'OPTIONS OF LASTACK']
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checks"))
from livelab import BUILD, LASTACK, enter, packet_sockets, until # noqa: E402

FLOOD = os.path.join(BUILD, "tests", "tools", "flood")
COUNT = os.path.join(BUILD, "tests", "bench", "count-live")
STEPS = 6 # halvings of the interval
REACHED = 0.97 # of the rate that was asked for


def make_pair():
    subprocess.run(["ip", "link", "add", "flood0", "type", "veth", "peer", "name", "flood1"],
                   check=True)
    for name in ("flood0", "flood1"):
        with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % name, "w") as switch:
            switch.write("1")
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
    time.sleep(0.3)


def start_counter(arguments, folder):
    process = subprocess.Popen([COUNT, "flood1", str(arguments.buffer)], stdout=subprocess.PIPE,
                               text=True)
    process.stdout.readline()
    return process


def start_lastack(arguments, folder):
    before = packet_sockets()
    os.chmod(folder, 0o777)
    process = subprocess.Popen(
        [LASTACK, "-i", "flood1", "-B", str(arguments.buffer), "--flows", "none", "--msl", "1",
         "--ndjson=" + os.path.join(folder, "records"), *arguments.options.split()],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until(lambda: packet_sockets() > before)
    time.sleep(0.4)
    return process


def counted(process, folder):
    """Packets taken, and packets dropped by the kernel."""
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    path = os.path.join(folder, "records")
    if not os.path.exists(path):
        taken, _, dropped = map(int, output.split())
        return taken, dropped
    with open(path) as lines:
        last = [line for line in lines if '"lastack.summary"' in line][-1]
    capture = json.loads(last)["lastack"]["capture"]
    return capture["packets"], capture["drops"]["kernel"]


def survives(start, arguments, rate):
    """Whether all was taken at a rate (0: as fast as the sender goes), and the rate it really was."""
    folder = tempfile.mkdtemp(prefix="lastack-rate-")
    process = start(arguments, folder)
    packets = int((rate or arguments.most) * arguments.seconds)
    output = subprocess.run([FLOOD, "flood0", str(packets), str(rate), str(arguments.payload),
                             str(arguments.exchanges)], capture_output=True, text=True,
                            check=True).stdout
    sent, took = int(output.split()[0]), float(output.split()[1])
    time.sleep(0.3)
    taken, dropped = counted(process, folder)
    shutil.rmtree(folder)
    if dropped == 0 and taken != sent:
        raise SystemExit("sent %d, taken %d, dropped %d: these do not add up" %
                         (sent, taken, dropped))
    return dropped == 0, sent / took


def find_rate(start, arguments):
    """The highest rate without a drop, and whether it was the sender that went no faster."""
    kept, low = survives(start, arguments, 0)
    if kept:
        return low, True
    high, low = low, 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        kept, real = survives(start, arguments, int(middle))
        if kept:
            low = real
            if real < middle * REACHED:
                return low, True
        else:
            high = min(middle, max(real, low))
    return low, False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--buffer", type=int, default=65536)
    parser.add_argument("--payload", type=int, default=100)
    parser.add_argument("--exchanges", type=int, default=1)
    parser.add_argument("--most", type=int, default=400000,
                        help="packets a second that set the length of a run at full speed")
    parser.add_argument("--options", default="")
    arguments = parser.parse_args()
    enter()
    make_pair()
    found = {"counter": [], "lastack": []}
    bounded = {"counter": False, "lastack": False}
    for turn in range(arguments.rounds):
        for name, start in (("counter", start_counter), ("lastack", start_lastack)):
            rate, by_sender = find_rate(start, arguments)
            found[name].append(rate)
            bounded[name] = bounded[name] or by_sender
            print("round %d  %-8s %s%8.0f packets a second" %
                  (turn + 1, name, "at least " if by_sender else "         ", rate), flush=True)
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    for name, rate in medians.items():
        print("median   %-8s %s%8.0f" % (name, "at least " if bounded[name] else "         ", rate))
    note = " (as far as the sender goes)" if any(bounded.values()) else ""
    print("lastack takes %.0f %% of the counter's%s" %
          (100 * medians["lastack"] / medians["counter"], note))
    return 0


if __name__ == "__main__":
    sys.exit(main())
