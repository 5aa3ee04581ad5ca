#!/usr/bin/env python3
"""fuzz-captures: valid packets in wrong relations, and what must hold for any input whatever.

usage: fuzz-captures.py [--seed N] [--count N] [--seconds S] [--only ROUND] [--keep FOLDER]
                        [--threads N,N] [--schema-every N] [--whole] [CAPTURE.pcap...]

Each round takes a few case scripts (or packets of the classic Ethernet captures given), changes
packets, flows and sometimes the file, runs the program named by LASTACK over the result in several
ways and checks the promises that need no knowledge of the right answer.  A round depends on the
seed and its number alone.  A broken promise is reduced to few packets and kept in FOLDER; the exit
code is then 1.  Works with sanitized programs: any report of a sanitizer is a failure.
"""
import argparse
import copy
import glob
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import segread
import segwire

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.environ.get("LASTACK", "./lastack")
TIMEOUT = 120
SECOND = 10**9
LATEST = (2**32 - 1) * SECOND  # what a classic capture can say: the year 2106
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
TRACED = ["--segments", "all", "--transitions"]
SANITIZERS = {"ASAN_OPTIONS": "exitcode=99:detect_leaks=1", "TSAN_OPTIONS": "exitcode=99",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99"}


# Packets.

@dataclass
class Packet:
    time: int
    source: object            # ipaddress
    target: object
    ports: tuple
    seq: int
    ack: int
    flags: int
    window: int = 64240
    urgent: int = 0
    options: bytes = b""
    payload: bytes = b""
    ttl: int = 64
    ip_id: int = 0
    good: bool = True         # the TCP checksum
    kept: int = None          # octets captured of the frame
    spoilt: tuple = ()        # (offset in the IP packet, octet): headers that lie

    def tuple_key(self):
        ends = sorted([(self.source, self.ports[0]), (self.target, self.ports[1])], key=str)
        return tuple(ends)

    def turn(self):
        self.source, self.target = self.target, self.source
        self.ports = self.ports[::-1]

    def span(self):
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

    def frame(self):
        options = (self.options + b"\0" * (-len(self.options) % 4))[:40]
        head = struct.pack("!HHIIHHHH", *self.ports, self.seq % 2**32, self.ack % 2**32,
                           (5 + len(options) // 4) << 12 | self.flags, self.window, 0, self.urgent)
        tcp = head + options + self.payload
        total = segwire.checksum(segwire.pseudo_header(self.source, self.target, 6, len(tcp)) + tcp)
        total ^= 0 if self.good else 0x5555
        tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
        data = bytearray(segwire.ip_packet(self.source, self.target, 6, tcp, self.ip_id, self.ttl))
        for offset, octet in self.spoilt:
            data[offset % len(data)] = octet
        return segwire.link_header("ethernet", self.source.version, "A") + bytes(data)


def parse_frame(when, frame):
    """A Packet of an Ethernet frame with whole IP and TCP headers; else None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 54 and frame[14] == 0x45 and frame[23] == 6:
        source, target = (ipaddress.ip_address(frame[i:i + 4]) for i in (26, 30))
        tcp = frame[34:14 + struct.unpack("!H", frame[16:18])[0]]
        ttl, ip_id = frame[22], struct.unpack("!H", frame[18:20])[0]
    elif kind == b"\x86\xdd" and len(frame) >= 74 and frame[20] == 6:
        source, target = (ipaddress.ip_address(frame[i:i + 16]) for i in (22, 38))
        tcp = frame[54:54 + struct.unpack("!H", frame[18:20])[0]]
        ttl, ip_id = frame[21], 0
    else:
        return None
    if len(tcp) < 20:
        return None
    sport, dport, seq, ack, bits, window, _, urgent = struct.unpack("!HHIIHHHH", tcp[:20])
    start = (bits >> 12) * 4
    return Packet(when, source, target, (sport, dport), seq, ack, bits & 0xFF, window, urgent,
                  tcp[20:start], tcp[start:], ttl, ip_id)


def write_capture(packets, path, damage=None):
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
    for packet in packets:
        frame = packet.frame()
        kept = frame[:packet.kept]
        out.append(struct.pack("<IIII", packet.time // SECOND, packet.time % SECOND, len(kept),
                               len(frame)) + kept)
    data = bytearray(b"".join(out))
    if damage:
        damage(data)
    with open(path, "wb") as file:
        file.write(data)


def read_capture(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    magic, = struct.unpack(order + "I", data[:4])
    if magic not in (0xA1B2C3D4, 0xA1B23C4D) or struct.unpack(order + "I", data[20:24])[0] != 1:
        return []
    unit, place, packets = (1 if magic == 0xA1B23C4D else 1000), 24, []
    while place + 16 <= len(data):
        seconds, part, kept, _ = struct.unpack(order + "IIII", data[place:place + 16])
        frame = data[place + 16:place + 16 + kept]
        packets.append(parse_frame(seconds * SECOND + part * unit, frame))
        place += 16 + kept
    return [packet for packet in packets if packet]


def read_seeds(captures):
    seeds = [read_capture(path) for path in captures]
    for path in sorted(glob.glob(os.path.join(HERE, os.pardir, "cases", "*", "*.seg"))):
        wire = segwire.Wire(segread.read_case(path, path), segwire.Variation())
        seeds.append([p for p in (parse_frame(t, f) for t, f, _ in wire.frames()) if p])
    return [seed for seed in seeds if seed]


# What is done to them.  Each takes the random source and the list of packets, and changes it.

def near(rng, value):
    """A sequence number that has something to do with this one."""
    return (value + rng.choice((0, 1, -1, 2, -2, 1460, -1460, 64240, -64240, 65535, 2**30, 2**31,
                                2**31 - 1, -2**31, rng.getrandbits(32), -value, -1 - value))
            ) % 2**32


def some(rng, packets):
    return rng.randrange(len(packets))


def insert(rng, packets, made, at):
    made.time += rng.choice((0, 1, 1000, 10**6, 10**8, SECOND))
    packets.insert(min(len(packets), at + 1 + rng.choice((0, 0, 0, 1, 3))), made)


def drop(rng, packets):
    first = some(rng, packets)
    del packets[first:first + rng.choice((1, 1, 1, 2, 5))]


def repeat(rng, packets):
    at = some(rng, packets)
    made = copy.copy(packets[at])
    made.ttl -= rng.choice((0, 0, 1, 3)) if made.ttl > 3 else 0
    made.ip_id = made.ip_id if rng.random() < .5 else rng.getrandbits(16)
    insert(rng, packets, made, at)


def repeat_late(rng, packets):
    at = some(rng, packets)
    to = rng.randrange(at, len(packets))
    made = copy.copy(packets[at])
    made.time = packets[to].time + rng.choice((1, 10**6, SECOND))
    packets.insert(to + 1, made)


def swap(rng, packets):
    a, b = some(rng, packets), some(rng, packets)
    b = a - 1 if rng.random() < .7 else b
    packets[a], packets[b] = packets[b], packets[a]
    if rng.random() < .7:
        packets[a].time, packets[b].time = packets[b].time, packets[a].time


def forge(rng, packets):
    """A segment out of the numbers of another: any flags, from either end, in any state."""
    at = some(rng, packets)
    made = copy.copy(packets[at])
    made.seq = (made.seq + made.span()) % 2**32
    if rng.random() < .5:
        made.turn()
        made.seq, made.ack = made.ack, made.seq
    made.flags = rng.choice((SYN, SYN, SYN | ACK, SYN | ACK, SYN | FIN, SYN | RST, RST, RST,
                             RST | ACK, FIN | ACK, FIN, ACK, 0, 0xFF, FIN | PSH | URG,
                             rng.getrandbits(8)))
    made.payload = rng.choice((b"", b"", b"x", bytes(range(100)), b"\0" * 1460))
    made.seq = near(rng, made.seq) if rng.random() < .5 else made.seq
    made.ack = near(rng, made.ack) if rng.random() < .5 else made.ack
    insert(rng, packets, made, at)


def answer(rng, packets):
    """The answer that a host may give: SYN-ACK, reset, challenge, acknowledgment."""
    at = some(rng, packets)
    made = copy.copy(packets[at])
    end = made.seq + made.span()
    made.turn()
    made.flags, made.payload = rng.choice((SYN | ACK, RST | ACK, RST, ACK, FIN | ACK)), b""
    made.seq = made.ack if rng.random() < .8 else rng.getrandbits(32)
    made.ack = end % 2**32
    insert(rng, packets, made, at)


def lie(rng, packets):
    packet = packets[some(rng, packets)]
    if rng.random() < .5:
        packet.ack = near(rng, packet.ack)
    else:
        packet.seq = near(rng, packet.seq)


def turn_flags(rng, packets):
    packets[some(rng, packets)].flags ^= 1 << rng.randrange(8)


def resize(rng, packets):
    packet = packets[some(rng, packets)]
    packet.payload = (packet.payload + bytes(rng.randrange(1, 64)) if rng.random() < .6
                      else packet.payload[:len(packet.payload) // 2])


def overlap(rng, packets):
    at = some(rng, packets)
    made = copy.copy(packets[at])
    made.seq = (made.seq - rng.randrange(20) + 10) % 2**32
    made.payload += b"overlap"[:rng.randrange(8)]
    insert(rng, packets, made, at)


def renumber(rng, packets):
    """Both directions of a tuple moved so that numbers wrap somewhere near a packet."""
    near_packet = packets[some(rng, packets)]
    key, ends = near_packet.tuple_key(), (near_packet.source, near_packet.ports)
    by = (-rng.choice((0, 1, 2, 100)) - near_packet.seq) % 2**32
    for packet in packets:
        if packet.tuple_key() != key:
            continue
        if (packet.source, packet.ports) == ends:
            packet.seq = (packet.seq + by) % 2**32
        elif packet.flags & ACK:
            packet.ack = (packet.ack + by) % 2**32


def hostile_options(rng, packets):
    packet = packets[some(rng, packets)]
    sack = struct.pack("!IIII", *(near(rng, packet.ack) for _ in range(4)))
    packet.options = rng.choice((
        b"\x05\x12" + sack + b"\1\1", b"\x05\x0a" + sack[:8], b"\x05\x02", b"\x05\x28" + sack,
        b"\x08\x0a" + struct.pack("!II", rng.getrandbits(32), rng.getrandbits(32)),
        b"\x08\x0a" + b"\0" * 8, b"\x08\x0a" + b"\xff" * 8, b"\x08\x09" + b"\0" * 7,
        b"\x03\x03\xff\0", b"\x03\x03\x0e\0", b"\x02\x04\0\0", b"\x02\x04\xff\xff", b"\x02\0",
        b"\x02\1", b"\xfe\xff\0\0", b"\1" * 40, b"\x02\x04\x05\xb4" * 10, b"",
        bytes(rng.getrandbits(8) for _ in range(rng.randrange(41)))))


def shift_time(rng, packets):
    at = some(rng, packets)
    by = rng.choice((-SECOND, -3600 * SECOND, -10**18, -10**15, 1, 10**6, 3 * 10**8, SECOND,
                     3 * SECOND, 59 * SECOND, 60 * SECOND, 61 * SECOND, 10**15, 25 * 10**17))
    last = at + 1 if rng.random() < .3 else len(packets)
    for packet in packets[at:last]:
        packet.time += by


def set_fields(rng, packets):
    packet = packets[some(rng, packets)]
    name, value = rng.choice((
        ("window", 0), ("window", 65535), ("urgent", 65535), ("ttl", 1), ("ttl", 255),
        ("ip_id", 0), ("good", False), ("good", False), ("kept", rng.randrange(80)),
        ("kept", 14 + 20 + 20), ("ack", 0), ("seq", 0),
        ("spoilt", ((rng.randrange(60), rng.getrandbits(8)),)),
        ("spoilt", ((2, 0), (3, rng.randrange(48)))), ("spoilt", ((32, rng.randrange(256)),))))
    setattr(packet, name, value)


def reuse(rng, packets):
    """All packets of a tuple come again, in other numbers or the same, a little or much later."""
    key = packets[some(rng, packets)].tuple_key()
    again = [copy.copy(packet) for packet in packets if packet.tuple_key() == key][:60]
    later = (packets[-1].time - again[0].time +
             rng.choice((10**6, SECOND, 30 * SECOND, 61 * SECOND, 200 * SECOND)))
    up, turned = rng.choice((0, 1, 65537, 2**31, rng.getrandbits(32))), rng.random() < .2
    for packet in again:
        packet.time += later
        packet.seq += up
        packet.ack += up if packet.flags & ACK else 0
        if turned:
            packet.turn()
    packets.extend(again)


def one_side(rng, packets):
    loses = packets[some(rng, packets)]
    gone = (loses.source, loses.ports)
    if all((p.source, p.ports) == gone for p in packets):
        return
    packets[:] = [p for p in packets if (p.source, p.ports) != gone]


CHANGES = (drop, drop, repeat, repeat_late, swap, swap, forge, forge, forge, forge, answer, answer,
           lie, lie, turn_flags, resize, overlap, renumber, hostile_options, shift_time,
           shift_time, set_fields, reuse, one_side)


def cut_file(rng):
    at = rng.random()
    return lambda data: data.__delitem__(slice(24 + int(at * (len(data) - 24)), None))


def spoil_file(rng):
    spots = [(rng.random(), rng.getrandbits(8)) for _ in range(rng.randrange(1, 4))]

    def spoil(data):
        for at, octet in spots if len(data) > 24 else ():
            data[24 + int(at * (len(data) - 24))] = octet
    return spoil


def make_round(rng, seeds):
    """(packets, damage or None): several changed seeds, on tuples of their own or on one."""
    flows = []
    for flow in range(rng.choice((1, 1, 2, 3, 6))):
        packets = [copy.copy(packet) for packet in rng.choice(seeds)[:400]]
        for _ in range(rng.choice((0, 1, 2, 3, 5, 8, 16))):
            if packets:
                rng.choice(CHANGES)(rng, packets)
        if rng.random() < .7:
            rename(packets, flow)
        begin = packets[0].time if packets else 0
        offset = rng.choice((0, 0, SECOND, 40 * SECOND, 100 * SECOND)) * flow
        for packet in packets:
            packet.time += (segwire.EPOCH * SECOND if flows else begin) - begin + offset
        flows.append(packets)
    packets = mix(rng, flows)
    for packet in packets:
        packet.time = min(max(packet.time, 0), LATEST)
        packet.ports = tuple(port % 2**16 for port in packet.ports)
    damage = rng.choice((cut_file, spoil_file))(rng) if rng.random() < .08 else None
    return packets, damage


def rename(packets, flow):
    for packet in packets:
        low = packet.ports[0] <= packet.ports[1]
        packet.ports = (packet.ports[0] + flow * (not low), packet.ports[1] + flow * low)


def mix(rng, flows):
    """The flows interleaved, each in its own order; by time where the times are in order."""
    if rng.random() < .5:
        return sorted((p for flow in flows for p in flow), key=lambda p: p.time)
    flows, out = [flow[:] for flow in flows if flow], []
    while flows:
        flow = rng.choice(flows)
        out.append(flow.pop(0))
        flows = [flow for flow in flows if flow]
    return out


# What the program says.

class Broken(Exception):
    """A promise that did not hold."""


def expect(holds, *words):
    if not holds:
        raise Broken(" ".join(str(word) for word in words))


def run(arguments, codes=(0,)):
    environment = {**os.environ, **SANITIZERS}
    result = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=TIMEOUT,
                            env=environment, check=False)
    told = result.stderr.decode("utf-8", "replace")
    shown = " ".join(arguments)
    expect("Sanitizer" not in told and "runtime error" not in told, shown, told[:6000])
    expect(result.returncode in codes, shown, "exit code", result.returncode, told[:500])
    return result.stdout


def refuse_twins(pairs):
    expect(len({key for key, _ in pairs}) == len(pairs), "a key stands twice", pairs)
    return dict(pairs)


def records_of(ndjson):
    text = ndjson.decode("utf-8", "strict")
    expect(text.endswith("\n"), "the last line has no end")
    return [json.loads(line, object_pairs_hook=refuse_twins) for line in text[:-1].split("\n")]


def kind(record):
    return record["event"]["dataset"].split(".")[1]


def stamp(nanoseconds):
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nanoseconds // SECOND))
    return f"{whole}.{nanoseconds % SECOND:09d}Z"


def check_all(path, packets, damaged, threads, schema):
    codes = (0, 4) if damaged else (0,)
    common = ["--nano", "-q", path]
    plain = run(["--ndjson", *common], codes)
    expect(plain == run(["--ndjson", *common], codes), "a second run writes something else")
    traced = run(["--ndjson", *TRACED, *common], codes)
    for count in threads:
        words = ["--threads", str(count)]
        expect(plain == run(["--ndjson", *words, *common], codes), count, "threads differ")
        expect(traced == run(["--ndjson", *TRACED, *words, *common], codes),
               count, "threads differ with", *TRACED)
    report = run(["--json", "--flows", "all", *common], codes)
    text = run(["--text", *common], codes)
    records = records_of(traced)
    check_tracing(records_of(plain), records)
    check_counts(records)
    check_flows(records)
    check_order(records)
    if not damaged:
        check_against_capture(records, packets)
    check_report(json.loads(report, object_pairs_hook=refuse_twins), records)
    check_text(text)
    if schema:
        check_schema(path, traced, report)


def check_tracing(plain, traced):
    """Asking for more lines changes no other line."""
    rest = [r for r in traced if kind(r) not in ("segment", "transition")]
    expect(sorted(map(json.dumps, plain)) == sorted(map(json.dumps, rest)),
           "tracing changes other records")
    expect(plain == rest, "tracing changes the order of other records")


def check_counts(records):
    """Every packet is counted, once."""
    capture = records[-1]["lastack"]["capture"]
    skipped, copies = capture["skipped"], capture["copies"]
    expect(capture["packets"] == capture["segments"] + copies + sum(skipped.values()),
           "packets", capture)
    flows = [r for r in records if kind(r) == "flow"]
    segments = capture["packets"] - sum(skipped.values()) + skipped.get("after_close", 0)
    counted = sum(flow["network"]["packets"] for flow in flows)
    expect(counted + copies + skipped.get("after_close", 0) == segments,
           "the flows hold", counted, "packets of", capture)
    traced = [r["lastack"]["packet"] for r in records if kind(r) == "segment"]
    expect(len(traced) == capture["segments"] + copies, len(traced), "segments traced of", capture)
    expect(traced == sorted(set(traced)), "segments are not in the order of the capture")
    summary = records[-1]["lastack"]["summary"]
    expect(summary["flows"]["total"] == len(flows), "flows", len(flows), summary["flows"])
    expect(sum(summary["flows"]["by_close"].values()) == len(flows), "by_close")
    events = [r["event"]["action"] for r in records if kind(r) == "event"]
    expect(sum(summary["events"]["by_id"].values()) == len(events), "events", summary["events"])
    for side in ("client", "server"):
        left = summary["left_behind"][side]["states"]
        expect(sum(left.values()) == len(flows), "left_behind", left)


def tuple_of(record):
    ends = ((r["ip"], r["port"]) for r in (record["source"], record["destination"]))
    return tuple(sorted(ends)), json.dumps(record["lastack"].get("context", {}))


def name_of(record):
    return record["lastack"]["flow_uid"], record["lastack"]["incarnation"]


def check_event_ids(events):
    """One id, one event: but for triggers that agree in flow, number and time stamp."""
    seen = {}
    for event in events:
        triggers = [(quote["seq_abs"], quote["t"]) for quote in event["lastack"]["evidence"]
                    if quote["role"] == "trigger"]
        made_of = (event["event"]["action"], event["lastack"]["flow_uid"], triggers[:1])
        same = seen.setdefault(event["event"]["id"], made_of) == made_of
        expect(same, "an event id stands twice", event["event"]["id"])


def check_flows(records):
    seen, raised = {}, {}
    clocked = records[-1]["lastack"]["capture"]["timestamp_regressions"] == 0
    for event in (r for r in records if kind(r) == "event"):
        raised.setdefault(name_of(event), set()).add(event["event"]["action"])
    check_event_ids([r for r in records if kind(r) == "event"])
    flows = sorted((r for r in records if kind(r) == "flow"),
                   key=lambda r: r["lastack"]["incarnation"])
    for flow in flows:
        ours, key = flow["lastack"], tuple_of(flow)
        same = seen.setdefault(ours["flow_uid"], (key, flow["event"]["start"]))
        expect(same == (key, flow["event"]["start"]), "flow_uid twice", ours["flow_uid"])
        before = ours["previous"]
        expect(before is None or seen.get(before, ((), 0))[0] == key, "previous", before, key)
        expect((before is None) == (ours["incarnation"] == 1), "previous", before, "incarnation",
               ours["incarnation"])
        expect(set(ours["events"]) - {"close_graceful"} == raised.pop(name_of(flow), set()), "events of",
               ours["flow_uid"], ours["events"])
        sides = (flow["source"], flow["destination"])
        for name in ("packets", "bytes"):
            expect(flow["network"][name] == sum(side[name] for side in sides), "network", name)
        expect(flow["event"]["start"] <= flow["event"]["end"], "start after end")
        expect(flow["event"]["duration"] >= 0, "duration")
        for side in ("client", "server"):
            check_side(ours[side], clocked, f"{ours['flow_uid']} {side}")
    expect(not raised, "events of no flow", raised)


def check_side(side, clocked, name):
    """What a history promises; its order in time holds where the capture's time stamps do."""
    standing = [entry for entry in side["history"] if not entry["revoked"]]
    for entry in side["history"]:
        expect((entry["revoked_by"] is None) == (not entry["revoked"]), name, "revoked_by", entry)
        expect((entry["packet"] is None) == (entry["basis"] == "timer"), name, "packet", entry)
        if not entry["revoked"]:
            unproven = entry["basis"] in ("presumed", "timer")
            expect((entry["proof"] is None) == unproven, name, "proof", entry)
    states = [entry["state"] for entry in standing]
    expect(all(a != b for a, b in zip(states, states[1:])), name, "a state repeats itself", states)
    times = [entry["t"] for entry in standing]
    expect(not clocked or times == sorted(times), name, "times fall", times)
    if standing and side["history_dropped"] == 0:
        last = standing[-1]
        expect((side["state"], side["basis"]) == (last["state"], last["basis"]), name, "is left in",
               side["state"], side["basis"], "and the history ends with", last)


def check_order(records):
    """Lines stand in the order of decision; the summary is the last."""
    expect([kind(r) for r in records].index("summary") == len(records) - 1, "summary not last")
    decided = [r["lastack"]["decided"] for r in records if kind(r) == "event"]
    expect(decided == sorted(decided), "events are not in the order of decision", decided)


def flags_of(packet):
    return "".join(c for bit, c in enumerate("FSRPAUEC") if packet.flags >> bit & 1)


def check_against_capture(records, packets):
    for record in records:
        ours = record["lastack"]
        ends = {"client": record.get("source"), "server": record.get("destination")}
        if kind(record) == "segment":
            check_quote(ours, ends, packets)
        for quote in ours.get("evidence", ()):
            check_quote(quote, ends, packets)
        for side in ("client", "server"):
            for entry in ours.get(side, {}).get("history", ()) if kind(record) == "flow" else ():
                if entry["packet"]:
                    when = stamp(packets[entry["packet"] - 1].time)
                    expect(entry["t"] == when, "history", entry, "passed at", when)


def check_quote(quote, ends, packets):
    """What a record says of a packet stands in the packet."""
    if quote.get("packet") is None:
        return
    expect(1 <= quote["packet"] <= len(packets), "no such packet", quote)
    packet = packets[quote["packet"] - 1]
    if packet.spoilt:
        return
    expect(quote["t"] == stamp(packet.time), quote, "passed at", stamp(packet.time))
    for name, wanted in (("flags", flags_of(packet)), ("seq_abs", packet.seq % 2**32),
                         ("len", len(packet.payload)),
                         ("ack_abs", packet.ack % 2**32 if packet.flags & ACK else None)):
        found = quote[name]
        same = sorted(found) == sorted(wanted) if name == "flags" else found == wanted
        expect(same, name, "is", wanted, "in the packet quoted by", quote)
    sender = ends[quote["from"]]
    expect((sender["ip"], sender["port"]) == (str(packet.source), packet.ports[0]), quote,
           "was sent by", packet.source, packet.ports[0])


def check_report(report, records):
    summary = records[-1]["lastack"]
    expect(report["capture"] == summary["capture"], "the report's capture differs from summary's")
    flows = [r["lastack"]["flow_uid"] for r in records if kind(r) == "flow"]
    listed = [flow["lastack"]["flow_uid"] for flow in report["flows"]]
    expect(sorted(listed) == sorted(flows), "the report lists other flows")
    events = sum(problem["count"] for problem in report["problems"])
    left_out = report["summary"]["left_out"]["problems"]
    expect(events + left_out == sum(r["event"]["dataset"] == "lastack.event" for r in records),
           "problems hold", events, "events")


def check_text(text):
    plain = text.decode("utf-8", "strict")
    expect(all(c.isprintable() or c == "\n" for c in plain), "text with control characters")


def check_schema(path, ndjson, report):
    names = [path + end for end in (".schema", ".ndjson", ".json")]
    for name, content in zip(names, (run(["--schema"]), ndjson, report)):
        with open(name, "wb") as file:
            file.write(content)
    result = subprocess.run([sys.executable, os.path.join(HERE, "validate-schema.py"), *names],
                            capture_output=True, text=True, check=False)
    expect(result.returncode in (0, 77), "schema:", result.stdout[:2000], result.stderr[:500])


# The rounds.

def complaint(packets, damage, folder, options, schema=False):
    """What the program breaks with this input; None when nothing."""
    path = os.path.join(folder, "input.pcap")
    write_capture(packets, path, damage)
    try:
        check_all(path, packets, damage is not None, options.threads, schema)
    except Broken as error:
        return str(error)
    except (ValueError, KeyError, IndexError, TypeError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {error}"
    return None


def reduce(packets, fails):
    """Leaves packets out while it still fails; bounded."""
    size, tries = max(1, len(packets) // 2), 0
    while size and tries < 150:
        at = 0
        while at < len(packets) and tries < 150:
            fewer, tries = packets[:at] + packets[at + size:], tries + 1
            if fewer and fails(fewer):
                packets = fewer
            else:
                at += size
        size //= 2
    return packets


def keep(options, number, packets, damage, why):
    """Reduces a failure and keeps it with what was said."""
    first = " ".join(why.split()[:3])
    with tempfile.TemporaryDirectory() as folder:
        def fails(fewer):
            return same_failure(complaint(fewer, None, folder, options), why)
        if damage is None and not options.whole:
            packets = reduce(packets, fails)
            why = complaint(packets, None, folder, options) or why
    name = os.path.join(options.keep, f"{options.seed}-{number}")
    write_capture(packets, name + ".pcap", damage)
    with open(name + ".txt", "w", encoding="utf-8") as file:
        file.write(why + "\n")
    print(f"not ok {number} - {first}: {name}.pcap ({len(packets)} packets)\n# {why[:1500]}",
          flush=True)


def same_failure(found, wanted):
    """The same promise broken: the words that carry no numbers are the same."""
    def words(text):
        return [w for w in text.split()[:12] if w.isalpha()][:6]
    return found is not None and words(found) == words(wanted)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captures", nargs="*", metavar="CAPTURE.pcap")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--count", type=int, default=100, help="rounds at most")
    parser.add_argument("--seconds", type=float, default=600, help="begin no round after this long")
    parser.add_argument("--only", type=int, default=None, metavar="ROUND")
    parser.add_argument("--keep", default=".", metavar="FOLDER", help="where failures are kept")
    parser.add_argument("--threads", default="2,4", help="numbers of threads, or none")
    parser.add_argument("--schema-every", type=int, default=10, metavar="N", help="0: never")
    parser.add_argument("--whole", action="store_true", help="do not reduce what fails")
    options = parser.parse_args()
    options.seed = random.getrandbits(32) if options.seed is None else options.seed
    options.threads = [int(n) for n in options.threads.split(",") if n != "none"]
    os.makedirs(options.keep, exist_ok=True)
    return options


def main():
    options = read_arguments()
    seeds = read_seeds(options.captures)
    print(f"# seed {options.seed}", flush=True)
    begin, done, failures = time.monotonic(), 0, 0
    numbers = range(options.count) if options.only is None else [options.only]
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            if time.monotonic() - begin > options.seconds:
                break
            rng = random.Random(f"{options.seed}/{number}")
            packets, damage = make_round(rng, seeds)
            schema = options.schema_every and number % options.schema_every == 0
            why = complaint(packets, damage, folder, options, schema)
            done += 1
            if why:
                failures += 1
                keep(options, number, packets, damage, why)
    print(f"# {done} rounds, {failures} failed, {time.monotonic() - begin:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
