#!/usr/bin/env python3
"""Two taps, one story: what is said to be lost, held, doubled and injected between two captures is
what the path between them did, packet for packet, whatever the clocks of the taps show.

The captures come of a simulated path (tests/tools/tapsim.py), which keeps a log of its own.
"""
import collections
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))

from tap import Tap  # noqa: E402
import tapsim  # noqa: E402
from tapsim import MS, SECOND, START, Lab, Weather  # noqa: E402

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
EVENTS = {"lost": "lost_between_taps", "held": "delayed_between_taps",
          "injected": "injected_between_taps"}
ROUGH = Weather(loss=.03, hold=.01, double=.01, inject=.05)


class Answer:
    """What lastack says of several taps."""

    def __init__(self, words):
        run = subprocess.run([LASTACK, *words, "--ndjson"], capture_output=True, check=False)
        self.status, self.errors = run.returncode, run.stderr.decode()
        self.text = run.stdout
        self.records = [json.loads(line) for line in run.stdout.splitlines()]

    def of(self, dataset):
        return [record for record in self.records
                if record["event"]["dataset"] == "lastack." + dataset]

    def events(self, event):
        return [record for record in self.of("event") if record["event"]["action"] == event]

    def triggers(self, event):
        """{(tap, packet): confidence} of all events of an id."""
        return {(evidence["tap"], evidence["packet"]): record["lastack"]["confidence"]
                for record in self.events(event) for evidence in record["lastack"]["evidence"]
                if evidence["role"] == "trigger"}

    def counts(self):
        total = collections.Counter()
        for record in self.of("path"):
            for direction in record["lastack"]["direction"].values():
                total.update({key: value for key, value in direction.items()
                              if isinstance(value, int)})
        return total


def simulated(seed, weather, connections, apart=3 * MS):
    lab = Lab(seed, weather)
    for number in range(connections):
        lab.connect(START + lab.random.randrange(connections * apart), number)
    lab.run()
    return lab


class Desk:
    """Captures in a folder, and what is said of them."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name + ".pcap")

    def write(self, name, segments, **clock):
        tapsim.write(self.path(name), segments, **clock)
        return name + "=" + self.path(name)

    def ask(self, *taps):
        return Answer([word for tap in taps for word in ("--tap", tap)])


def check_account(tap, lab, answer, name):
    """Every loss, every segment held and every one injected: told, and no other."""
    for kind, event in EVENTS.items():
        want, told = set(lab.log[kind]), set(answer.triggers(event))
        tap.ok(want == told, "%s: %d segments %s, each told" % (name, len(want), kind),
               "not told: %s" % sorted(want - told)[:10], "told: %s" % sorted(told - want)[:10])
    counts = answer.counts()
    tap.ok(counts["lost"] == len(lab.log["lost"]) and counts["duplicated"] >=
           len(lab.log["doubled"]) * .9 and counts["missed"] <= 2 and counts["changed"] == 0,
           "%s: the records count them" % name, counts, {k: len(v) for k, v in lab.log.items()})


def check_clock(tap, answer, offset, drift, name):
    """The stated offset and drift are right within the stated error."""
    wrong = []
    for record in answer.of("path"):
        clock = record["lastack"]["clock"]
        at = tapsim_time(clock["at"])
        true = offset + (at - START) * drift
        if abs(clock["offset"] - true) > clock["error"]:
            wrong.append("offset %s at %s, of %d" % (clock["offset"], clock["at"], true))
        if abs(clock["drift_ppb"] - drift * 1e9) > clock["drift_error_ppb"]:
            wrong.append("drift %s, of %s" % (clock["drift_ppb"], drift * 1e9))
    tap.ok(answer.of("path") and not wrong, "%s: the clocks are right within their error" % name,
           *wrong[:5])
    return max(record["lastack"]["clock"]["error"] for record in answer.of("path"))


def tapsim_time(text):
    """ns since the epoch, of one on the first days after START."""
    clock, fraction = text[11:-1].split(".")
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    days = int(text[8:10]) - 14
    return (1_699_920_000 + days * 86400 + hours * 3600 + minutes * 60 + seconds) * SECOND + int(
        fraction.ljust(9, "0"))


def check_paths(tap, desk):
    """Random paths: with and without timestamps, gentle and rough, and clocks that are wrong."""
    lab = simulated(1, ROUGH, 300)
    taps = desk.write("client", lab.taps["client"]), desk.write("server", lab.taps["server"])
    answer = desk.ask(*taps)
    check_account(tap, lab, answer, "a rough path")
    check_clock(tap, answer, 0, 0, "a rough path")
    tap.ok(desk.ask(*taps).text == answer.text, "a rerun says the same to the letter")
    plain = {record["event"]["action"] for record in Answer([desk.path("client")]).of("event")}
    tap.ok(not plain & set(EVENTS.values()), "one capture alone: no such event", plain)

    skewed = desk.write("server", lab.taps["server"], offset=3 * SECOND, drift=50e-6)
    answer = desk.ask(taps[0], skewed)
    check_account(tap, lab, answer, "a clock 3 s ahead that gains 50 ppm")
    error = check_clock(tap, answer, 3 * SECOND, 50e-6, "a clock 3 s ahead that gains 50 ppm")
    tap.ok(error < 12 * MS, "the error is little more than the least delay", error)

    far = desk.write("server", lab.taps["server"], offset=-400 * 86400 * SECOND)
    check_account(tap, lab, desk.ask(taps[0], far), "a clock that was never set")

    bare = simulated(2, dataclasses.replace(ROUGH, ts=False, loss=.1), 200)
    answer = desk.ask(desk.write("client", bare.taps["client"]),
                      desk.write("server", bare.taps["server"]))
    check_account(tap, bare, answer, "a tenth lost, without timestamps")


def check_step(tap, desk):
    """A clock that is set while the capture runs is found out: nothing is lost, or held, by it."""
    lab = simulated(50, ROUGH, 150)
    client = desk.write("client", lab.taps["client"])
    at = START + 300 * MS
    for by in (5 * MS, -30 * MS, 50 * MS, SECOND, -10 * SECOND):
        server = [dataclasses.replace(segment, t=segment.t + by * (segment.t > at))
                  for segment in lab.taps["server"]]
        name = "a clock set by %d ms in between" % (by // MS)
        server = desk.write("server", server)
        for order in ((client, server), (server, client)):
            answer = desk.ask(*order)
            check_account(tap, lab, answer, name)
        starts = {tapsim_time(record["event"]["start"]): record["lastack"]["clock"]
                  for record in answer.of("path")}
        early = min(start for start in starts if start >= START)
        late = max([start for start in starts if start < START] or starts)
        wrong = [starts[start] for start, true in ((early, 0), (late, -by)) # of the order asked last
                 if abs(starts[start]["offset"] - true) > starts[start]["error"]]
        tap.ok(not wrong, "%s: the offset stated before and after it is right" % name, wrong)


def check_order(tap, desk):
    """The first tap may be the server's: the same losses, by the same names."""
    lab = simulated(3, Weather(loss=.05), 100)
    answer = desk.ask(desk.write("server", lab.taps["server"]),
                      desk.write("client", lab.taps["client"]))
    seen = {(segment.source, segment.target) for segment in lab.taps["server"]}
    want = {(name, number) for name, number in lab.log["lost"]
            if (lab.taps[name][number - 1].source, lab.taps[name][number - 1].target) in seen}
    told = set(answer.triggers("lost_between_taps"))
    tap.ok(want == told, "the server's tap first: %d losses, each told" % len(want),
           sorted(want ^ told)[:10])
    near = {record["lastack"]["near_client"] for record in answer.of("path")}
    tap.ok(near <= {"client", None}, "the tap near the client is known", near)


def check_drift(tap, desk):
    """Over minutes, a drift is told from none."""
    lab = simulated(4, Weather(), 200, apart=3 * SECOND)
    taps = desk.write("client", lab.taps["client"]), None
    for drift in (50e-6, -50e-6, 0):
        answer = desk.ask(taps[0], desk.write("server", lab.taps["server"], offset=3 * SECOND,
                                              drift=drift))
        name = "ten minutes at %+.0f ppm" % (drift * 1e6)
        check_clock(tap, answer, 3 * SECOND, drift, name)
        clock = answer.of("path")[-1]["lastack"]["clock"]
        tap.ok(abs(clock["drift_ppb"] - drift * 1e9) < 10000 and clock["drift_error_ppb"] < 100000,
               "%s: found to 10 ppm" % name, clock)


def check_states(tap, desk):
    """What one tap could only presume, the other shows; without it, it stays presumed."""
    lab = simulated(5, Weather(), 20)
    client = desk.write("client", lab.taps["client"])
    both = desk.ask(client, desk.write("server", lab.taps["server"]))
    alone = Answer([desk.path("client")])

    server = Answer([desk.path("server")])

    def presumed(answer):
        return sum(flow["lastack"][side]["basis"] == "presumed" for flow in answer.of("flow")
                   for side in ("client", "server"))
    tap.ok(presumed(alone) + presumed(server) >= 20 and presumed(both) == 0,
           "no end is presumed where the other tap saw the last segment arrive",
           presumed(alone), presumed(server), presumed(both))


class Told:
    """What both taps show of a connection, and of the next one on its ports."""

    SIDES = ((0x0a000002, 20000), (0x0a000003, 80))

    def __init__(self, identified=True):
        """identified: segments bear IP identifications; else timestamps."""
        self.seen = ([], [])
        self.clock = START
        self.identified = identified

    def send(self, side, flags, seq, ack, payload=b"", transits=(10 * MS,), stamps=None):
        """Leaves at one tap, and comes to the other after each of the transits.  A kernel's reset
        has no identification, so that any two look the same.  stamps: the timestamps, where they
        matter."""
        self.clock += 20 * MS
        reset = flags == tapsim.RST
        tick = self.clock // MS % 60000 + 1
        segment = tapsim.Segment(self.clock, self.SIDES[side], self.SIDES[1 - side], seq, ack,
                                 flags, payload, tick if self.identified and not reset else 0,
                                 None if self.identified or reset else
                                 stamps or (tick, tick - 20), window=0 if reset else 502)
        self.seen[side].append(segment)
        self.seen[1 - side].extend(dataclasses.replace(segment, t=self.clock + transit)
                                   for transit in transits)

    def open_and_ask(self, isn, transits=(10 * MS,)):
        self.send(0, tapsim.SYN, isn, 0)
        self.send(1, tapsim.SYN | tapsim.ACK, isn + 5000, isn + 1)
        self.send(0, tapsim.ACK, isn + 1, isn + 5001)
        self.send(0, tapsim.ACK, isn + 1, isn + 5001, b"q" * 100, transits)
        self.send(1, tapsim.ACK, isn + 5001, isn + 101, b"a" * 600)

    def go_on(self, isn):
        for octets in range(100, 400, 4):
            self.send(0, tapsim.ACK, isn + 1 + octets, isn + 5601, b"more")
            self.send(1, tapsim.ACK, isn + 5601, isn + 5 + octets)

    def captures(self, wanted=lambda segment: True):
        return [sorted(filter(wanted, seen), key=lambda segment: segment.t) for seen in self.seen]


def check_old_copies(tap, desk):
    """A copy of an old reset, or of old octets, comes in the next connection, long after: nobody
    injected it, and no capture missed it."""
    def ask(story, wanted=lambda segment: True):
        client, server = story.captures(wanted)
        return desk.ask(desk.write("client", client), desk.write("server", server))

    def evidence(event):
        return [step["packet"] for step in event["lastack"]["evidence"]]

    for title, of_reset, asked, pause, identified in (
            ("reset", (10 * MS, 2 * SECOND), (10 * MS,), 0, True),
            ("octets", (10 * MS,), (10 * MS, 2 * SECOND), 0, True),
            ("octets 50 s ago", (10 * MS,), (10 * MS, 50 * SECOND), 48 * SECOND, True),
            ("octets with timestamps", (10 * MS,), (10 * MS, 2 * SECOND), 0, False)):
        story = Told(identified)
        story.open_and_ask(1000, asked)
        story.send(0, tapsim.RST, 6601, 0, transits=of_reset)
        story.clock += pause
        story.open_and_ask(900000)
        story.go_on(900000)
        answer = ask(story)
        counts = answer.counts()
        tap.ok(counts["duplicated"] == 1 and
               counts["injected"] == counts["missed"] == counts["lost"] == 0,
               f"{title}: a copy in the next connection is one", counts)
        server = story.captures()[1]
        late = max((segment for segment in server if segment.source == Told.SIDES[0] and
                    segment.seq < 900000), key=lambda segment: segment.t)
        first = min(i for i, segment in enumerate(server) if segment.seq == late.seq and
                    segment.flags == late.flags and segment.payload == late.payload)
        (event,) = answer.events("delayed_between_taps") or ({},)
        tap.ok(event and event["lastack"]["numbers"]["into_incarnation"] == 2 and
               evidence(event)[1:] == [first + 1, server.index(late) + 1],
               f"{title}: which was held, and came into it", event)
        story.seen[0].remove(next(s for s in story.seen[0] if s.seq == late.seq and
                                  s.flags == late.flags and s.payload == late.payload))
        story.seen[1].remove(server[first])
        counts = ask(story).counts()
        tap.ok(counts["duplicated"] == 0, f"{title}: without what it is a copy of, it is none",
               counts)


def check_host_copies(tap, desk):
    """A host says the same three times, in the same packet by its identification: twice before the
    first has come to the other tap, and once more long after.  No path held any of them."""
    for title, flags, payload in (("octets", tapsim.ACK, b"q" * 50), ("a reset", tapsim.RST, b"")):
        story = Told()
        story.open_and_ask(1000)
        story.send(0, tapsim.ACK, 1101, 6601)
        for seen in story.seen:
            last = max(seen, key=lambda segment: segment.t)
            seen += [dataclasses.replace(last, t=last.t + 30 * MS + later, seq=1101, flags=flags,
                                         payload=payload, ip_id=4711) for later in (0, MS, 3 * SECOND)]
        client, server = story.captures()
        answer = desk.ask(desk.write("client", client), desk.write("server", server))
        events = [event for name in EVENTS.values() for event in answer.events(name)]
        tap.ok(not events and answer.counts()["arrived"] >= 7,
               "%s that a host says thrice: no path held it" % title, events, answer.counts())


def check_echoes(tap, desk):
    """Of two segments of one tick the second is lost.  Its receiver echoes that tick as long as
    octets are missing (RFC 7323 4.3), however many later ones have come: it is no sign of it."""
    story = Told(identified=False)
    story.open_and_ask(1000)
    for later in range(12):
        lost = later == 1
        story.send(1, tapsim.ACK, 6601 + 100 * later, 1101, b"d" * 100,
                   () if lost else (10 * MS,), (5000 + max(0, later - 1), 4000))
        if not lost:
            story.send(0, tapsim.ACK, 1101, 6701, stamps=(4010 + later, 5000))
    story.send(1, tapsim.ACK, 6701, 1101, b"d" * 100, stamps=(5200, 4020))
    story.send(0, tapsim.ACK, 1101, 7801, stamps=(4200, 5200))
    client, server = story.captures()
    answer = desk.ask(desk.write("client", client), desk.write("server", server))
    counts = answer.counts()
    tap.ok(counts["lost"] == 1 and counts["missed"] == 0 and
           answer.triggers("lost_between_taps") == {("server", 8): "certain"},
           "an echo of what came before is no sign of a lost segment of the same tick", counts,
           answer.triggers("lost_between_taps"))


def check_testimony(tap, desk):
    """What one tap suspects, the other proves, or takes back."""
    lab = simulated(11, Weather(loss=.05, inject=.1), 150)
    client, server = lab.taps["client"], lab.taps["server"]
    both = desk.ask(desk.write("client", client), desk.write("server", server))
    alone = Answer([desk.path("client")])
    suspected = alone.events("rst_injected_suspected")
    proven = both.events("rst_injected_suspected")
    tap.ok(suspected and len(proven) == len(suspected) and
           {event["lastack"]["confidence"] for event in suspected} == {"possible"} and
           {event["lastack"]["confidence"] for event in proven} == {"certain"},
           "%d resets are suspected by one tap, and certain by both" % len(suspected))
    acks = desk.ask("server=" + desk.path("server"),
                    "client=" + desk.path("client")).events("final_ack_lost")
    tap.ok(acks and all(event["lastack"]["details"].get("second_tap") == "client" and
                        "lost between the two taps" in event["lastack"]["explanation"] and
                        event["lastack"]["confidence"] == "certain" for event in acks),
           "%d lost last ACKs: the other tap says where" % len(acks),
           [event["lastack"]["explanation"] for event in acks])

    third = subprocess.run([LASTACK, "--tap", "client=" + desk.path("client"), "--tap", "server=" +
                            desk.path("server"), "--tap", "third=" + desk.path("server"),
                            "--ndjson"], capture_output=True, check=True).stdout
    heard = [record for record in map(parsed_once, third.splitlines())
             if record["event"].get("action") == "rst_injected_suspected"]
    tap.ok(len(heard) == len(proven) and all("Tap server" in event["lastack"]["explanation"] and
                                             "Tap third" in event["lastack"]["explanation"]
                                             for event in heard),
           "two other taps tell of %d resets, and no key stands twice" % len(heard))

    # the same resets, sent by the server: they pass its tap 10 ms before
    made = [segment for segment in client if segment.flags & tapsim.RST and segment.ttl == 201]
    sent = sorted(server + [dataclasses.replace(segment, t=segment.t - 15 * MS) for segment in made],
                  key=lambda segment: segment.t)
    real = desk.ask(desk.write("client", client), desk.write("server", sent))
    flows = [flow for flow in real.of("flow")
             if "rst_injected_suspected" in flow["lastack"]["events"]]
    tap.ok(not real.events("rst_injected_suspected") and not flows and
           not real.triggers("injected_between_taps"),
           "and taken back where the other tap saw them leave")


def parsed_once(line):
    """The record of a line in which no object has a key twice."""
    def unique(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a key stands twice among %s" % [key for key, _ in pairs])
        return dict(pairs)
    return json.loads(line, object_pairs_hook=unique)


def check_change(tap, desk):
    """A path that lowers the MSS says so once a connection."""
    lab = simulated(6, Weather(), 10)
    lowered = [dataclasses.replace(segment, mss=1360) for segment in lab.taps["server"]]
    answer = desk.ask(desk.write("client", lab.taps["client"]), desk.write("server", lowered))
    told = [record["lastack"] for record in answer.events("changed_between_taps")]
    uids = collections.Counter(event["flow_uid"] for event in told)
    tap.ok(len(uids) == 10 and set(uids.values()) == {1} and
           all(event["details"]["first_of_them"] == "mss" for event in told),
           "a lowered MSS is told once a connection", uids)
    tap.ok(answer.counts()["changed"] == 20, "and counted of both SYNs", answer.counts())
    tap.ok(not answer.triggers("lost_between_taps"), "and is no loss")


def renamed(log, places):
    """A log in the numbers that a capture's packets have after it was rewritten."""
    return {kind: {(name, places.get(name, lambda number: number)(number))
                   for name, number in packets} for kind, packets in log.items()}


def check_translation(tap, desk):
    """Addresses, ports, sequence numbers of one tap are others: joined all the same."""
    for ts in (True, False):
        lab = simulated(7 + ts, dataclasses.replace(ROUGH, ts=ts), 150)
        client, server = lab.taps["client"], lab.taps["server"]
        moved = [shifted(segment, 987654321) for segment in server]
        forms = {"addresses and ports": (client, tapsim.translated(server), "numbers"),
                 "those of the first tap": (tapsim.translated(client), server, "numbers"),
                 "sequence numbers": (client, moved, "payload")}
        if ts:
            forms["all of these"] = (client, tapsim.translated(server, shift=123456789), "payload")
        for what, (first, second, join) in forms.items():
            name = "%s are others, %s timestamps" % (what, "with" if ts else "without")
            answer = desk.ask(desk.write("client", first), desk.write("server", second))
            check_account(tap, lab, answer, name)
            joins = collections.Counter(record["lastack"]["joined"] for record in answer.of("path"))
            tap.ok(joins[join] > .9 * sum(joins.values()) and None not in joins,
                   "%s: joined by %s" % (name, join), joins)
    path = next(record["lastack"] for record in desk.ask(
        desk.write("client", client), desk.write("server", moved)).of("path")
                if record["lastack"]["joined"] == "payload")
    shifts = [path["second_tap"][side]["sequence_shift"] for side in ("source", "destination")]
    tap.ok(shifts == [987654321, 0], "the shift is stated", shifts)


def shifted(segment, shift):
    """The client's numbers are larger, and so is what acknowledges them."""
    if segment.target[1] == 443:
        return dataclasses.replace(segment, seq=segment.seq + shift)
    if segment.flags & tapsim.ACK:
        return dataclasses.replace(segment, ack=segment.ack + shift)
    return segment


def check_proxy(tap, desk):
    """Connections that a proxy begins anew are not joined, and nothing is said to be lost."""
    labs = [simulated(seed, Weather(), 20) for seed in (20, 21)]
    answer = desk.ask(desk.write("client", labs[0].taps["client"]),
                      desk.write("server", tapsim.translated(labs[1].taps["server"])))
    tap.ok(not any(answer.triggers(event) for event in EVENTS.values()) and
           {record["lastack"]["joined"] for record in answer.of("path")} <= {None},
           "a proxy's connections are not taken for those of its clients")


def check_offload(tap, desk):
    """One tap shows what the other's host puts together: each loss is told, by its place."""
    lab = Lab(3, Weather(loss=.03))
    for number in range(100):
        lab.connect(START + lab.random.randrange(300 * MS), number, answer=60000)
    lab.run()
    large, place = tapsim.coalesced(lab.taps["server"], 443)
    merged, merged_place = tapsim.coalesced(lab.taps["client"])
    for name, client, places in (
            ("segmentation offload", lab.taps["client"], {}),
            ("the same, and its counterpart at the receiver", merged,
             {"client": lambda number: merged_place[number - 1]})):
        places["server"] = lambda number: place[number - 1]
        answer = desk.ask(desk.write("client", client), desk.write("server", large))
        want = renamed(lab.log, places)["lost"]
        told = set(answer.triggers("lost_between_taps"))
        tap.ok(want == told, "%s: %d segments with losses, each told" % (name, len(want)),
               sorted(want ^ told)[:10])
        counts = answer.counts()
        tap.ok(counts["missed"] == counts["injected"] == counts["unknown"] == 0,
               "%s: nothing else happened" % name, counts)


def check_offload_missed(tap, desk):
    """One tap misses pieces of what the other's host sends whole: they arrived all the same."""
    lab = Lab(4, Weather(loss=.03))
    for number in range(60):
        lab.connect(START + lab.random.randrange(300 * MS), number, answer=60000)
    lab.run()
    large, place = tapsim.coalesced(lab.taps["server"], 443)
    kept, numbers = tapsim.thinned(lab.taps["client"], .02, 4)
    places = {"client": {number: at for at, number in enumerate(numbers, 1)}.get,
              "server": lambda number: place[number - 1]}
    answer = desk.ask(desk.write("client", kept), desk.write("server", large))
    want = renamed(lab.log, places)["lost"]
    told = answer.triggers("lost_between_taps")
    wrong = {packet: told[packet] for packet in set(told) - want}
    tap.ok("certain" not in wrong.values() and len(wrong) < .05 * len(want),
           "pieces that a capture missed are not lost", len(want), wrong)
    tap.ok(answer.counts()["missed"] > .8 * (len(lab.taps["client"]) - len(kept)),
           "they are known for the capture's loss", answer.counts())


def check_repetitions(tap, desk):
    """Nothing but its IP identification tells a transmission from the next one."""
    lab = simulated(103, Weather(loss=.1, ts=False), 200)
    syns = collections.Counter(s.source for s in lab.taps["client"] if s.flags == tapsim.SYN)
    arrived = {s.ip_id for s in lab.taps["server"] if s.flags == tapsim.SYN}
    missed = {s.ip_id for s in lab.taps["client"] if s.flags == tapsim.SYN and
              syns.pop(s.source, 0) > 1 and s.ip_id in arrived}
    numbers = [number for number, s in enumerate(lab.taps["client"], 1)
               if s.flags != tapsim.SYN or s.ip_id not in missed]
    kept = [lab.taps["client"][number - 1] for number in numbers]
    places = {"client": {number: at for at, number in enumerate(numbers, 1)}.get}
    answer = desk.ask(desk.write("client", kept), desk.write("server", lab.taps["server"]))
    want = renamed(lab.log, places)["lost"]
    told = answer.triggers("lost_between_taps")
    wrong = {packet: told[packet] for packet in set(told) - want}
    tap.ok(len(missed) > 5 and "certain" not in wrong.values() and
           len(wrong) <= 2 * len(missed) and len(want - set(told)) <= .2 * len(missed),
           "%d first SYNs that a capture missed turn no way round" % len(missed), wrong,
           want - set(told))

    bare = simulated(211, dataclasses.replace(ROUGH, ts=False), 120)
    unmarked = {name: [dataclasses.replace(s, ip_id=0) for s in segments]
                for name, segments in bare.taps.items()}
    answer = desk.ask(*(desk.write(name, segments) for name, segments in unmarked.items()))
    told = answer.triggers("delayed_between_taps")
    sure = {packet for packet, confidence in told.items() if confidence == "certain"}
    tap.ok(told and not sure, "which of those that look the same was held is not certain", told)


def check_capture_loss(tap, desk):
    """A hundredth of a capture is missing: the network's losses are told, and the capture's are
    never certain."""
    lab = simulated(9, Weather(loss=.02), 600)
    names = ("client", "server")
    for lossy in (("server",), ("client",), names):
        files, places = [], {}
        for seed, name in enumerate(names):
            kept, numbers = lab.taps[name], None
            if name in lossy:
                kept, numbers = tapsim.thinned(lab.taps[name], .01, seed)
                places[name] = {number: at for at, number in enumerate(numbers, 1)}.get
            files.append(desk.write(name, kept))
        answer = desk.ask(*files)
        want = {packet for packet in renamed(lab.log, places)["lost"] if packet[1]}
        told = answer.triggers("lost_between_taps")
        title = "1 %% missing of %s" % " and ".join(lossy)
        missed = want - set(told)
        tap.ok(len(missed) <= .03 * len(want), "%s: %d of %d losses told" % (
            title, len(want) - len(missed), len(want)), sorted(missed))
        certain = {packet for packet, confidence in told.items() if confidence == "certain"}
        tap.ok(certain <= want and len(certain) > .1 * len(want),
               "%s: what is certain is true" % title, sorted(certain - want))
        wrong = set(told) - want
        tap.ok(len(wrong) < .25 * (len(want) + len(wrong)) and answer.counts()["missed"] > 20,
               "%s: most of it is known for the capture's loss" % title, len(wrong),
               answer.counts())
        made = answer.triggers("injected_between_taps")
        tap.ok(not made, "%s: nothing was injected" % title, made)
        joins = {record["lastack"]["joined"] for record in answer.of("path")}
        tap.ok(joins == {"tuple"}, "%s: all are joined" % title, joins)


def check_certainty(tap, desk):
    """What is said to be certain is true, whatever the captures miss, the path holds, and little
    tells packets apart."""
    runs, wrong = 0, []
    forms = {"as it is": lambda segment, draw: segment,
             "without identifications": lambda segment, draw: dataclasses.replace(segment, ip_id=0),
             "with others": lambda segment, draw: dataclasses.replace(
                 segment, ip_id=draw.randrange(1, 65536))}
    for seed in range(600, 604):
        for share, ts, form in ((.01, True, "as it is"), (.05, True, "without identifications"),
                                (.05, False, "as it is"), (.05, False, "with others")):
            lab = simulated(seed, Weather(loss=.04, hold=.02 * (seed % 2), ts=ts), 80)
            draw = tapsim.random.Random(seed)
            files, places = [], {}
            for name in ("client", "server"):
                kept, numbers = tapsim.thinned(lab.taps[name], share, draw.random())
                places[name] = {number: at for at, number in enumerate(numbers, 1)}.get
                if name == "server":
                    kept = [forms[form](segment, draw) for segment in kept]
                files.append(desk.write(name, kept))
            answer = desk.ask(*files[::1 - 2 * (seed // 2 % 2)])
            want = renamed(lab.log, places)
            runs += 1
            wrong += [(seed, share, ts, form, packet) for kind, event in EVENTS.items()
                      for packet, confidence in answer.triggers(event).items()
                      if confidence == "certain" and packet not in want[kind]]
    tap.ok(runs == 16 and not wrong, "%d lossy captures: nothing is certain that is not true" % runs,
           *wrong[:10])


def check_identifications(tap, desk):
    """A device that numbers packets anew makes no copy a segment of its own."""
    draw = tapsim.random.Random(3)
    for ts in (True, False):
        lab = simulated(70 + ts, Weather(loss=.02 * ts, double=.02, ts=ts), 150)
        server = [dataclasses.replace(segment, ip_id=draw.randrange(1, 65536))
                  for segment in lab.taps["server"]]
        check_account(tap, lab, desk.ask(desk.write("client", lab.taps["client"]),
                                         desk.write("server", server)),
                      "identifications are others, %s timestamps" % ("with" if ts else "without"))


def check_lengths(tap, desk):
    """A capture that begins later, or ends sooner, lost nothing there: the network neither."""
    lab = simulated(12, Weather(loss=.02), 300)
    client, server = lab.taps["client"], lab.taps["server"]
    start, end = START + 200 * MS, START + 800 * MS
    for name, part in (("ends sooner", [s for s in server if s.t < end]),
                       ("begins later", [s for s in server if s.t >= start])):
        answer = desk.ask(desk.write("client", client), desk.write("server", part))
        first = 0 if name == "ends sooner" else len(server) - len(part)
        want = {(side, number if side == "client" else number - first)
                for side, number in lab.log["lost"]}
        told = answer.triggers("lost_between_taps")
        wrong = {packet: told[packet] for packet in set(told) - want}
        inner = {(side, number - (first if side == "server" else 0))
                 for side, number in lab.log["lost"]
                 if start + 100 * MS < lab.taps[side][number - 1].t < end - 200 * MS}
        tap.ok(inner <= set(told) and len(inner) > 5,
               "a capture that %s: what was lost while it ran is told" % name, inner - set(told))
        tap.ok(len(wrong) <= 2 and set(wrong.values()) <= {"possible"},
               "a capture that %s: what it does not cover is not said to be lost" % name, wrong)
        tap.ok(answer.counts()["unknown"] > 100, "a capture that %s: that is counted" % name)


def check_distant(tap, desk):
    """What the first tap does not show at all is reported: what was lost before it, and what goes
    another way."""
    lab = simulated(13, Weather(loss=.03), 100)
    client = lab.taps["client"]
    elsewhere = {10 * number + 20000 for number in range(10)}
    shown = [s for s in lab.taps["server"] if not {s.source[1], s.target[1]} & elsewhere]
    answer = desk.ask(desk.write("server", shown), desk.write("client", client))
    alone = {record["source"]["port"]: record for record in answer.of("path")
             if record["lastack"]["joined"] is None}
    counts = {port: sum(s.source[1] == port for s in client) for port in elsewhere}
    tap.ok(set(alone) == elsewhere and
           all(alone[port]["source"]["packets"] == counts[port] for port in alone),
           "connections that the second tap alone shows have a record", sorted(alone))
    told = {number for name, number in answer.triggers("lost_between_taps") if name == "client"}
    want = {number for name, number in lab.log["lost"] if name == "client"
            and client[number - 1].source[1] not in elsewhere}
    tap.ok(told == want, "and are not taken for lost", sorted(told ^ want)[:10])
    syns = [s for s in client if s.flags == tapsim.SYN]
    answer = desk.ask(desk.write("server", []), desk.write("client", syns))
    tap.ok(len(answer.of("path")) == len({s.source for s in syns}) and
           set(answer.triggers("lost_between_taps").values()) == {"possible"},
           "SYNs that never came to the first tap may have been lost", answer.counts())


def check_segments(tap, desk):
    """Where segments are asked for, each has its own fate, and where it was seen."""
    lab = simulated(14, ROUGH, 120)
    taps = desk.write("client", lab.taps["client"]), desk.write("server", lab.taps["server"])
    answer = Answer([word for words in taps for word in ("--tap", words)] + ["--segments", "all"])
    fates = collections.defaultdict(set)
    for record in answer.of("segment"):
        own = record["lastack"]
        for way in own["path"]:
            left, came = ((end["tap"], end["packet"]) if end else None
                          for end in (way["left"], way["came"]))
            fates[way["fate"]].add((left, came))
    seen = {place for places in fates.values() for pair in places for place in pair if place}
    every = {(name, number) for name in lab.taps for number in range(1, len(lab.taps[name]) + 1)}
    tap.ok(seen == every, "%d packets: each is in the fate of a segment" % len(every),
           sorted(every ^ seen)[:10])
    tap.ok({left for left, came in fates["lost"]} == set(lab.log["lost"]) and
           not any(came for _, came in fates["lost"]),
           "%d lost segments left one tap and came to none" % len(fates["lost"]))
    tap.ok({came for _, came in fates["injected"]} == set(lab.log["injected"]) and
           not any(left for left, _ in fates["injected"]), "what was injected left none")
    tap.ok(all(left and came and
               same_packet(lab.taps[left[0]][left[1] - 1], lab.taps[came[0]][came[1] - 1])
               for left, came in fates["arrived"]), "what arrived is the same packet at both",
           len(fates["arrived"]))
    far = [record["lastack"] for record in answer.of("segment")
           if record["lastack"]["tap"] != "client"]
    tap.ok(far and all(own["verdict"] == "elsewhere" for own in far),
           "what the first tap did not see is told by the packet of the other", len(far))


def check_ladder(tap, desk):
    """Three columns: what was lost dies between the taps, in text, in SVG and on the page."""
    lab = simulated(15, Weather(loss=.08, hold=.02), 12)
    words = ["--tap", desk.write("client", lab.taps["client"]),
             "--tap", desk.write("server", lab.taps["server"])]
    drawn = {kind: desk.path(kind) for kind in ("svg", "html")}
    for flow in range(1, 13):
        run = subprocess.run([LASTACK, "ladder", "--flow", str(flow), *words],
                             capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
        text = run.stdout.decode()
        port = int(text.split(":")[2].split()[0])
        lost = [(name, number) for name, number in lab.log["lost"]
                if port in (lab.taps[name][number - 1].source[1],
                            lab.taps[name][number - 1].target[1])]
        dying = [line for line in text.splitlines() if "-x  " in line or "  x-" in line]
        if lost:
            break
    tap.ok(len(lost) == len(dying) == text.count("(lost between"),
           "%d arrows of a ladder die between the taps" % len(lost), text)
    numbers = {name: [line.split()[0 if name == "client" else -1] for line in dying]
               for name in ("client", "server")}
    tap.ok(all(str(number) in numbers[name] for name, number in lost),
           "each beside the packet at its own tap", numbers, lost)
    subprocess.run([LASTACK, *words, "--flow", str(flow), "--svg=" + drawn["svg"],
                    "--html=" + drawn["html"]], capture_output=True, check=True)
    root = xml.etree.ElementTree.parse(drawn["svg"]).getroot()
    fading = [line for line in root.iter() if "stroke-dasharray" in line.attrib]
    said = {element.text for element in root.iter() if element.text}
    tap.ok(len(fading) == len(lost) and {"tap client", "path", "tap server"} <= said,
           "in SVG, too", len(fading), said)
    with open(drawn["html"], encoding="utf-8") as file:
        page = file.read()
    tap.ok("stroke-dasharray" in page and ">tap client<" in page, "and on the page")


def same_packet(one, other):
    return (one.source, one.seq, one.ack, one.flags, one.ip_id, one.payload, one.ts) == \
        (other.source, other.seq, other.ack, other.flags, other.ip_id, other.payload, other.ts)


def check_outputs(tap, desk):
    """The text, the report and the page speak of the taps, and follow the schema."""
    lab = simulated(10, ROUGH, 60)
    files = {kind: desk.path(kind) for kind in ("text", "json", "ndjson", "html")}
    words = ["--tap", desk.write("inside", lab.taps["client"]),
             "--tap", desk.write("outside", lab.taps["server"])]
    run = subprocess.run([LASTACK, *words, "--segments=all",
                          *("--%s=%s" % item for item in files.items())],
                         capture_output=True, check=False)
    tap.ok(run.returncode == 0, "every output at once", run.stderr.decode())
    schema = desk.path("schema")
    with open(schema, "wb") as file:
        file.write(subprocess.run([LASTACK, "--schema"], capture_output=True, check=True).stdout)
    valid = subprocess.run([sys.executable, os.path.join(TOP, "tests", "tools",
                                                         "validate-schema.py"), schema,
                            files["json"], files["ndjson"]], capture_output=True, check=False)
    if valid.returncode == 77:
        tap.skip("report and records follow the schema", valid.stdout.decode().strip())
    else:
        tap.ok(valid.returncode == 0, "report and records follow the schema",
               valid.stdout.decode()[:2000])
    with open(files["json"], encoding="utf-8") as file:
        report = json.load(file)
    lost = sum(way["lost"] for path in report["paths"]
               for way in path["lastack"]["direction"].values())
    tap.ok(lost == len(lab.log["lost"]) and len(report["inputs"]) == 2,
           "the report's paths count every loss", lost)
    with open(files["text"], encoding="utf-8") as file:
        text = file.read()
    tap.ok("Between taps inside and outside" in text and "clocks" in text and " at outside" in text,
           "the text tells of the taps", text)
    with open(files["html"], encoding="utf-8") as file:
        tap.ok(" at outside" in file.read(), "so does the page")
    empty = Answer(["--tap", "a=" + desk.path("inside"), "--tap",
                    "b=" + desk.write("none", []).partition("=")[2]])
    told = empty.triggers("lost_between_taps")
    tap.ok(empty.status == 0 and set(told.values()) <= {"possible"},
           "beside an empty capture nothing is more than possible", told)


def check_command(tap, desk):
    """What may not be asked for is said."""
    file = desk.path("client")
    for words, part in ((["--tap", file], "NAME=FILE"),
                        (["--tap", "a=" + file], "a second one"),
                        (["--tap", "a=" + file, "--tap", "b=" + file, "-r", file], "-r"),
                        (["--tap", "a=" + file, "--tap", "b=" + file, "-w", file + ".out"], "-w"),
                        (["--tap", "a=" + file, "--tap", "b=" + file, "--follow"], "--follow")):
        answer = Answer(words)
        tap.ok(answer.status == 2 and part in answer.errors, "refused: %s" % " ".join(
            word for word in words if file not in word), answer.errors)
    missing = Answer(["--tap", "a=" + file, "--tap", "b=" + file + ".none"])
    tap.ok(missing.status == 3 and ".none" in missing.errors, "a capture that is not there",
           missing.errors)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        for check in (check_paths, check_step, check_order, check_drift, check_states,
                      check_old_copies, check_host_copies, check_echoes, check_testimony, check_change,
                      check_translation, check_proxy, check_offload, check_offload_missed,
                      check_repetitions, check_capture_loss, check_certainty, check_identifications,
                      check_lengths, check_distant, check_segments, check_ladder,
                      check_outputs, check_command):
            check(tap, desk)
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
