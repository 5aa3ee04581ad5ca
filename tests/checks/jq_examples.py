#!/usr/bin/env python3
"""The examples of jq in README and in the manual run, and say what the records hold."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from glob import glob

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
SOURCE = os.environ.get("TOP_SRCDIR", ".")
LASTACK = os.path.abspath(os.environ.get("LASTACK", os.path.join(BUILD, "lastack")))
MANUAL = os.path.join(BUILD, "doc", "lastack.1")


def of(records, dataset):
    return [r for r in records if r["event"]["dataset"] == "lastack." + dataset]


def ends(records, _):
    return ["%s by %s" % (r["lastack"]["close"]["kind"], r["lastack"]["close"]["initiator"] or "nobody")
            for r in of(records, "flow")]


def errors(records, _):
    return ["\t".join((r["@timestamp"], r["event"]["action"], r["source"]["ip"], r["destination"]["ip"]))
            for r in of(records, "event") if r["lastack"]["level"] == "error"]


def blamed(records, _):
    return [r["lastack"]["explanation"] for r in of(records, "event") if r["lastack"]["blame"] == "server"]


def services(records, _):
    held = [[r["lastack"]["time_wait"]["server"]["most"], r["destination"]["ip"], r["destination"]["port"]]
            for r in of(records, "host") if r["lastack"]["scope"] == "service"]
    return [json.dumps(one, separators=(",", ":")) for one in sorted(held, reverse=True)[:5]]


def packets(records, _):
    return [json.dumps([e["packet"] for e in r["lastack"]["evidence"]], separators=(",", ":"))
            for r in of(records, "event") if r["event"]["action"] == "syn_in_last_ack_rst"]


def problems(_, report):
    return ["%d %s %s" % (p["count"], p["level"], p["id"]) for p in report["problems"]]


WANTED = (ends, errors, blamed, services, packets, problems)  # in README's order


def readme_examples():
    with open(os.path.join(SOURCE, "README.md")) as lines:
        return [line.rstrip("\n") for line in lines if line.startswith("jq ")]


def manual_examples():
    """As a reader copies them: plain text of any width."""
    done = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", "-rLL=300n", MANUAL], capture_output=True,
                          text=True, check=False)
    return [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("jq -")]


def check(tap, folder):
    captures = [os.path.abspath(path) for path in sorted(glob(os.path.join(SOURCE, "samples", "*.pcap")))]
    subprocess.run([LASTACK, "--ndjson=r.ndjson", "--json=report.json", *captures], cwd=folder, check=True)
    with open(os.path.join(folder, "r.ndjson")) as lines:
        records = [json.loads(line) for line in lines]
    with open(os.path.join(folder, "report.json")) as file:
        report = json.load(file)
    examples = readme_examples()
    tap.ok(len(examples) == len(WANTED), "README has %d examples" % len(WANTED), *examples)
    for example, wanted in zip(examples, WANTED):
        done = subprocess.run(["bash", "-c", example], cwd=folder, capture_output=True, text=True, check=False)
        answer = wanted(records, report)
        tap.ok(done.returncode == 0 and answer and done.stdout.splitlines() == answer,
               "README: %s, %d lines" % (wanted.__name__, len(answer)), example, done.stderr,
               *done.stdout.splitlines()[:5], "not", *answer[:5])
    if shutil.which("groff") is None or not os.path.exists(MANUAL):
        tap.skip("the manual has the same", "groff is not installed, or there is no manual")
        return
    manual = manual_examples()
    tap.ok(len(manual) >= 3 and set(manual) <= set(examples), "the manual's are README's, letter by letter", *manual)


def main():
    if shutil.which("jq") is None:
        print("1..0 # SKIP jq is not installed")
        return 0
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        check(tap, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
