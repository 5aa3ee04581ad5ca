#!/usr/bin/env python3
"""What spans connections: the census by host, and the events of hosts and services.

Captures are made here from a list of exchanges; what the census is to say of them is counted beside,
from the same list.
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
START = 1_700_000_000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = "10.1.0.1", "10.2.0.2"


def address(text):
    return bytes(int(part) for part in text.split("."))


class Capture:
    """Segments with their times; written sorted by time, as a raw IPv4 pcap."""

    def __init__(self):
        self.frames = []

    def send(self, t, source, sport, destination, dport, flags, seq, ack=0, payload=b""):
        """One segment at t seconds."""
        tcp = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 5 << 4,
                          flags, 65000, 0, 0) + payload
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), len(self.frames) & 0xffff, 0, 64,
                         6, 0, address(source), address(destination))
        self.frames.append((t, len(self.frames), ip + tcp))

    def opens(self, t, port, client=CLIENT, server=SERVER, dport=80, isn=1000):
        """A whole handshake, 1 ms a step; returns the time after it."""
        self.send(t, client, port, server, dport, SYN, isn)
        self.send(t + .001, server, dport, client, port, SYN | ACK, isn + 500000, isn + 1)
        self.send(t + .002, client, port, server, dport, ACK, isn + 1, isn + 500001)
        return t + .003

    def closes(self, t, port, first="client", client=CLIENT, server=SERVER, dport=80, isn=1000):
        """Both FINs and their ACKs, 1 ms a step."""
        ends = [(client, port, server, dport, isn + 1, isn + 500001),
                (server, dport, client, port, isn + 500001, isn + 1)]
        x, y = ends if first == "client" else reversed(ends)
        self.send(t, *x[:4], FIN | ACK, x[4], x[5])
        self.send(t + .001, *y[:4], FIN | ACK, y[4], y[5] + 1)
        self.send(t + .002, *x[:4], ACK, x[4] + 1, x[5] + 1)

    def short(self, t, port, first="client", **ends):
        """A connection that is opened and closed at once."""
        self.closes(self.opens(t, port, **ends), port, first, **ends)

    def pcap(self):
        out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
        for t, _, frame in sorted(self.frames):
            micros = round((START + t) * 1_000_000)
            out += struct.pack("<IIII", micros // 1_000_000, micros % 1_000_000, len(frame),
                               len(frame)) + frame
        return out


def records(capture, *arguments):
    """All NDJSON records; once with one thread and once with three, which must agree."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(capture.pcap())
        file.flush()
        outputs = [subprocess.run([LASTACK, "--ndjson", "--threads", threads, *arguments, file.name],
                                  capture_output=True, check=True).stdout
                   for threads in ("1", "3")]
    if outputs[0] != outputs[1]:
        raise SystemExit("Bail out! the number of threads changes the records")
    return [json.loads(line) for line in outputs[0].splitlines()]


def events(found, action):
    return [r for r in found if r["event"].get("action") == action]


def host(found, scope, ip=None):
    for record in found:
        if record["event"]["dataset"] != "lastack.host" or record["lastack"]["scope"] != scope:
            continue
        if ip is None or (record["source"] or record["destination"])["ip"] == ip:
            return record["lastack"]
    return None


def packet_flags(event, role):
    return [e["flags"] for e in event["lastack"]["evidence"] if e["role"] == role]


def check_census(tap):
    capture = Capture()
    for i in range(30):  # one every second; two thirds closed by the client
        capture.short(i, 40000 + i, "client" if i % 3 else "server")
    capture.opens(31, 41000)
    found = records(capture)
    pair, service, source = (host(found, scope) for scope in ("pair", "service", "source"))
    for name, entry in (("pair", pair), ("service", service), ("source", source)):
        count = entry["connections"]
        tap.ok((count["opened"], count["answered"], count["established"], count["closed"])
               == (31, 31, 31, 30), "%s: connections counted" % name, count)
        tap.ok((count["closed_first"]["client"], count["closed_first"]["server"]) == (20, 10),
               "%s: who closed first" % name, count)
        stocks = entry["time_wait"]
        tap.ok((stocks["client"]["now"], stocks["server"]["now"]) == (20, 10),
               "%s: TIME_WAIT held on each side" % name, stocks)
        points = entry["series"]["points"]
        tap.ok(len(points) == 17 and all(p["opened"] == 1 for p in points[:15]) and
               [p["client_time_wait"] for p in points[:4]] == [10, 11, 12, 12] and
               points[0]["t"] == "2023-11-14T22:13:35.000000Z",
               "%s: the same over time" % name, points[:4])
    ports = pair["ports"]
    tap.ok((ports["in_use"]["now"], ports["low"], ports["high"], ports["reuses"]) ==
           (21, 40000, 41000, 0), "the source's ports", ports)
    tap.ok(service["dwell_times"]["CLOSE_WAIT"]["count"] == 30 and pair["dwell_times"] is None,
           "dwell times of the service", service["dwell_times"])
    loud = [r["event"]["action"] for r in found if r["event"]["dataset"] == "lastack.event" and
            r["lastack"]["level"] in ("warning", "error")]
    tap.ok(not loud, "no warning", loud)


def check_time_wait_leaves(tap):
    """After 2MSL the stock is given back, and the maximum stays."""
    capture = Capture()
    for i in range(10):
        capture.short(i, 40000 + i)
    capture.opens(200, 42000)
    stock = host(records(capture), "pair")["time_wait"]["client"]
    tap.ok((stock["now"], stock["most"]) == (0, 10), "TIME_WAIT ends after 2MSL", stock)
    longer = host(records(capture, "--msl", "120"), "pair")["time_wait"]["client"]
    tap.ok(longer["now"] == 10, "--msl decides", longer)


def check_accumulation(tap):
    capture = Capture()
    for i in range(100):
        capture.short(i * .1, 40000 + i)
    found = events(records(capture, "--set", "usable_ports=100"), "tw_accumulation")
    told = [(e["lastack"]["level"], e["lastack"]["numbers"]["time_wait"]) for e in found]
    tap.ok(told == [("info", 10), ("warning", 50), ("error", 90)],
           "tw_accumulation: once a level", told)
    tap.ok(all(packet_flags(e, "trigger") for e in found) and found[0]["source"]["ip"] == CLIENT,
           "with the packet that did it")
    found = records(capture)
    tap.ok(not events(found, "tw_accumulation"), "100 of 28,232 ports are none")
    capture = Capture()
    for i in range(100):
        capture.short(i * .1, 40000 + i, "server")
    found = records(capture, "--set", "usable_ports=100")
    tap.ok(not events(found, "tw_accumulation"), "TIME_WAIT on the server keeps no port")
    (side,) = events(found, "server_side_tw")
    tap.ok(side["lastack"]["level"] == "info" and
           side["lastack"]["numbers"]["server_first"] == 100, "server_side_tw", side["lastack"])
    capture.short(11, 50000)
    for i in range(20):
        capture.short(12 + i * .1, 50001 + i)
    tap.ok(not events(records(capture), "server_side_tw"), "100 of 121 are not 90 %")
    few = Capture()
    for i in range(19):
        few.short(i * .1, 40000 + i, "server")
    tap.ok(not events(records(few), "server_side_tw"), "19 are not 20")


def walk(range_size, count, spacing, reuse=True):
    """Ports taken one after another from a range, coming round; closed by the client at once."""
    capture = Capture()
    for i in range(count):
        port = 40000 + (i % range_size if reuse else i)
        capture.short(i * spacing, port, isn=1000 + i * 1_000_000)
    return capture


def check_exhaustion(tap):
    found = events(records(walk(30, 40, .5)), "port_exhaustion_suspected")
    tap.ok(len(found) == 1, "port_exhaustion_suspected: one event for the episode", len(found))
    lastack = found[0]["lastack"]
    tap.ok(lastack["level"] == "error" and lastack["numbers"]["port_low"] == 40000 and
           lastack["numbers"]["port_high"] == 40029 and lastack["numbers"]["percent"] >= 80 and
           lastack["blame"] == "client", "the range and how full it is", lastack["numbers"])
    tap.ok(not events(records(walk(30, 40, .5, reuse=False)), "port_exhaustion_suspected"),
           "ports in a row that are not taken again")
    tap.ok(not events(records(walk(19, 40, .5)), "port_exhaustion_suspected"),
           "19 ports say nothing")
    tap.ok(not events(records(walk(30, 60, 3.5)), "port_exhaustion_suspected"),
           "ports taken again after 2MSL")
    sparse = Capture()
    for i in range(40):  # every second port of the range, and one of them again
        sparse.short(i * .2, 40000 + 2 * (i % 39), isn=1000 + i * 1_000_000)
    tap.ok(not events(records(sparse), "port_exhaustion_suspected"), "half of the range is free")
    steps = Capture()
    for i in range(200):  # every third port, coming round
        steps.short(i * .1, 40000 + 3 * i % 40, isn=1000 + i * 1_000_000)
    for title, capture, packet in (("fresh", steps, 31 * 6 + 1), ("again", walk(30, 40, .5), 181)):
        (event,) = found = events(records(capture), "port_exhaustion_suspected")
        lastack = event["lastack"]
        tap.ok(lastack["evidence"][0]["packet"] == packet and event["source"]["packets"] == 1 and
               lastack["states"]["client"]["after"] == "SYN_SENT",
               f"{title}: decided by the SYN that takes the port", event)
        numbers = lastack["numbers"]
        tap.ok(numbers["ports_in_use"] == numbers["time_wait"] + 1,
               f"{title}: which is one of those in use", numbers)
        tap.ok(all(found == events(records(capture, *words), "port_exhaustion_suspected")
                   for words in (("--transitions",), ("--segments", "all"))),
               f"{title}: whatever else is written")


def check_churn(tap):
    fast = walk(30000, 2300, .0045)  # 222 a second
    found = events(records(fast), "connection_churn")
    tap.ok(len(found) == 1 and found[0]["lastack"]["numbers"]["closed"] == 2000,
           "connection_churn at 222 a second", [e["lastack"]["numbers"] for e in found])
    tap.ok(found[0]["lastack"]["numbers"]["client_time_wait"] == 2000,
           "with the TIME_WAITs it left", found[0]["lastack"]["numbers"])
    slow = walk(30000, 2300, .0055)  # 182 a second
    tap.ok(not events(records(slow), "connection_churn"), "none at 182 a second")
    brief = walk(30000, 1900, .0045)
    tap.ok(not events(records(brief), "connection_churn"), "none that lasts under 10 s")


def flood(seconds, rate, answered=True, completed=0.0, repeated=False, retried=0.0, seed=1):
    draw = random.Random(seed)
    capture = Capture()
    for i in range(int(seconds * rate)):
        t, isn = i / rate, draw.getrandbits(31)
        client = "172.%d.%d.%d" % (draw.randrange(16, 32), draw.randrange(256), draw.randrange(256))
        port = draw.randrange(1024, 65536)
        capture.send(t, client, port, SERVER, 80, SYN, isn)
        if answered:
            capture.send(t + .0001, SERVER, 80, client, port, SYN | ACK, 77, isn + 1)
        if repeated:
            capture.send(t + 1.0001, SERVER, 80, client, port, SYN | ACK, 77, isn + 1)
        if draw.random() < retried:
            capture.send(t + 1, client, port, SERVER, 80, SYN, isn)
        if draw.random() < completed:
            capture.send(t + .0002, client, port, SERVER, 80, ACK, isn + 1, 78)
    return capture


def check_flood(tap):
    found = events(records(flood(20, 100)), "syn_flood")
    tap.ok(len(found) == 1, "syn_flood: one event for the episode", len(found))
    lastack = found[0]["lastack"]
    numbers = lastack["numbers"]
    tap.ok(lastack["level"] == "warning" and lastack["blame"] == "attacker" and
           1900 <= numbers["syns"] <= 2000 and abs(numbers["addresses"] - numbers["syns"]) < 200 and
           numbers["established"] == 0 and 90 <= numbers["per_second_most"] <= 110,
           "its numbers", numbers)
    tap.ok(lastack["details"]["syn_cookies"] == "yes", "nothing was repeated: cookies",
           lastack["details"])
    (again,) = events(records(flood(20, 100, repeated=True)), "syn_flood")
    tap.ok(again["lastack"]["details"]["syn_cookies"] == "no", "SYN-ACKs repeated: no cookies")
    (lone,) = events(records(flood(20, 100, answered=False)), "syn_flood")
    tap.ok(lone["lastack"]["confidence"] == "possible" and
           (lone["lastack"]["numbers"]["answered"], lone["lastack"]["details"]["syn_cookies"]) ==
           (0, "unknown"), "nothing is answered, and nobody repeats a SYN", lone["lastack"])
    tap.ok(not events(records(flood(20, 100, answered=False, retried=1)), "syn_flood"),
           "clients of a server that is down repeat theirs: it is not flooded")
    tap.ok(not events(records(flood(20, 100, answered=False, retried=.2)), "syn_flood"),
           "some of them may give up sooner")
    tap.ok(not events(records(flood(20, 100, answered=False, completed=1)), "syn_flood"),
           "answers that pass elsewhere: the clients go on")
    tap.ok(not events(records(flood(20, 100, completed=.5)), "syn_flood"),
           "a load of which half completes is none")
    tap.ok(not events(records(flood(20, 45)), "syn_flood"), "450 in 10 s are none")
    capture = flood(15, 100)
    capture.opens(60, 50000)
    more = flood(15, 100, seed=2)
    capture.frames += [(t + 100, 10**6 + n, frame) for t, n, frame in more.frames]
    tap.ok(len(events(records(capture), "syn_flood")) == 2, "two episodes, two events")


def check_queue(tap):
    capture = Capture()
    capture.opens(0, 40000)
    for t in (.5, 1.5, 3.5, 7.5):
        capture.send(t, CLIENT, 40001, SERVER, 80, SYN, 5)
    capture.opens(.7, 40002)
    capture.opens(20, 40003)
    found = records(capture)
    (queue,) = events(found, "accept_queue_overflow")
    tap.ok(queue["lastack"]["suppresses"] == ["syn_no_answer"] and
           not events(found, "syn_no_answer") and queue["source"]["port"] == 40001,
           "accept_queue_overflow: a SYN without an answer while others have one")
    flow = [r for r in found if r["event"]["dataset"] == "lastack.flow" and
            r["source"]["port"] == 40001][0]
    tap.ok(flow["lastack"]["events"] == ["accept_queue_overflow"], "the flow names it, too",
           flow["lastack"]["events"])
    summary = found[-1]["lastack"]["summary"]["events"]["by_id"]
    tap.ok(summary["accept_queue_overflow"] == 1 and summary["syn_no_answer"] == 0,
           "and the summary")
    late = Capture()
    late.opens(0, 40000)
    for t in (5.2, 6.2, 8.4, 12.5):
        late.send(t, CLIENT, 40001, SERVER, 80, SYN, 5)
    late.opens(20, 40002)
    found = records(late)
    tap.ok(len(events(found, "syn_no_answer")) == 1 and not events(found, "accept_queue_overflow"),
           "the others were answered seconds before and after: nobody knows")
    other = Capture()
    other.opens(.5, 40000, dport=443)
    for t in (.5, 1.5, 3.5, 7.5):
        other.send(t, CLIENT, 40001, SERVER, 80, SYN, 5)
    other.opens(20, 40002, dport=443)
    tap.ok(not events(records(other), "accept_queue_overflow"), "another service was answered")


def check_leaks(tap):
    def leaking(count):
        capture = Capture()
        for i in range(count):
            t = capture.opens(i, 40000 + i)
            capture.send(t, CLIENT, 40000 + i, SERVER, 80, FIN | ACK, 1001, 501001)
            capture.send(t + .001, SERVER, 80, CLIENT, 40000 + i, ACK, 501001, 1002)
        capture.opens(120, 50000)
        return events(records(capture), "close_wait_leak")
    levels = [e["lastack"]["level"] for e in leaking(12)]
    tap.ok(levels == ["warning"] * 9 + ["error"] * 3, "close_wait_leak: an error from the tenth on",
           levels)
    tap.ok(set(e["lastack"]["level"] for e in leaking(9)) == {"warning"}, "nine are warnings")


def said(event, words):
    """What evidence says with these words, in order: (packet, what it says)."""
    return [(e["packet"], e["says"]) for e in event["lastack"]["evidence"] if words in e["says"]]


def check_worst_leaks(tap):
    """The worst of a leak: the sockets that are longest in CLOSE_WAIT, and still there."""
    capture = Capture()
    for i in range(30):
        t = capture.opens(i, 40000 + i)
        capture.send(t, CLIENT, 40000 + i, SERVER, 80, FIN | ACK, 1001, 501001)
        capture.send(t + .001, SERVER, 80, CLIENT, 40000 + i, ACK, 501001, 1002)
    for i in (1, 2):  # the application closes these at last
        capture.send(75 + i * .1, SERVER, 80, CLIENT, 40000 + i, FIN | ACK, 501001, 1002)
        capture.send(75.01 + i * .1, CLIENT, 40000 + i, SERVER, 80, ACK, 1002, 501002)
    capture.opens(120, 50000)
    found = [e for e in events(records(capture), "close_wait_leak")
             if e["lastack"]["level"] == "error"]
    first, last = found[0], found[-1]
    ports = [int(says.split(" is in")[0].rsplit(":")[-1])
             for _, says in said(first, "is in CLOSE_WAIT from here on")]
    tap.ok(sorted(ports) == list(range(40000, 40008)), "the eight that are longest in CLOSE_WAIT",
           first["lastack"]["evidence"])
    packet, says = said(first, ":40000 is in")[0]
    tap.ok(packet == 5 and says == "10.1.0.1:40000 is in CLOSE_WAIT from here on, for 69.0 s now", "with the packet and the time", (packet, says))
    tap.ok(first["lastack"]["numbers"]["leaks_per_hour"] == 4000 and
           first["lastack"]["numbers"]["worst_close_wait_ns"] == 69_000_000_000 and
           "Longest there: 10.1.0.1:40000 (69.0 s), 10.1.0.1:40001 (68.0 s), 10.1.0.1:40002 "
           "(67.0 s)." in first["lastack"]["explanation"], "in numbers and in the sentence",
           first["lastack"]["numbers"], first["lastack"]["explanation"])
    gone = [says for _, says in said(last, ":40001 is in") + said(last, ":40002 is in")]
    tap.ok(not gone and len(said(last, "is in CLOSE_WAIT from here on")) == 8 and
           len(said(last, ":40009 is in")) == 1, "those that were closed make room",
           last["lastack"]["evidence"])


def check_worst_ports(tap):
    """The worst of ports that run out: most attempts, then ports taken again soonest."""
    (event,) = events(records(walk(30, 40, .5)), "port_exhaustion_suspected")
    worst = said(event, "port 40000: taken again after 15.0 s")
    tap.ok(len(worst) == 1 and len(said(event, "closed after 4.00 ms")) == 7 and
           packet_flags(event, "trigger") == ["S"], "the port that was taken again, and others",
           event["lastack"]["evidence"])
    capture = walk(30, 30, .5)
    for port, times in ((40100, (0, 1)), (40101, (0, 1, 3)), (40102, (0, 1.5))):
        for t in times:
            capture.send(12 + t + port / 1e6, CLIENT, port, SERVER, 80, SYN, 5)
    for i in range(90):
        capture.short(15.2 + i * .01, 40030 + i if i < 70 else 40000 + i - 70,
                      isn=9_000_000 + i * 1_000_000)
    (event,) = events(records(capture), "port_exhaustion_suspected")
    worst = [says for _, says in said(event, "tried")]
    tap.ok(worst == ["port 40101: tried 3 times in 3.00 s",
                     "port 40102: tried 2 times in 1.50 s", "port 40100: tried 2 times in 1.00 s"],
           "those that tried most, then longest", event["lastack"]["evidence"])
    tap.ok(event["lastack"]["numbers"]["worst_attempts"] == 3 and
           "Worst of its connections: port 40101 (tried 3 times in 3.00 s), port 40102 (tried 2 "
           "times in 1.50 s), port 40100" in event["lastack"]["explanation"],
           "in numbers and in the sentence", event["lastack"]["explanation"])


def check_worst_sources(tap):
    """The worst of a flood: the addresses with most SYNs, from a hundredth of all on."""
    (spread,) = events(records(flood(20, 100)), "syn_flood")
    tap.ok(spread["lastack"]["numbers"]["worst_addresses"] == 0 and
           "No address sent as many as a hundredth of them." in spread["lastack"]["explanation"],
           "none stands out of forged addresses", spread["lastack"]["explanation"])
    capture = flood(20, 60)
    for i in range(800):
        client = "10.7.0.%d" % (1 if i % 8 < 5 else 2 if i % 8 < 7 else 3)
        capture.send(i / 40 + .002, client, 2000 + i, SERVER, 80, SYN, 9)
    (event,) = events(records(capture), "syn_flood")
    numbers = event["lastack"]["numbers"]
    syns = numbers["syns"]
    named = [says.split("SYN of ")[1].split(",")[0] for _, says in said(event, "the latest SYN of")]
    sent = {"10.7.0.1": 500, "10.7.0.2": 200, "10.7.0.3": 100}
    tap.ok(named[:2] == ["10.7.0.1", "10.7.0.2"] and len(named) <= 8,
           "the addresses with most SYNs", event["lastack"]["evidence"])
    tap.ok(.8 * sent["10.7.0.1"] <= numbers["worst_address_syns"] <= sent["10.7.0.1"] and
           syns <= 2000 and "Most came from 10.7.0.1 (" in event["lastack"]["explanation"],
           "never more than they sent", numbers)


def check_idle(tap):
    def silent(others):
        capture = Capture()
        t = capture.opens(0, 40000)
        for again in (100, 100.3, 100.9, 102.1, 104.5):
            capture.send(again, CLIENT, 40000, SERVER, 80, PSH | ACK, 1001, 501001, b"x" * 10)
        if others:
            capture.opens(t + 101, 40001)
        capture.opens(200, 40002, server="10.9.9.9")
        (event,) = events(records(capture), "idle_drop_silent")
        return event["lastack"]
    alone, known = silent(False), silent(True)
    tap.ok((alone["level"], alone["confidence"]) == ("warning", "possible"),
           "idle_drop_silent: the host may be down", alone["level"])
    tap.ok((known["level"], known["confidence"]) == ("error", "probable") and
           known["details"]["peer_on_other_flows"] == "alive",
           "the host answers on other connections", known["details"])


def check_report(tap):
    capture = Capture()
    for i in range(15):
        capture.short(i * .1, 40000 + i)
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(capture.pcap())
        file.flush()
        report = json.loads(subprocess.run([LASTACK, "--json", file.name], capture_output=True,
                                           check=True).stdout)
        text = subprocess.run([LASTACK, "--text", file.name], capture_output=True, text=True,
                              check=True).stdout
    scopes = [h["lastack"]["scope"] for h in report["hosts"]]
    tap.ok(scopes == ["source", "service", "pair"], "the report's hosts", scopes)
    tap.ok("%s -> %s port 80: 15 connections" % (CLIENT, SERVER) in " ".join(text.split()),
           "the text names the busiest")


def check_bounds(tap):
    draw = random.Random(3)
    capture = Capture()
    for i in range(3000):
        client = "10.3.%d.%d" % (draw.randrange(256), draw.randrange(256))
        capture.short(i * .01, 40000, client=client, dport=draw.randrange(1, 1000))
    found = records(capture, "--set", "census_pairs=100", "--set", "census_records=7")
    hosts = [r["lastack"]["scope"] for r in found if r["event"]["dataset"] == "lastack.host"]
    tap.ok(len(hosts) == 21, "as many records of a kind as were asked for", len(hosts))
    tap.ok(found[-1]["lastack"]["summary"]["limits"]["hosts_left_out"] > 2000,
           "what was left out is counted", found[-1]["lastack"]["summary"]["limits"])


def check_same_again(tap):
    """Of more than 4096 pairs those that come once get no entry, but for some that are taken for
    another: the same ones in every run."""
    capture = Capture()
    for i in range(7000):
        capture.short(i * .01, 40000, client="10.3.%d.%d" % (i // 250, 1 + i % 250))
    limits = records(capture)[-1]["lastack"]["summary"]["limits"]
    tap.ok(limits["hosts_left_out"] > 0, "pairs are left out, the same in two runs", limits)


def main():
    tap = Tap()
    for check in (check_census, check_time_wait_leaves, check_accumulation, check_exhaustion,
                  check_churn, check_flood, check_queue, check_leaks, check_worst_leaks,
                  check_worst_ports, check_worst_sources, check_idle, check_report, check_bounds,
                  check_same_again):
        check(tap)
    return tap.end()


sys.exit(main())
