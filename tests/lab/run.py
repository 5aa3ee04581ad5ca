#!/usr/bin/env python3
"""Real kernels as the judge: plays every scenario of the lab, several at a time, and holds what
lastack says, offline and live, on both sides of the relay, against what the kernels said; and what
it says of both captures together against what the relay did.

    run.py [--only NAME] [--keep FOLDER] [--jobs N] [--offline] [--list]

README.md beside this file tells how the lab is made.
"""
import argparse
import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "checks")]

import moves
from judge import Ends, NS, judge_events, judge_moves, judge_states
from lab import Row
from moves import Move
from play import load_scenarios
from scenario import Scenario
from tap import Tap

INSIDE = "LASTACK_LAB_INSIDE"
PATIENCE = 150   # seconds for one scenario
LEAST = 0.99     # of all samples
LATE = 0.003     # seconds that a frame may be late through the relay
PLAYING = set()  # leaders of the sessions that scenarios are played in
TEMPORARY = []   # folders to remove
ATTEMPTS = 3     # where one was later, and the result wrong


def skip_all(reason):
    print("1..0 # SKIP the lab of real kernels: " + reason)
    sys.exit(0)


def enter():
    """Goes on where namespaces may be made, or skips everything and says why."""
    if os.environ.get(INSIDE):
        return
    for tool in ("ip", "tcpdump", "unshare"):
        if not shutil.which(tool):
            skip_all("no " + tool)
    if os.geteuid() != 0:
        skip_all("not root: in a user namespace tcpdump cannot give its rights up, and ends")
    probe = subprocess.run(["unshare", "-nm", sys.executable, os.path.join(HERE, "wires.py")],
                           capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        lines = probe.stderr.strip().splitlines() or ["no reason given"]
        skip_all("no network namespaces can be made and joined here: " + lines[-1])
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-nm", sys.executable, *sys.argv])


def end_group(leader):
    """Ends what a scenario may have left: it began a session of its own."""
    PLAYING.discard(leader)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def end_all(number, _):
    for leader in list(PLAYING):
        end_group(leader)
    moves.end()
    for folder in TEMPORARY:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(128 + number)


def play_once(name, folder, live, net):
    """The result of one scenario, played in a process of its own."""
    os.makedirs(folder)
    os.chmod(folder, 0o777)  # lastack goes on in it as another user
    command = [sys.executable, os.path.join(HERE, "play.py"), name, folder, "--net", str(net)]
    child = subprocess.Popen(command + ([] if live else ["--offline"]), stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, start_new_session=True)
    PLAYING.add(child.pid)
    try:
        _, said = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        said = "not over after %d s" % PATIENCE
    end_group(child.pid)
    if child.wait() != 0:
        return {"wrong": said.splitlines()[-8:], "verdicts": {}, "late": 0}
    with open(os.path.join(folder, "verdict.json"), encoding="utf-8") as file:
        return json.load(file)


def is_right(result):
    return not result["wrong"] and not any(v["misses"] or v["events"]
                                           for v in result["verdicts"].values()) and \
        not any(result.get("account", {"wrong": {}})["wrong"].values())


def play(name, folder, live, net=0):
    """Where the machine was too busy to carry the frames in time, the scenario was another one, as
    it was where a clock of the kernel's went on in the midst of it."""
    for attempt in range(1, ATTEMPTS + 1):
        result = play_once(name, folder if attempt == 1 else "%s.%d" % (folder, attempt), live,
                           net)
        if is_right(result) or (result["late"] < LATE and not result.get("unlucky")):
            break
    result["attempt"] = attempt
    return result


class Totals:
    def __init__(self):
        self.samples = self.agree = self.passing = self.moves = self.segments = 0

    def add(self, verdict):
        self.samples += verdict["samples"]
        self.agree += verdict["agree"]
        self.passing += verdict["passing"]
        self.moves += verdict["moves"]

    def line(self):
        share = 100 * self.agree / self.samples if self.samples else 0
        return ("%d of %d samples agree (%.2f %%), %d of them while a segment was under way; "
                "%d moves traced; %d segments followed from tap to tap"
                % (self.agree, self.samples, share, self.passing, self.moves, self.segments))


def tell(tap, scenario, result, totals):
    if result.get("lacks"):
        tap.skip(scenario.name, "this kernel does not have it: " + result["lacks"])
        return
    if result["attempt"] > 1:
        print("# %s: played %d times, for frames came late, or a clock went on" % (scenario.name, result["attempt"]))
    if not tap.ok(not result["wrong"], "%s: %s" % (scenario.name, scenario.shows),
                  *result["wrong"]):
        return
    for place, verdict in result["verdicts"].items():
        totals.add(verdict)
        said = ["%d times: %s" % (count, line) for line, count in verdict["misses"].items()]
        tap.ok(not said and (verdict["samples"] > 0 or not scenario.states) and
               not verdict["events"],
               "%s, %s: %d states and the events" % (scenario.name, place, verdict["samples"]),
               *said, *verdict["events"])
        for line, count in verdict["excused"].items():
            print("# never on the wire, %d times: %s" % (count, line))
    tell_account(tap, scenario, result["account"], totals)


def tell_account(tap, scenario, account, totals):
    """Both captures together, against the relay's log."""
    totals.segments += account["segments"]
    tap.ok(not any(account["wrong"].values()), "%s, both taps: what became of %d segments"
           % (scenario.name, account["segments"]),
           *("%s: %s" % (first, line) for first, lines in account["wrong"].items()
             for line in lines))


def tell_mode(tap, options):
    """With sanitizers lastack starts so slowly, twice a scenario, that the three minutes do not do."""
    if os.environ.get("LASTACK_SANITIZED"):
        options.offline = True
        tap.skip("live captures of the lab", "with sanitizers only its saved captures are read: "
                 "two starts of lastack for each scenario take too long")


def check_judge(tap):
    """A judge who finds nothing would let everything pass."""
    pair = ("10.0.0.1", 1), ("10.0.0.2", 2)
    history = [{"t": "1970-01-01T00:00:01Z", "state": "ESTABLISHED", "revoked": False},
               {"t": "1970-01-01T00:00:02Z", "state": "FIN_WAIT_1", "revoked": False},
               {"t": "1970-01-01T00:00:03Z", "state": "FIN_WAIT_2", "revoked": True}]
    flow = {"source": {"ip": "10.0.0.1", "port": 1}, "destination": {"ip": "10.0.0.2", "port": 2},
            "lastack": {"incarnation": 1, "midstream": False, "client": {"history": history},
                        "server": {"history": []}}}
    made = Scenario(arguments, events="wanted", may="allowed")
    for state, second, right in (("ESTABLISHED", 1.5, 1), ("CLOSED", 0.5, 1), ("FIN_WAIT_1", 4, 1),
                                 ("FIN_WAIT_2", 4, 0), ("ESTABLISHED", 2.5, 0), ("CLOSED", 2.5, 0)):
        row = Row(0, int(second * NS), int(second * NS) + 1000, state, "CLOSED")
        ends = Ends(made, [pair], [flow], "client", 0)
        samples, agree, _ = judge_states(ends, [row])
        tap.ok((samples, agree, len(ends.misses)) == (2, 1 + right, 1 - right),
               "the judge: %s after %s s is %s" % (state, second, "right" if right else "wrong"),
               ends.misses)
    for second, right in ((2, 1), (3, 0)):
        ends = Ends(made, [pair], [flow], "client", 0)
        judge_moves(ends, [Move(0, second * NS, "client", "ESTABLISHED")])
        tap.ok(len(ends.misses) == 1 - right, "the judge: ESTABLISHED is %s after %d s" % (
            "left" if right else "over", second), ends.misses)
    events = [{"event": {"action": name}} for name in ("allowed", "another")]
    said = judge_events(made, events, "server")
    tap.ok(said == ["wanted is missing", "another was not expected"],
           "the judge: an event that is missing, and one too many", *said)


def arguments():
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="scenarios of which the name holds this")
    parser.add_argument("--keep", help="a new folder for captures, truth and records")
    parser.add_argument("--jobs", type=int, default=8, help="scenarios at a time")
    parser.add_argument("--offline", action="store_true", help="no live captures")
    parser.add_argument("--list", action="store_true", help="say what there is")
    return parser.parse_args()


def chosen(options):
    every = load_scenarios().values()
    picked = [s for s in every if not options.only or any(o in s.name for o in options.only)]
    return sorted(picked, key=lambda s: -s.slow)


def play_all(options, folder):
    tap, totals, scenarios = Tap(), Totals(), chosen(options)
    check_judge(tap)
    tell_mode(tap, options)
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, end_all)
    house = 80 + os.getpid() % 170  # a tracer sees other runs of the lab, too
    reason = moves.begin()
    if reason:
        tap.skip("moves of sockets, traced", "no tracing here: " + reason)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = [pool.submit(play, s.name, os.path.join(folder, s.name), not options.offline,
                               house << 8 | net)
                   for net, s in enumerate(scenarios)]
        for scenario, result in zip(scenarios, results):
            tell(tap, scenario, result.result(), totals)
    moves.end()
    if not reason:
        tap.ok(totals.moves > 0, "the tracer saw moves of sockets")
    enough = LEAST * totals.samples if not options.only else 0
    tap.ok(totals.samples > 0 and totals.agree >= enough, totals.line())
    return tap.end()


def main():
    options = arguments()
    if options.list:
        for scenario in load_scenarios().values():
            print("%-40s %s" % (scenario.name, scenario.shows))
        return 0
    enter()
    if options.keep:
        os.makedirs(options.keep)
        os.chmod(options.keep, 0o777)
        return play_all(options, os.path.abspath(options.keep))
    with tempfile.TemporaryDirectory(prefix="lastack-lab-") as folder:
        TEMPORARY.append(folder)
        os.chmod(folder, 0o777)
        return play_all(options, folder)


if __name__ == "__main__":
    sys.exit(main())
