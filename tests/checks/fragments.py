#!/usr/bin/env python3
"""Fragments and ICMP errors as scapy makes them: the connection is the same as unfragmented, tshark
puts the same packets together and reads the same quotes, and every packet is counted once."""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
DUMP = os.environ.get("DISSECT_DUMP", os.path.join(BUILD, "tests", "tools", "dissect-dump"))
COMPARE = os.path.join(os.environ.get("TOP_SRCDIR", "."), "tests", "tools", "compare-dissect.py")

try:
    import logging
    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
    from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
    from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
                                    IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment6)
    from scapy.layers.l2 import GRE, Ether
    from scapy.layers.vxlan import VXLAN
    from scapy.packet import Raw
    MISSING = None
except ImportError as error:
    MISSING = "no scapy: %s" % error

CLIENT, SERVER = {4: "10.1.0.1", 6: "2001:db8::1"}, {4: "10.1.0.2", 6: "2001:db8::2"}


def conversation(version, payloads=(1200, 3000, 900, 1)):
    """A whole connection as IP packets, the client's payloads as given."""
    layer = IP if version == 4 else IPv6
    there = layer(src=CLIENT[version], dst=SERVER[version])
    back = layer(src=SERVER[version], dst=CLIENT[version])
    dice, seq, packets = random.Random(7), 1001, []
    ports, reply = {"sport": 4000, "dport": 80}, {"sport": 80, "dport": 4000}
    packets.append(there / TCP(**ports, flags="S", seq=1000))
    packets.append(back / TCP(**reply, flags="SA", seq=9000, ack=1001))
    packets.append(there / TCP(**ports, flags="A", seq=1001, ack=9001))
    for length in payloads:
        packets.append(there / TCP(**ports, flags="PA", seq=seq, ack=9001) /
                       Raw(dice.randbytes(length)))
        seq += length
        packets.append(back / TCP(**reply, flags="A", seq=9001, ack=seq))
    packets.append(there / TCP(**ports, flags="FA", seq=seq, ack=9001))
    packets.append(back / TCP(**reply, flags="FA", seq=9001, ack=seq + 1))
    packets.append(there / TCP(**ports, flags="A", seq=seq + 1, ack=9002))
    for number, packet in enumerate(packets):
        if version == 4:
            packet.id = 100 + number
    return packets


def pieces(packet, size, number):
    """The packet in fragments, each with `size` octets of payload at most, as octets."""
    if len(packet) <= size + 48:
        return [bytes(packet)]
    if packet.version == 4:
        return [bytes(piece) for piece in fragment(packet, fragsize=size)]
    head = IPv6(bytes(packet))
    body, kind = bytes(head.payload), head.nh
    whole = IPv6(src=head.src, dst=head.dst) / IPv6ExtHdrFragment(nh=kind, id=number) / Raw(body)
    whole.plen = None
    return [bytes(piece) for piece in fragment6(whole, size + 48)]


def write(path, frames, link_type=101, snaplen=65535, step=1000):
    """frames: octets, one millisecond apart."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type))
        for number, frame in enumerate(frames):
            at = number * step
            file.write(struct.pack("<IIII", 1700000000 + at // 10**6, at % 10**6,
                                   min(len(frame), snaplen), len(frame)) + frame[:snaplen])


def analyse(path, *words):
    run = subprocess.run([LASTACK, "--ndjson", *words, path], capture_output=True, text=True,
                         check=False, timeout=60)
    if run.returncode != 0:
        raise RuntimeError("lastack ended with %d: %s" % (run.returncode, run.stderr))
    records = [json.loads(line) for line in run.stdout.splitlines()]
    flows = [r for r in records if r["event"]["dataset"] == "lastack.flow"]
    return flows, records[-1]["lastack"]["capture"]


def is_summed(capture):
    return capture["packets"] == (capture["segments"] + capture["copies"] +
                                  sum(capture["skipped"].values()))


def essence(flow):
    """What fragments must not change: all but times, packet numbers and what hangs on them."""
    body = flow["lastack"]
    return [flow["network"]["packets"], flow["network"]["bytes"], flow["source"],
            body["close"]["kind"], body["zeek"],
            [(h["state"], h["basis"]) for h in body["client"]["history"]],
            [(h["state"], h["basis"]) for h in body["server"]["history"]],
            body["client"]["payload_bytes"], body["client"]["retransmissions"],
            body["capture_gaps"], body["events"],
            [c for c in body["caveats"] if c != "end_of_capture_open"]]


def tshark_rows(path):
    """(ports, sequence number, flags, payload) of each TCP packet that tshark reassembles."""
    command = ["tshark", "-n", "-r", path, "-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE",
               "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE",
               "-Y", "tcp", "-T", "fields"]
    for name in ("frame.number", "tcp.srcport", "tcp.seq", "tcp.flags", "tcp.len"):
        command += ["-e", name]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in output.splitlines()]
    return [(int(n), int(port), int(seq), int(flags, 16), int(length))
            for n, port, seq, flags, length in rows]


def lastack_rows(path):
    run = subprocess.run([LASTACK, "--ndjson", "--segments", "all", path], capture_output=True,
                         text=True, check=True)
    rows = []
    letters = "FSRPAUEC"
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if record["event"]["dataset"] != "lastack.segment":
            continue
        body = record["lastack"]
        flags = sum(1 << letters.index(letter) for letter in body["flags"])
        port = record["source" if body["from"] == "client" else "destination"]["port"]
        rows.append((body["packet"], port, body["seq_abs"], flags, body["len"]))
    return rows


def vxlan(packet):
    bridge = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    return IP(src="192.0.2.1", dst="192.0.2.2", id=9) / UDP(
        sport=9999, dport=4789, chksum=0) / VXLAN(vni=1, flags=8) / bridge / packet


def gre(packet):
    return IP(src="192.0.2.1", dst="192.0.2.2") / GRE() / packet


def dressed(version, how, size):
    """The conversation with each packet in fragments: a list of octets."""
    frames, dice = [], random.Random(3)
    for number, packet in enumerate(conversation(version), 1):
        if how == "in a tunnel":
            outer = vxlan(packet)
            outer.id = number
            parts = pieces(IP(bytes(outer)), size, number)
        elif how == "inside a tunnel":
            parts = [bytes(gre((IP if version == 4 else IPv6)(part)))
                     for part in pieces(packet, size, number)]
        elif how == "twice":
            parts = []
            for part in pieces(packet, size // 8 * 8, number):
                outer = gre((IP if version == 4 else IPv6)(part))
                outer.id = len(frames) + len(parts) + 1000
                parts += pieces(IP(bytes(outer)), 80, 0)
        else:
            parts = pieces(packet, size, number)
        if how == "last first":
            parts.reverse()
        if how == "in any order":
            dice.shuffle(parts)
        frames += parts
    return frames


def check_whole(tap, path):
    for version in (4, 6):
        write(path, [bytes(packet) for packet in conversation(version)])
        plain = analyse(path)[0]
        for how, size in (("in order", 552), ("in order", 16), ("last first", 552),
                          ("in any order", 256), ("in a tunnel", 552), ("inside a tunnel", 552),
                          ("twice", 552)):
            name = "IPv%d, fragments of %d octets, %s" % (version, size, how)
            write(path, dressed(version, how, size), step=20)
            flows, capture = analyse(path)
            tap.ok(len(flows) == 1 and essence(flows[0]) == essence(plain[0]) and
                   set(capture["skipped"]) == {"fragment"} and is_summed(capture), name,
                   flows and essence(flows[0]), essence(plain[0]), capture)
            if not shutil.which("tshark"):
                tap.skip(name + ", beside tshark", "no tshark")
                continue
            theirs, mine = tshark_rows(path), lastack_rows(path)
            tap.ok(mine == theirs, name + ", beside tshark", mine, theirs)


def check_cut(tap, path):
    """The first fragment has the header, and the rest of it is cut: lengths are those of IP."""
    write(path, dressed(4, "in order", 552), snaplen=60, step=20)
    flows, capture = analyse(path)
    tap.ok(len(flows) == 1 and flows[0]["lastack"]["client"]["payload_bytes"] == 5101 and
           flows[0]["lastack"]["close"]["kind"] == "orderly" and is_summed(capture),
           "fragments cut at 60 octets: every sequence number counts", flows, capture)


def check_missing(tap, path):
    for version in (4, 6):
        frames = dressed(version, "in order", 552)
        first = next(n for n, frame in enumerate(frames) if len(frame) >= 552)
        write(path, frames[:first + 1] + frames[first + 2:], step=20)
        flows, capture = analyse(path)
        tap.ok(len(flows) == 1 and "fragment_incomplete" in flows[0]["lastack"]["caveats"] and
               capture["skipped"].get("fragment_incomplete", 0) > 0 and is_summed(capture),
               "IPv%d: a fragment that is missing is a caveat of its connection" % version,
               flows and flows[0]["lastack"]["caveats"], capture)
        doubled = [frame for frame in frames for _ in range(2)]
        write(path, doubled, step=10)
        flows, capture = analyse(path, "--threads", "3")
        tap.ok(len(flows) == 1 and capture["skipped"].get("fragment_incomplete", 0) == 0 and
               capture["skipped"]["fragment_copy"] > 0 and is_summed(capture),
               "IPv%d: every fragment twice" % version, capture)
        overlap = bytearray(frames[first + 1])
        place = 6 if version == 4 else 42  # the field with the offset
        field = struct.unpack_from("!H", overlap, place)[0]
        struct.pack_into("!H", overlap, place, field - (1 if version == 4 else 8))
        write(path, frames[:first + 1] + [bytes(overlap)] + frames[first + 1:], step=20)
        flows, capture = analyse(path)
        tap.ok(capture["skipped"].get("fragment_overlap", 0) >= 3 and is_summed(capture) and
               "fragment_incomplete" in flows[0]["lastack"]["caveats"],
               "IPv%d: overlapping fragments are not believed" % version, capture)


def check_options(tap, path):
    """RFC 8200 4.1: destination options may stand behind the fragment header."""
    frames = []
    for number, packet in enumerate(conversation(6), 1):
        body = IPv6ExtHdrDestOpt(nh=6, options=[]) / packet.payload
        octets = bytes(IPv6(src=packet.src, dst=packet.dst, nh=60) / body)
        tcp = bytes(packet)[40:]
        octets = octets[:-len(tcp)] + tcp  # the checksum as it was
        frames += pieces(IPv6(octets), 552, number)
    write(path, frames, step=20)
    flows, capture = analyse(path)
    tap.ok(len(flows) == 1 and flows[0]["lastack"]["client"]["payload_bytes"] == 5101 and
           is_summed(capture), "IPv6: options within the fragments", flows, capture)


def damaged_frames():
    """Fragments that lie, and a bomb; a whole connection behind them."""
    dice = random.Random(11)
    jumbo = bytes.fromhex("6000000000000040") + bytes(16) + b"\x01" * 16
    frames = [jumbo + bytes.fromhex("2c00c204fffffff8 0600fff900000001".replace(" ", "")) +
              b"z" * 4000,
              jumbo + bytes.fromhex("2c00c204ffff0010 0600fff900000001".replace(" ", "")) +
              b"z" * 60000]
    lies = ((8191, 1400, 0), (8191, 8, 0), (8189, 1480, 1), (0, 7, 1), (1, 0, 1))
    for offset, size, flags in lies:
        frames.append(bytes(IP(src="10.9.0.1", dst="10.9.0.2", proto=6, id=5, frag=offset,
                               flags=flags) / Raw(b"p" * size)))
    for number in range(6000):
        frames.append(bytes(IP(src="10.9.0.1", dst="10.9.0.2", proto=6, id=number, frag=8000,
                               flags=1) / Raw(b"b" * 8)))
    for number in range(2000):
        frames.append(bytes(IP(src="10.9.0.3", dst="10.9.0.2", proto=17, id=1,
                               frag=dice.randrange(8190), flags=1) / Raw(b"c" * 8)))
    frames += [frame[:cut] for frame in dressed(4, "in order", 552)[3:5] for cut in range(1, 80, 7)]
    return frames + [bytes(packet) for packet in conversation(4)]


def check_damaged(tap, path):
    frames = damaged_frames()
    write(path, frames, step=20)
    flows, capture = analyse(path)
    tap.ok(len(flows) >= 1 and any(f["source"]["ip"] == CLIENT[4] and
                                   f["lastack"]["close"]["kind"] == "orderly" for f in flows) and
           capture["skipped"].get("fragment_malformed", 0) >= 4 and is_summed(capture),
           "lying fragments and a bomb: counted, and what follows is read", flows, capture)


def error_frames():
    """ICMP errors about segments of the two conversations: (octets, whether one was sent so)."""
    frames = []
    router4, router6 = IP(src="10.9.9.9", dst=CLIENT[4]), IPv6(src="2001:db8::9", dst=CLIENT[6])
    four, six = conversation(4)[3], conversation(6)[3]
    short = bytes(four)[:28]
    option = bytes(IP(src=CLIENT[4], dst=SERVER[4], options=b"\x94\x04\0\0") / four.payload)
    forged = four.copy()
    forged[TCP].seq = 77777777
    inner = bytes(gre(four))[:160]
    for message in (ICMP(type=3, code=1), ICMP(type=3, code=4, nexthopmtu=1400),
                    ICMP(type=11, code=0), ICMP(type=12, code=0)):
        for quote in (short, bytes(four)[:200], option[:120]):
            frames.append((bytes(router4 / message / Raw(quote)), True))
    first = bytes(fragment(four, fragsize=552)[0])[:80]
    frames.append((bytes(router4 / ICMP(type=11) / Raw(first)), True))
    frames.append((bytes(router4 / ICMP(type=3, code=4, nexthopmtu=1300) / Raw(inner)), True))
    frames.append((bytes(gre(router4 / ICMP(type=3, code=1) / Raw(short))), True))
    frames.append((bytes(router4 / ICMP(type=3, code=1) / Raw(bytes(forged)[:28])), False))
    for message in (ICMPv6DestUnreach(code=0), ICMPv6PacketTooBig(mtu=1400), ICMPv6TimeExceeded()):
        frames.append((bytes(router6 / message / Raw(bytes(six)[:48])), True))
        frames.append((bytes(router6 / message / Raw(bytes(six)[:1200])), True))
    return frames


def check_errors(tap, path):
    errors = error_frames()
    frames = [bytes(packet) for version in (4, 6) for packet in conversation(version)]
    write(path, frames + [frame for frame, _ in errors], step=20000)
    flows, capture = analyse(path)
    sent = sum(good for _, good in errors)
    found = sum(flow["lastack"]["icmp"]["errors"] for flow in flows if flow["lastack"]["icmp"])
    tap.ok(found == sent == capture["skipped"].get("icmp_error") and len(flows) == 2 and
           capture["skipped"].get("icmp_error_unmatched") == len(errors) - sent and
           is_summed(capture), "ICMP errors find their connections", found, sent, capture)
    under6 = next(flow for flow in flows if flow["network"]["type"] == "ipv6")
    last = under6["lastack"]["icmp"]["last"]
    tap.ok((last["type"], last["code"], last["from"], last["quoted"], last["packet"]) ==
           (3, 0, "2001:db8::9", "client", len(frames) + len(errors)), "the last one is named", last)
    if not shutil.which("tshark"):
        tap.skip("ICMP errors, beside tshark", "no tshark")
        return
    run = subprocess.run([sys.executable, COMPARE, "--dump", DUMP, "-v", path],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    shown = len(errors) - 3  # of eight octets in an ICMPv6 error tshark names the ports alone
    tap.ok("and %d quotes compared, 0 fields differ" % shown in run.stdout,
           "ICMP errors, beside tshark", run.stdout)


def main():
    tap = Tap()
    if MISSING:
        tap.skip("fragments and ICMP errors", MISSING)
        return tap.end()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "capture.pcap")
        for check in (check_whole, check_cut, check_missing, check_options, check_damaged,
                      check_errors):
            check(tap, path)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
