#!/usr/bin/env python3
"""Interfaces that go down, come up again, or go for good; what the kernel takes off a frame."""
import shutil
import socket
import struct
import subprocess
import sys
import time

from livelab import LASTACK, Live, enter, listen, talk, until
from tap import Tap

SEGMENTS = ("--segments", "all")


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def make_link():
    """near, with an address, and its other end; a neighbour that is never asked for."""
    ip("link", "add", "near", "type", "veth", "peer", "name", "far")
    ip("addr", "add", "10.8.0.1/24", "dev", "near")
    ip("link", "set", "far", "up")
    come_up()


def come_up():
    ip("link", "set", "near", "up")
    ip("neigh", "replace", "10.8.0.2", "lladdr", "02:00:00:00:00:02", "dev", "near")


def begin_connect():
    """Lets a SYN leave on near."""
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("10.8.0.2", 7))
    return client


def said_by(live):
    live.errors.seek(0)
    return live.errors.read()


def check_down(tap):
    for threads in ("1", "2"):
        what = "--threads %s: " % threads
        live = Live("-i", "near", "-i", "lo", *SEGMENTS, "--threads", threads,
                    sockets=2 * int(threads))
        ip("link", "set", "near", "down")
        time.sleep(0.3)
        began = time.monotonic()
        talk(listen())
        seen = until(lambda: len(live.records("segment")) >= 8, 3)
        took = time.monotonic() - began
        tap.ok(live.process.poll() is None and seen and took < 1,
               what + "with one interface down, the other's records leave within a second", took,
               said_by(live))
        come_up()
        sockets = [begin_connect() for _ in range(3)]
        tap.ok(bool(until(lambda: sum(r["destination"]["ip"] == "10.8.0.2"
                                      for r in live.records("segment")) >= 3, 3)),
               what + "once it is up again, so is its capture", said_by(live))
        status = live.end()
        tap.ok(status == 0 and live.said == "", what + "and nothing is wrong with it", live.said)
        for each in sockets:
            each.close()
        shutil.rmtree(live.folder)


def check_removed(tap):
    live = Live("-i", "near", "-i", "lo", *SEGMENTS, sockets=2)
    ip("link", "del", "near")
    told = until(lambda: "near: capturing stopped: " in said_by(live), 3)
    tap.ok(bool(told) and "the other interfaces go on" in said_by(live),
           "an interface that is removed is told when it goes", said_by(live))
    talk(listen())
    tap.ok(bool(until(lambda: len(live.records("segment")) >= 8, 3)), "and the others go on")
    status = live.end()
    inputs = live.records("summary")[0]["lastack"]["inputs"]
    tap.ok(status == 4 and [i["damaged"] for i in inputs] == [True, False],
           "the report has which one was cut short", status, inputs)
    shutil.rmtree(live.folder)
    make_link()
    live = Live("-i", "near", *SEGMENTS)
    ip("link", "del", "near")
    until(lambda: live.process.poll() is not None, 5)
    ended = live.process.poll()
    live.end()
    tap.ok(ended == 4 and len(live.records("summary")) == 1 and
           live.said.count("capturing stopped") == 1,
           "without an interface it ends, with the report", ended, live.said)
    shutil.rmtree(live.folder)


def check_later(tap):
    """any takes interfaces that did not exist when it began."""
    live = Live("-i", "any", *SEGMENTS)
    make_link()
    client = begin_connect()
    tap.ok(bool(until(lambda: live.records("segment"), 3)), "any has an interface that came later")
    client.close()
    ip("link", "del", "near")
    time.sleep(0.3)
    talk(listen())
    tap.ok(bool(until(lambda: len(live.records("segment")) >= 9, 3)),
           "and goes on when it is gone", said_by(live))
    tap.ok(live.end() == 0, "without complaint", live.said)
    shutil.rmtree(live.folder)


def sum_up(octets):
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def tagged_syn(port, tags):
    """An Ethernet frame with a SYN behind (Ethertype, VLAN identifier) tags."""
    ends = socket.inet_aton("10.8.1.1") + socket.inet_aton("10.8.1.2")
    tcp = struct.pack("!HHIIBBHHH", port, 80, 1, 0, 0x50, 2, 65535, 0, 0)
    summed = sum_up(ends + struct.pack("!HH", 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", summed) + tcp[18:]
    ip4 = struct.pack("!BBHHHBBH", 0x45, 0, 40, port, 0, 64, 6, 0) + ends
    ip4 = ip4[:10] + struct.pack("!H", sum_up(ip4)) + ip4[12:]
    return bytes(12) + b"".join(struct.pack("!HH", *tag) for tag in tags) + b"\x08\0" + ip4 + tcp


def check_tags(tap):
    """The kernel takes a frame's first tag off and gives it beside the frame."""
    wanted = {1001: [], 1002: [100], 1003: [200, 300]}
    frames = [tagged_syn(1001, []), tagged_syn(1002, [(0x8100, 100)]),
              tagged_syn(1003, [(0x88a8, 200), (0x8100, 300)])]
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind(("far", 0))
    for options, ports in (((), wanted), (("-f", "tcp"), [1001, 1002]), (("-f", "vlan 100"), [1002])):
        live = Live("-i", "near", *SEGMENTS, *options)
        for frame in frames:
            sender.send(frame)
        until(lambda: len(live.records("segment")) >= len(ports), 3)
        live.end()
        found = {r["source"]["port"]: r["lastack"]["context"]["vlan"] for r in live.records("flow")}
        tap.ok(found == {port: wanted[port] for port in ports},
               "tags that the kernel took off are there (%s)" % (" ".join(options) or "no filter"),
               found, live.said)
        shutil.rmtree(live.folder)
    sender.close()


def check_refused(tap):
    ip("link", "set", "near", "down")
    result = subprocess.run([LASTACK, "-i", "near"], capture_output=True, text=True, timeout=20,
                            check=False)
    line = "sudo ip link set near up"
    tap.ok(result.returncode == 3 and line in result.stderr,
           "an interface that is down is refused, with the line to type", result.stderr)
    ip(*line.split()[2:])
    live = Live("-i", "near")
    tap.ok(live.end() == 0, "which makes it work", live.said)
    shutil.rmtree(live.folder)


def main():
    enter()
    tap = Tap()
    make_link()
    check_down(tap)
    check_removed(tap)
    check_later(tap)
    make_link()
    check_tags(tap)
    check_refused(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
