#!/usr/bin/env python3
"""Compares what lastack deduces from captures of real kernels with what the kernels told.

    LASTACK=PROGRAM compare-lab.py [-v] DIR

DIR holds, for each scenario, NAME.pcap (taken at the client), NAME.srv.pcap (at the server) and
NAME.truth.json, which has both kernels' states over time.  Three checks for each capture:

    states   at each inet_diag row, the state of both sides as the report's history has it
    order    the distinct states of each side, in the order in which the kernel went through them
    events   what the truth's `expected` names, and no other warning or error

A line is printed for each difference, then the totals.  Exit status 1 when anything differs that
the wire could have told; what it could not is in NOT_ON_THE_WIRE and counted apart.
"""
import argparse
import collections
import datetime
import decimal
import glob
import itertools
import json
import os
import re
import subprocess
import sys

NS = 1_000_000_000
SLACK = NS // 1000  # the relay forwards up to 1 ms late
SIDES = ("client", "server")
OPENING = ("SYN_SENT", "SYN_RCVD")

# Scenario, side, the kernel's state, the report's: no segment tells that they differ.
NOT_ON_THE_WIRE = {
    ("06a_last_ack_syn", "client", "CLOSED", "TIME_WAIT"): "TIME_WAIT destroyed by hand",
    ("07a_textbook_rst", "client", "CLOSED", "TIME_WAIT"): "TIME_WAIT destroyed by hand",
    ("10a_old_dup_out_of_window", "client", "CLOSED", "TIME_WAIT"): "TIME_WAIT destroyed by hand",
    ("17a_fin_wait2_timeout", "client", "CLOSED", "FIN_WAIT_2"): "FIN_WAIT_2 expired silently",
    ("07a_textbook_rst", "server", "LAST_ACK", "CLOSED"):
        "the last ACK was lost behind the tap, the reset bears none of the old numbers",
}
ONE_TAP = ("07a_textbook_rst", "server")  # the other tap saw that the last ACK was missing
SCRIPT_LATE = decimal.Decimal("0.015")  # the script prints a state after it has acted
SCRIPTED_SERVER = ("07a_textbook_rst",)  # its own kernel knows nothing of the connection

# What `expected` calls ..., and the event, one of several, at the client's tap and at the server's.
NOTHING = ((), ())
EVENTS = {
    "NONE": NOTHING,
    "FIN_WITH_DATA": NOTHING,
    "WINDOW_PROBE": NOTHING,
    "DUP_ACK_TO_STRAY": NOTHING,
    "ZERO_WINDOW": NOTHING,
    "HALF_OPEN_RESET": NOTHING,  # a part of the challenge
    "FIN_RETRANSMISSION": NOTHING,  # told in the event of the last ACK
    "HALF_CLOSE_DATA": (("close_half",), ("close_half",)),
    "LOST_FINAL_ACK": (("final_ack_lost",), ("final_ack_missing",)),
    "INCARNATION_COLLISION": (("incarnation_collision",), ("incarnation_collision",)),
    "CHALLENGE_ACK": (("syn_in_last_ack_challenged",), ("syn_in_last_ack_challenged",)),
    "RST_TO_SYN_IN_LAST_ACK": (("syn_in_last_ack_rst",), ("syn_in_last_ack_rst",)),
    "TIME_WAIT_REUSE": (("incarnation_collision",), ("incarnation_collision",)),
    "TIME_WAIT_REUSE_ACCEPTED": (("tw_reopen_accepted",), ("tw_reopen_accepted",)),
    "STRAY_OLD_SEGMENT": (("stray_old_segment",), ("stray_old_segment",)),
    "ABORTIVE_CLOSE": (("close_abortive_app",), ("close_abortive_app",)),
    "DATA_AFTER_CLOSE": (("data_after_close_reset", "keepalive_race"),) * 2,
    "RST_DATA_AFTER_CLOSE": (("data_after_close_reset", "keepalive_race"),) * 2,
    "SYN_RETRANSMISSION": (("syn_no_answer",), ("syn_no_answer",)),
    "CLOSE_WAIT_LEAK": (("close_wait_leak",),) * 2,  # its threshold is set to that of the lab
    "FIN_WAIT_2_ORPHAN_TIMEOUT": (("fin_wait_2_timeout", "rst_to_retransmitted_fin"),) * 2,
    "SIMULTANEOUS_OPEN": (("simultaneous_open",), ("simultaneous_open",)),
}
OUTCOMES = ("syn_in_last_ack_challenged", "syn_in_last_ack_rst", "tw_reopen_accepted")


class Capture:
    """One capture of a scenario, the flows and events that lastack found in it, and its truth."""

    def __init__(self, path, truth):
        self.path = path
        self.name = os.path.basename(path)[: -len(".pcap")]
        self.truth = truth
        self.near = "server" if self.name.endswith(".srv") else "client"
        records = run_lastack(path, settings_of(truth))
        self.flows = [r for r in records if r["event"]["dataset"] == "lastack.flow"]
        self.events = [r for r in records if r["event"]["dataset"] == "lastack.event"]
        self.start = int(truth["t0_epoch"] * NS)
        delay = re.search(r"one-way relay delay ([\d.]+)s", truth["topology"])
        self.delay = int(decimal.Decimal(delay[1]) * NS)
        self.sides = {side: Side(self.flows, truth[side + "_port"]) for side in SIDES}

    def span(self, row):
        """The nanoseconds between which a row of the truth was taken."""
        first = self.start + int(row["t"] * NS)
        return first, self.start + int(row.get("t_hi", row["t"]) * NS)

    def states(self, side, row):
        """The states that the report may give the side for this row."""
        first, last = self.span(row)
        if side == self.near:
            return self.sides[side].between(first, last)
        # What the far side sends passes a delay late, what moves it passes a delay early: a state
        # of 20 ms there may be one of microseconds here, anywhere in between.
        around = self.delay + SLACK
        return self.sides[side].between(first - around, last + around)


class Side:
    """What the report says of one address and port, over all incarnations of the tuple."""

    def __init__(self, flows, port):
        self.incarnations = []  # [(ns, state)...], the oldest incarnation first
        self.unknown = False
        for flow in sorted(flows, key=lambda f: f["lastack"]["incarnation"]):
            side = "client" if flow["source"]["port"] == port else "server"
            self.unknown |= flow["lastack"]["midstream"] and not self.incarnations
            entries = [e for e in flow["lastack"][side]["history"] if not e["revoked"]]
            self.incarnations.append([(nanoseconds(e["t"]), e["state"]) for e in entries])

    def at(self, moment):
        """The state at a moment.  A host has one socket for a tuple: a closed incarnation tells
        nothing where another lives, so an old LAST_ACK outlives the SYN that it refuses."""
        state = "UNKNOWN" if self.unknown else "CLOSED"
        for entries in self.incarnations:
            past = [name for t, name in entries if t <= moment]
            if past and (past[-1] != "CLOSED" or not self.lives_before(entries, moment)):
                state = past[-1]
        return state

    def lives_before(self, entries, moment):
        """Is an incarnation older than this one still open at the moment?"""
        older = self.incarnations[: self.incarnations.index(entries)]
        last = [[name for t, name in old if t <= moment][-1:] for old in older]
        return any(names and names[0] != "CLOSED" for names in last)

    def between(self, first, last):
        times = [t for entries in self.incarnations for t, _ in entries if first < t <= last]
        passing = {state for entries in self.incarnations for t, state in entries
                   if first < t <= last and state != "CLOSED"}  # also those left at once
        return passing | {self.at(moment) for moment in [first] + times}

    def order(self):
        """The distinct states, in time order; the older incarnation first where times are equal."""
        entries = [(t, number, place, state)
                   for number, history in enumerate(self.incarnations)
                   for place, (t, state) in enumerate(history)]
        return normal_order([state for _, _, _, state in sorted(entries)])


def nanoseconds(stamp):
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * NS + int(fraction.ljust(9, "0"))


def settings_of(truth):
    """Where the scenario changed what a host waits for, lastack is told, as a user would."""
    seconds = truth["sysctls"]["client"].get("net.ipv4.tcp_fin_timeout")
    if seconds is None:
        return []
    return [f"--set=fin_timeout={seconds}s", f"--set=close_wait_leak={seconds}s"]


def run_lastack(path, settings=()):
    done = subprocess.run([os.environ.get("LASTACK", "lastack"), "--ndjson", "--nano", *settings,
                           path],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout:
        sys.exit(f"compare-lab: {path}: lastack ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def known_events():
    done = subprocess.run([os.environ.get("LASTACK", "lastack"), "--list-events"],
                          capture_output=True, text=True, check=True)
    return {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


def spoken(state):
    """A listener has no socket for the connection."""
    return "CLOSED" if state == "LISTEN" else state


def normal_order(states):
    """Distinct neighbours; CLOSED between two incarnations left out: no segment dates it."""
    distinct = [state for state, _ in itertools.groupby(spoken(state) for state in states)]
    return [state for state, after in zip(distinct, distinct[1:] + [""])
            if not (state == "CLOSED" and after in OPENING)]


def scripted_moves(truth):
    """(t, old, new) of the scripted server."""
    moves = []
    for row in truth["timeline"]:
        match = re.fullmatch(r"server (\w+) -> (\w+)", row.get("note", ""))
        if row["src"] == "scripted-server" and match:
            moves.append((row["t"], match[1], match[2]))
    return moves


def kernel_states(truth, row, side):
    """What the kernel's side (or the script in its place) was in during the row."""
    if side == "client" or truth["scenario"] not in SCRIPTED_SERVER:
        return {spoken(row[side + "_state"])}
    moves = scripted_moves(truth)
    past = ["CLOSED"] + [new for t, _, new in moves if t <= row["t"]]
    during = [new for t, _, new in moves if row["t"] < t <= row["t_hi"] + SCRIPT_LATE]
    return {spoken(state) for state in past[-1:] + during}


def excuse(capture, side, kernel, ours):
    """Why the wire could not tell, or None."""
    scenario = capture.truth["scenario"]
    if (scenario, side) == ONE_TAP and capture.near == side:
        return None
    pairs = [(scenario, side, k, o) for k in kernel for o in ours]
    return next((NOT_ON_THE_WIRE[pair] for pair in pairs if pair in NOT_ON_THE_WIRE), None)


def check_states(capture, totals):
    for row in capture.truth["timeline"]:
        if row["src"] != "inet_diag":
            continue
        for side in SIDES:
            ours, kernel = capture.states(side, row), kernel_states(capture.truth, row, side)
            if ours & kernel:
                totals["agree"] += 1
                continue
            reason = excuse(capture, side, kernel, ours)
            totals["excluded" if reason else "miss"] += 1
            near = "near" if side == capture.near else "far"
            print(f"{'excluded' if reason else 'MISS'} {capture.name}: {near} {side} at "
                  f"{row['t']:+.6f}: kernel {'/'.join(sorted(kernel))}, "
                  f"report {'/'.join(sorted(ours))}" + (f" ({reason})" if reason else ""))


def kernel_order(truth, side):
    """The kernel's states in order: exact moves of full sockets, rows for the small ones."""
    if side == "server" and truth["scenario"] in SCRIPTED_SERVER:
        return normal_order([new for _, _, new in scripted_moves(truth)])
    moves = [(row["t"], row["new"]) for row in truth["timeline"]
             if row["src"] == "ftrace:inet_sock_set_state" and row["side"] == side
             and not row["ports"].endswith(">0") and "mini-socket" not in row.get("note", "")]
    points = list(moves)
    for row in truth["timeline"]:
        if row["src"] == "inet_diag":
            state = row[side + "_state"]
            during = [t for t, new in moves if row["t"] < t <= row["t_hi"] and new == state]
            points.append((max(during, default=row["t"]), state))
    return normal_order([state for _, state in sorted(points, key=lambda point: point[0])])


def check_order(capture, totals):
    for side in SIDES:
        kernel, ours = kernel_order(capture.truth, side), capture.sides[side].order()
        if kernel == ours or set(kernel) == {"CLOSED"} and not ours:
            totals["order agrees"] += 1
            continue
        # A silent end at the end of the capture is what the wire could not tell.
        silent = kernel == ours + ["CLOSED"] and excuse(capture, side, {"CLOSED"}, ours[-1:])
        totals["order excluded" if silent else "order differs"] += 1
        print(f"{'excluded' if silent else 'ORDER'} {capture.name}: {side}:\n"
              f"    kernel {' '.join(kernel)}\n    report {' '.join(ours)}")


def wanted_events(capture):
    """Alternatives for each thing that the truth expects at this tap."""
    tap = SIDES.index(capture.near)
    wanted = []
    for anomaly in capture.truth["expected"]["anomalies"]:
        if anomaly["code"] not in EVENTS:
            print(f"note {capture.name}: no event is known for {anomaly['code']}")
        elif anomaly[f"packets_{capture.near}_tap"] and EVENTS[anomaly["code"]][tap]:
            wanted.append(EVENTS[anomaly["code"]][tap])
    return wanted


def check_events(capture, known, totals):
    wanted = wanted_events(capture)
    seen = collections.Counter(e["event"]["action"] for e in capture.events)
    outcomes = {e["lastack"]["outcome"] for e in capture.events}
    for alternatives in dict.fromkeys(wanted):
        found = any(seen[name] for name in alternatives)
        if not found and not known.issuperset(alternatives):
            totals["events not implemented"] += 1
            print(f"note {capture.name}: {' or '.join(alternatives)} is not implemented")
        elif not found:
            totals["events missing"] += 1
            print(f"EVENT {capture.name}: {' or '.join(alternatives)} is missing")
        elif alternatives[0] in OUTCOMES and alternatives[0] not in outcomes:
            totals["events missing"] += 1
            print(f"EVENT {capture.name}: no incarnation_collision with outcome {alternatives[0]}")
        else:
            totals["events found"] += 1
    check_other_events(capture, {name for names in wanted for name in names}, totals)


def check_other_events(capture, wanted, totals):
    for event in capture.events:
        action, level = event["event"]["action"], event["lastack"]["level"]
        if action in wanted:
            continue
        wrong = level in ("warning", "error")
        totals["events not expected" if wrong else "events beside"] += 1
        print(f"{'EVENT' if wrong else 'note'} {capture.name}: {level} {action} "
              f"{'was not expected' if wrong else 'beside what is expected'}")


def check_any(path, totals):
    """A capture on the device `any`: every packet twice, which only a caveat may tell."""
    records = run_lastack(path)
    flows = [r["lastack"] for r in records if r["event"]["dataset"] == "lastack.flow"]
    told = any("capture_duplicate" in json.dumps(f["caveats"]) for f in flows)
    calm = not any(f["client"]["retransmissions"]["packets"] for f in flows)
    loud = [r for r in records if r["event"]["dataset"] == "lastack.event"
            and r["lastack"]["level"] in ("warning", "error")]
    totals["events found" if told and calm and not loud else "events missing"] += 1
    if not told or not calm or loud:
        print(f"EVENT {os.path.basename(path)}: caveat capture_duplicate {told}, "
              f"no retransmissions {calm}, warnings {len(loud)}")


def read_truth(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file, parse_float=decimal.Decimal)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("-v", "--verbose", action="store_true", help="name each capture")
    options = parser.parse_args()
    totals, known = collections.Counter(), known_events()
    truths = sorted(glob.glob(os.path.join(options.directory, "*.truth.json")))
    if not truths:
        sys.exit(f"compare-lab: no *.truth.json in {options.directory}")
    for path in truths:
        base, truth = path[: -len(".truth.json")], read_truth(path)
        for capture_path in (base + ".pcap", base + ".srv.pcap"):
            capture = Capture(capture_path, truth)
            if not capture.flows:
                print(f"note {capture.name}: no segment passed this tap")
                continue
            before = totals.copy()
            check_states(capture, totals)
            check_order(capture, totals)
            check_events(capture, known, totals)
            if options.verbose:
                print(f"{capture.name}: {dict(totals - before)}")
        if os.path.exists(base + ".any.pcap"):
            check_any(base + ".any.pcap", totals)
    return report(totals)


def report(totals):
    compared = totals["agree"] + totals["miss"]
    share = 100 * totals["agree"] / compared if compared else 0
    print(f"states: {totals['agree']} of {compared} agree ({share:.2f} %), "
          f"{totals['excluded']} excluded")
    for name in sorted(totals):
        if name not in ("agree", "miss", "excluded"):
            print(f"{name}: {totals[name]}")
    bad = ("miss", "order differs", "events missing", "events not expected")
    return 1 if any(totals[name] for name in bad) or compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
