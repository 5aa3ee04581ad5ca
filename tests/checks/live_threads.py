#!/usr/bin/env python3
"""--threads N, live: several threads share an interface's connections, and find what one finds."""
import shutil
import socket
import struct
import sys
import time

from livelab import Live, enter, listen, packet_sockets, talk
from tap import Tap

SOL_PACKET, PACKET_FANOUT, FANOUT_HASH, FANOUT_UNIQUE = 263, 18, 0, 0x2000
ETH_P_IP, PACKET_OUTGOING = 0x0800, 4
CONNECTIONS = 60


def share_sockets(count):
    """Packet sockets on lo of which each packet comes to one."""
    sockets, group = [], FANOUT_UNIQUE << 16
    for _ in range(count):
        one = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        one.bind(("lo", ETH_P_IP))
        one.setsockopt(SOL_PACKET, PACKET_FANOUT, group)
        group = one.getsockopt(SOL_PACKET, PACKET_FANOUT) & 0xffff | FANOUT_HASH << 16
        one.setblocking(False)
        sockets.append(one)
    return sockets


def seen_by(one):
    """The connections whose packets came to a socket, each with the directions it saw."""
    seen = {}
    while True:
        try:
            packet, address = one.recvfrom(256)
        except BlockingIOError:
            return seen
        if address[2] == PACKET_OUTGOING or packet[9] != 6:
            continue
        ports = struct.unpack_from("!HH", packet, (packet[0] & 15) * 4)
        seen.setdefault(frozenset(ports), set()).add(ports)


def check_kernel(tap):
    """What sharing by flow stands on, asked of the kernel that runs."""
    try:
        sockets = share_sockets(3)
    except OSError as error:
        tap.skip("both directions", "this kernel does not share packets out: %s" % error)
        return
    talk(listen(), CONNECTIONS)
    time.sleep(0.1)
    shares = [seen_by(one) for one in sockets]
    whole = sum(len(ends) == 2 for share in shares for ends in share.values())
    tap.ok(whole == sum(map(len, shares)) == CONNECTIONS and sum(map(bool, shares)) > 1,
           "the kernel gives both directions of a connection to one socket",
           [len(share) for share in shares], whole)


def told(live):
    """What is said of every connection, but for times, which each socket takes for itself."""
    flows = {}
    for flow in live.records("flow"):
        ours = flow["lastack"]
        flows[flow["source"]["port"], flow["destination"]["port"]] = (
            flow["network"]["packets"], flow["network"]["bytes"], ours["close"]["kind"],
            ours["close"]["initiator"], ours["zeek"]["history"], ours["caveats"], ours["events"],
            [[(entry["state"], entry["fact"], entry["basis"]) for entry in ours[side]["history"]]
             for side in ("client", "server")])
    return flows


def check_same(tap):
    before = packet_sockets()
    one = Live("-i", "lo", "--threads", "1")
    many = Live("-i", "lo", "--threads", "4", "-v", sockets=4)
    sockets = packet_sockets() - before
    listener = listen()
    talk(listener, CONNECTIONS, b"x" * 1000)
    talk(listener, CONNECTIONS, b"")
    time.sleep(0.3)
    statuses = [one.end(), many.end()]
    tap.ok(sockets == 5 and "captured by 4 threads" in many.said,
           "--threads 4 captures with four sockets, --threads 1 with one", sockets, many.said)
    tap.ok(statuses == [0, 0] and told(one) == told(many) and len(told(one)) == 2 * CONNECTIONS,
           "four threads say of every connection what one says",
           [len(told(live)) for live in (one, many)], statuses)
    numbers = [live.records("summary")[0]["lastack"]["capture"] for live in (one, many)]
    for counts in ("packets", "segments", "copies", "bytes"):
        tap.ok(numbers[0][counts] == numbers[1][counts], "as many %s" % counts,
               [number[counts] for number in numbers])
    tap.ok(all(number["timestamp_regressions"] == 0 for number in numbers),
           "packets come in the order of their times", numbers)
    kinds = {flow[2] for flow in told(many).values()}
    tap.ok(kinds == {"orderly"}, "and all are closed in order", kinds)
    drops = [number["drops"] for number in numbers]
    tap.ok(drops[0]["received"] == drops[1]["received"] and drops[1]["kernel"] == 0,
           "the counters are the sum of all sockets", drops)
    for live in (one, many):
        shutil.rmtree(live.folder)


def main():
    enter()
    tap = Tap()
    check_kernel(tap)
    check_same(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
