#!/usr/bin/env python3
"""play.py NAME FOLDER [--offline] [--net N]: plays one scenario and leaves in FOLDER both captures, what
lastack said of each live and offline, the truth, and the verdict.  Needs namespaces: see run.py.
"""
import argparse
import importlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import account
import moves
from judge import Ends, judge, of_kind, read_records
from lab import Lab
from scenario import SCENARIOS, Unlucky
from taps import offline
from wires import ENDS, Lacking


def load_scenarios():
    for name in sorted(os.listdir(os.path.join(HERE, "scenarios"))):
        if name.endswith(".py"):
            importlib.import_module("scenarios." + name[:-len(".py")])
    return SCENARIOS


def play(scenario, folder, live, net):
    """The truth of it, and what went wrong with the lab itself."""
    lab = Lab(scenario, folder, live, net)
    wrong, rows = [], []
    try:
        scenario.play(lab)
        rows = lab.finish()
    except Exception as error:  # the scenario did not come about; its captures tell why
        wrong.append("%s: %s" % (type(error).__name__, error))
        raise
    finally:
        wrong += lab.stop()
        truth = {"scenario": scenario.name, "shows": scenario.shows, "wrong": wrong,
                 "connections": lab.connections, "transit_ns": round(lab.relay.latest * 1e9),
                 "rows": rows or lab.rows}
        with open(os.path.join(folder, "truth.json"), "w", encoding="utf-8") as file:
            json.dump(truth, file)
    return lab, rows, wrong


def verdicts(scenario, lab, rows, folder, live):
    transit = round(max(lab.relay.latest, scenario.delay) * 1e9)
    rows = rows if scenario.states else []
    moved = [move for move in moves.read(lab.connections)
             if not lab.scripted and rows and lab.began < move.t < rows[-1].last]
    found = {}
    for side in ENDS:
        paths = {"offline": offline(folder, side, scenario.settings)}
        if live:
            paths["live"] = os.path.join(folder, side + ".ndjson")
        for how, path in paths.items():
            records = read_records(path)
            ends = Ends(scenario, lab.connections, of_kind(records, "flow"), side, transit)
            found["%s %s" % (side, how)] = judge(ends, rows, moved, records)._asdict()
    return found


def accounts(scenario, lab, folder):
    """What is wrong with the account of both captures together, whichever is the first."""
    log = account.Log(lab.relay, folder)
    found = {first + " first": account.judge(log, account.Said(folder, first, scenario.settings),
                                             scenario.delay)
             for first in ENDS}
    return {"segments": len(log.passed), "wrong": found}


def write_verdict(folder, result):
    with open(os.path.join(folder, "verdict.json"), "w", encoding="utf-8") as file:
        json.dump(result, file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("folder")
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--net", type=int, default=0)
    options = parser.parse_args()
    folder, live = options.folder, not options.offline
    scenario = load_scenarios()[options.name]
    try:
        lab, rows, wrong = play(scenario, folder, live, options.net)
    except Lacking as lacking:
        write_verdict(folder, {"wrong": [], "late": 0, "lacks": str(lacking), "verdicts": {}})
        return
    except Unlucky as unlucky:
        write_verdict(folder, {"wrong": [str(unlucky)], "late": 0, "unlucky": True, "verdicts": {}})
        return
    late = lab.relay.latest - scenario.delay
    result = {"wrong": wrong, "late": round(late, 3),
              "verdicts": verdicts(scenario, lab, rows, folder, live),
              "account": accounts(scenario, lab, folder)}
    write_verdict(folder, result)


if __name__ == "__main__":
    main()
