#!/usr/bin/env python3
"""Many connections between two real kernels, over a relay that loses, holds, doubles, reorders and
resets at random: what lastack says of both captures is what the relay's log says, packet for packet.

    crowd.py [--connections N] [--rate A_SECOND] [--seed N] [--keep FOLDER]
"""
import argparse
import os
import re
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "checks")]

import account
from frames import syn
from run import enter
from storm import SERVICE, Storm, ask, in_host, serve
from tap import Tap
from taps import Taps
from wires import ENDS, Wires

REST = 4.0       # seconds without a segment, after which nothing comes any more
LONGEST = 150.0  # seconds that the connections may take beyond those in which they begin


def wait_for_rest(relay, client, until):
    """The client's program is over, and nothing is under way."""
    over = False
    count, since = 0, time.monotonic()
    while time.monotonic() < until:
        over = over or os.waitpid(client, os.WNOHANG)[0] == client
        if len(relay.passages) != count or not relay.idle():
            count, since = len(relay.passages), time.monotonic()
        if over and time.monotonic() - since > REST:
            return True
        time.sleep(0.1)
    if not over:
        os.kill(client, signal.SIGKILL)
        os.waitpid(client, 0)
    return False


def play(options, folder):
    """The relay, after all connections, and what went wrong."""
    wires = Wires()
    pipe, ready = os.pipe()
    server = in_host(wires, "server", serve, wires.address["server"], ready)
    try:
        os.read(pipe, 1)
        relay = Storm(options.seed)
        taps = Taps(folder, live=False, snaplen=128, buffer=65536)
        relay.start()
        client = in_host(wires, "client", ask, wires.address["server"], options.connections,
                         options.rate, options.seed)
        over = wait_for_rest(relay, client, time.monotonic() + LONGEST +
                             options.connections / options.rate)
        wrong = taps.stop()
        relay.stop()
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
    return relay, wrong + ([] if over else ["the connections did not end in time"])


def dropped(folder):
    """Packets that the captures themselves lost."""
    total = 0
    for end in ENDS:
        with open(os.path.join(folder, end + ".tcpdump.err"), encoding="utf-8") as file:
            total += sum(map(int, re.findall(r"(\d+) packets dropped by kernel", file.read())))
    return total


def check(options, folder):
    tap = Tap()
    relay, wrong = play(options, folder)
    log = account.Log(relay, folder)
    clients = {(s.sport, s.seq) for s in (p.segment for p in relay.passages)
               if s and s.dport == SERVICE and syn(s)}
    lost = sum(not p.came for p in log.passed)
    tap.ok(not wrong and not dropped(folder) and len(clients) >= .98 * options.connections,
           "%d connections, %d segments, of which %d were lost" % (len(clients), len(log.passed), lost),
           *wrong, "%d not captured" % dropped(folder))
    for first in ENDS:
        began = time.monotonic()
        said = account.Said(folder, first)
        took = time.monotonic() - began
        faults = account.judge(log, said, relay.weather.delay)
        tap.ok(not faults, "%s first: lastack's account is the relay's (read in %.1f s)"
               % (first, took), *faults)
    return tap.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=400)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="a new folder for the captures")
    options = parser.parse_args()
    enter()
    if options.keep:
        os.makedirs(options.keep)
        return check(options, options.keep)
    with tempfile.TemporaryDirectory(prefix="lastack-crowd-") as folder:
        return check(options, folder)


if __name__ == "__main__":
    sys.exit(main())
