"""judge: holds what lastack says of one capture against what the kernels said meanwhile."""
import collections
import datetime
import json

from wires import ENDS

NS = 1_000_000_000
NEAR = 5_000_000  # between a kernel's step and the stamp of its frame, on a busy machine

Verdict = collections.namedtuple("Verdict", "samples agree passing moves excused misses events")


def nanoseconds(stamp):
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * NS + int(fraction.ljust(9, "0"))


def read_records(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def of_kind(records, kind):
    return [r for r in records if r["event"]["dataset"] == "lastack." + kind]


class Side:
    """What the report says of one end of a connection, over all incarnations."""

    def __init__(self, flows, own):
        self.incarnations = []  # [(ns, state)...], the oldest incarnation first
        self.unknown = False
        for flow in sorted(flows, key=lambda f: f["lastack"]["incarnation"]):
            end = "client" if end_of(flow, "source") == own else "server"
            self.unknown |= flow["lastack"]["midstream"] and not self.incarnations
            entries = [e for e in flow["lastack"][end]["history"] if not e["revoked"]]
            self.incarnations.append([(nanoseconds(e["t"]), e["state"]) for e in entries])

    def at(self, moment):
        """The state at a moment.  A host has one socket for a tuple: while an older incarnation
        lives, as a LAST_ACK does that refuses a SYN, a newer one tells nothing."""
        state = "UNKNOWN" if self.unknown else "CLOSED"
        for entries in self.incarnations:
            past = [name for t, name in entries if t <= moment][-1:]
            if past and past[0] not in ("CLOSED", "UNKNOWN"):
                return past[0]
            state = past[0] if past else state
        return state

    def between(self, first, last):
        """Every state that the side is in between two moments."""
        times = [t for entries in self.incarnations for t, _ in entries if first < t <= last]
        passed = {state for entries in self.incarnations for t, state in entries
                  if first < t <= last and state != "CLOSED"}  # also those left at once
        return passed | {self.at(moment) for moment in [first] + times}


def end_of(flow, which):
    return flow[which]["ip"], flow[which]["port"]


def flows_between(flows, pair):
    return [f for f in flows if {end_of(f, "source"), end_of(f, "destination")} == set(pair)]


def excuse(scenario, near, side, kernel, report):
    """Why the wire could not tell, or None."""
    kernel = kernel.split()[-1]
    return next((row.reason for row in scenario.unseen
                 if row.tap in (near, "both") and row.side == side and row.kernel == kernel and
                 row.report in report), None)


class Ends:
    """Both sides of every connection, as one capture has them."""

    def __init__(self, scenario, connections, flows, near, transit):
        """transit is the longest that a frame took through the relay, in ns."""
        self.scenario, self.connections = scenario, connections
        self.near, self.transit = near, transit
        self.sides = [{end: Side(flows_between(flows, pair), own) for end, own in zip(ENDS, pair)}
                      for pair in connections]
        self.excused, self.misses = collections.Counter(), collections.Counter()

    def states(self, connection, end, first, last):
        # What the far end sends passes late, what moves it passes early.
        around = NEAR if end == self.near else NEAR + self.transit
        return self.sides[connection][end].between(first - around, last + around)

    def miss(self, connection, end, kernel, report):
        reason = excuse(self.scenario, self.near, end, kernel, report)
        line = "%s %s: kernel %s, report %s" % (
            self.connections[connection][ENDS.index(end)], end, kernel, "/".join(sorted(report)))
        if reason:
            self.excused["%s (%s)" % (line, reason)] += 1
        else:
            self.misses[line] += 1


def judge_states(ends, rows):
    """How many states there were, how many agree, and how many of these while one passed."""
    agree = passing = 0
    for row in rows:
        for end in ENDS:
            kernel = getattr(row, end)
            report = ends.states(row.connection, end, row.first, row.last)
            if kernel in report:
                agree += 1
                passing += len(report) > 1
            else:
                ends.miss(row.connection, end, kernel, report)
    return 2 * len(rows), agree, passing


def judge_moves(ends, moves):
    """Every state that a socket entered, the report has, too, and then."""
    for move in moves:
        report = ends.states(move.connection, move.end, move.t, move.t)
        if move.state not in report:
            ends.miss(move.connection, move.end, "moves to " + move.state, report)
    return len(moves)


def judge_events(scenario, events, near):
    """What is said against the events: those missing, and those nobody expects."""
    seen = {e["event"]["action"] for e in events}
    wanted = scenario.wanted(near)
    return (["%s is missing" % name for name in sorted(wanted - seen)] +
            ["%s was not expected" % name for name in sorted(seen - wanted - scenario.may)])


def judge(ends, rows, moves, records):
    samples = judge_states(ends, rows)
    moved = judge_moves(ends, moves)
    return Verdict(*samples, moved, ends.excused, ends.misses,
                   judge_events(ends.scenario, of_kind(records, "event"), ends.near))
