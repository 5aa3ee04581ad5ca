#!/usr/bin/env python3
"""Two taps whose views of a connection have neither addresses nor numbers in common are joined by
what no device changes; connections that a proxy ends and begins anew are not, whatever they carry.
"""
import collections
import dataclasses
import os
import sys
import tempfile

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))

from tap import Tap  # noqa: E402
import tapsim  # noqa: E402
from taps import EVENTS, Desk, renamed, simulated  # noqa: E402
from tapproxy import Place, Relay  # noqa: E402
from tapsim import MS, START, Weather  # noqa: E402

SHIFT = 123456789
MARKS = {"timestamps and identifications": (True, True), "timestamps": (True, False),
         "identifications": (False, True), "neither": (False, False)}


def unmarked(lab, ids):
    """What both taps show, without IP identifications if there are to be none."""
    return {name: segments if ids else [dataclasses.replace(segment, ip_id=0)
                                        for segment in segments]
            for name, segments in lab.taps.items()}


def joins(answer):
    return collections.Counter(record["lastack"]["joined"] for record in answer.of("path"))


def check_losses(tap, answer, want, name, stray):
    """Which of two transmissions was lost may not be known; how many were is."""
    told = answer.triggers("lost_between_taps")
    wrong = {packet: told[packet] for packet in set(told) - want}
    tap.ok(len(wrong) <= stray and len(want - set(told)) <= stray and
           "certain" not in wrong.values() and not answer.triggers("injected_between_taps"),
           "%s: %d losses" % (name, len(want)), sorted(want - set(told))[:8], wrong)


def check_shifted(tap, desk):
    """Addresses, ports and numbers are others, and nothing but octets tells."""
    for marks, (ts, ids) in MARKS.items():
        lab = simulated(7, Weather(loss=.03, ts=ts), 150)
        shown = unmarked(lab, ids)
        client, server = shown["client"], shown["server"]
        for what, first, second in (
                ("the second tap's are others", client, tapsim.translated(server, shift=SHIFT)),
                ("the first tap's are others", tapsim.translated(client, shift=SHIFT), server)):
            name = "%s, %s to tell" % (what, marks)
            answer = desk.ask(desk.write("client", first), desk.write("server", second))
            tap.ok(joins(answer) == {"payload": 150}, name + ": all are joined", joins(answer))
            check_losses(tap, answer, set(lab.log["lost"]), name,
                         0 if ids else 1 if ts else len(lab.log["lost"]) // 4)
        answer = desk.ask(desk.write("server", tapsim.translated(server, shift=SHIFT)),
                          desk.write("client", client))
        tap.ok(joins(answer) == {"payload": 150},
               "the server's tap first, %s to tell: all are joined" % marks, joins(answer))


def check_midstream(tap, desk):
    """Both captures begin when connections are open: no SYN tells."""
    begin = START + 150 * MS
    for marks, (ts, ids) in list(MARKS.items())[:3]:
        lab = simulated(7, Weather(loss=.02, ts=ts), 150)
        shown = {name: [segment for segment in segments if segment.t >= begin]
                 for name, segments in unmarked(lab, ids).items()}
        before = {name: len(lab.taps[name]) - len(shown[name]) for name in shown}
        places = {name: lambda number, less=before[name]: max(number - less, 0) or None
                  for name in shown}
        lost = {packet for packet in renamed(lab.log, places)["lost"] if packet[1]}
        opened = {segment.source for segment in shown["client"] if segment.flags == tapsim.SYN}
        talking = {min(segment.source, segment.target) for name in shown
                   for segment in shown[name] if segment.payload and segment.t > begin + 20 * MS}
        both = [{min(segment.source, segment.target) for segment in shown[name] if segment.payload}
                for name in shown]
        for what, shift in (("a NAT", 0), ("a NAT that shifts numbers", SHIFT)):
            answer = desk.ask(desk.write("client", shown["client"]),
                              desk.write("server", tapsim.translated(shown["server"], shift=shift)))
            found = joins(answer)
            joined = sum(count for join, count in found.items() if join)
            name = "mid-stream through %s, %s to tell" % (what, marks)
            least = len(opened | (talking & both[0] & both[1])) - 2
            tap.ok(joined >= least > 100 and joined <= 150,
                   "%s: %d joined of %d that both show with octets" % (name, joined, least), found)
            check_losses(tap, answer, lost, name, 12)


def check_alike(tap, desk):
    """Many clients that ask and are answered the same are told from one another."""
    lab = tapsim.Lab(3, Weather(ts=False))
    for number in range(100, 300):
        lab.connect(START + lab.random.randrange(200 * MS), number, answer=2)
    lab.run()
    same = {name: [dataclasses.replace(segment, payload=b"G" * len(segment.payload))
                   for segment in segments] for name, segments in lab.taps.items()}
    answer = desk.ask(desk.write("client", same["client"]),
                      desk.write("server", tapsim.translated(same["server"], shift=SHIFT)))
    found = joins(answer)
    tap.ok(found["payload"] > 190 and not answer.triggers("lost_between_taps") and
           not answer.triggers("changed_between_taps"),
           "the same octets in 200 connections: each finds its own", found)


PROXIES = {
    "half way": Place(2 * MS, 5 * MS, 8 * MS, 10 * MS),
    "beside the server": Place(2 * MS, 20 * MS, 20 * MS + 20000, 20 * MS + 50000),
    "beside the clients": Place(10000, 30000, 10 * MS, 20 * MS),
    "in one room with both": Place(20000, 60000, 100000, 150000),
}


def check_proxies(tap, desk):
    """A proxy carries the same octets in segments of the same size, windows and options alike."""
    for seed, (where, place) in enumerate(PROXIES.items()):
        for marks, (ts, ids) in MARKS.items():
            for waits in (False, True):
                relay = Relay(seed, place, ts, ids, waits).run(60)
                answer = desk.ask(desk.write("near", relay.taps[0]),
                                  desk.write("far", relay.taps[1]))
                events = [event for event in EVENTS.values() if answer.triggers(event)]
                tap.ok(joins(answer) == {None: 120} and not events,
                       "a proxy %s that answers %s, %s to tell: not joined" % (
                           where, "when the server has" if waits else "at once", marks),
                       joins(answer), events)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        for check in (check_shifted, check_midstream, check_alike, check_proxies):
            check(tap, desk)
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
