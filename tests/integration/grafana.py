#!/usr/bin/env python3
"""The dashboard fits Grafana's own types, and explains the events that there are.

Grafana does not run here; tests/integration/prometheus.py asks a live Prometheus every query of it.

grafana.py --write explains the events anew in the dashboard's text.
"""
import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.environ.get("TOP_BUILDDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
from tap import Tap  # noqa: E402

LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
MODULES = os.path.join(BUILD, "integration-node")
DASHBOARD = os.path.join(TOP, "contrib", "grafana", "lastack.json")
KINDS = {"timeseries": "TimeSeries", "stat": "Stat", "table": "Table", "text": "Text"}
# Enumerations stand in JSON as the words that they are.
WORDS = """type Words<T> = T extends string ? `${T}` : T extends number | boolean | undefined ? T :
    T extends (infer U)[] ? Words<U>[] : { [K in keyof T]: Words<T[K]> };
"""


def program(dashboard):
    """TypeScript in which the dashboard, and what each panel has of its own, is of Grafana's types."""
    lines = ["import type { Dashboard } from '@grafana/schema';", WORDS]
    for name, spelled in KINDS.items():
        lines.append("import type * as %s from '@grafana/schema/dist/esm/raw/composable/%s/panelcfg/x/"
                     "%sPanelCfg_types.gen';" % (name, name, spelled))
    lines.append("export const dashboard: Dashboard = %s;" % json.dumps(dashboard))
    for panel in dashboard["panels"]:
        if panel["type"] not in KINDS:
            continue
        lines.append("export const o%d: Words<Partial<%s.Options>> = %s;" %
                     (panel["id"], panel["type"], json.dumps(panel["options"])))
        if panel["type"] == "timeseries":
            lines.append("export const f%d: Words<timeseries.FieldConfig> = %s;" %
                         (panel["id"], json.dumps(panel["fieldConfig"]["defaults"]["custom"])))
    return "\n".join(lines) + "\n"


def faults(folder, dashboard):
    """What the compiler says of it."""
    with open(os.path.join(folder, "dashboard.ts"), "w") as file:
        file.write(program(dashboard))
    modules = os.path.join(MODULES, "node_modules")
    if not os.path.exists(os.path.join(folder, "node_modules")):
        os.symlink(os.path.abspath(modules), os.path.join(folder, "node_modules"))
    run = subprocess.run(["node", os.path.join(modules, "typescript", "bin", "tsc"), "--noEmit", "--strict",
                          "--skipLibCheck", "--moduleResolution", "bundler", "--module", "esnext", "--target",
                          "es2022", "dashboard.ts"], cwd=folder, capture_output=True, text=True, timeout=200,
                         check=False)
    return run.stdout.splitlines() if run.returncode != 0 else []


def explanations():
    """What the dashboard's text says of each event above information."""
    events = json.loads(subprocess.run([LASTACK, "--list-events=json"], capture_output=True, check=True).stdout)
    events = events["events"] if isinstance(events, dict) else events
    return ["**%(id)s** (%(level)s): %(title)s. %(meaning)s *To do:* %(remedy)s" % e for e in events
            if e["level"] != "info"]


def check_text(tap, dashboard):
    text = "\n".join(p["options"]["content"] for p in dashboard["panels"] if p["type"] == "text")
    wanted = explanations()
    missing = [line[:60] for line in wanted if line not in text]
    tap.ok(wanted and not missing and text.count("**") == 2 * len(wanted),
           "every event above information is explained, in the catalogue's words (else: grafana.py --write)",
           *missing)


def write(dashboard):
    """The one panel of text, anew."""
    panel = next(p for p in dashboard["panels"] if p["type"] == "text")
    panel["options"]["content"] = "\n\n".join(explanations())
    with open(DASHBOARD, "w") as file:
        file.write(json.dumps(dashboard, indent=1) + "\n")


def spoil(dashboard):
    """The dashboard with a fault each."""
    first = next(p for p in dashboard["panels"] if p["type"] == "timeseries")
    for what, panel in (("a word that is not of an enumeration", {"options": {"legend": {
                            **first["options"]["legend"], "placement": "above"}}}),
                        ("an option that there is not", {"options": {"legends": 1}}),
                        ("a place without height", {"gridPos": {"x": 0, "y": 0, "w": 1}})):
        yield what, {**dashboard, "panels": [{**first, **panel}]}
    yield "a field that there is not", {**dashboard, "nothing_of_theirs": 1}


def main():
    tap = Tap()
    with open(DASHBOARD) as file:
        dashboard = json.load(file)
    if "--write" in sys.argv[1:]:
        write(dashboard)
        return 0
    check_text(tap, dashboard)
    places = sorted((p["gridPos"]["y"], p["gridPos"]["x"], p["gridPos"]["w"]) for p in dashboard["panels"])
    tap.ok(len({p["id"] for p in dashboard["panels"]}) == len(dashboard["panels"]) and
           all(x + w <= 24 for _, x, w in places) and len(set(places)) == len(places), "panels have their places")
    ready = subprocess.run([os.path.join(TOP, ".ci", "install-databases"), MODULES], capture_output=True,
                           text=True, check=False)
    if ready.returncode != 0:
        tap.skip("Grafana's types", ready.stderr.strip().replace("\n", ": "))
        return tap.end()
    with tempfile.TemporaryDirectory(prefix="lastack-grafana-") as folder:
        found = faults(folder, dashboard)
        tap.ok(not found, "the dashboard fits Grafana's types", *found[:10])
        for what, spoiled in spoil(dashboard):
            tap.ok(faults(folder, spoiled), "it would be noticed: " + what)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
