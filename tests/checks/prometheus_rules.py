#!/usr/bin/env python3
"""Alert rules do what their tests say, and name no metric that lastack does not have."""
import glob
import os
import re
import shutil
import subprocess
import sys

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(os.environ.get("TOP_BUILDDIR", "."), "lastack"))
FOLDER = os.path.join(TOP, "contrib", "prometheus")
NAME = re.compile(r"\blastack_[a-z_]+")


def metrics():
    """Names of samples, those of services among them; labels by name."""
    sample = os.path.join(TOP, "samples", "syn-reset-in-last-ack.pcap")
    text = subprocess.run([LASTACK, "--metrics-file=-", "--metrics-top", "3", sample],
                          capture_output=True, text=True, check=True).stdout
    found = set(re.findall(r"^(lastack_[a-z_]+)", text, re.M)) | \
        set(re.findall(r"^# TYPE (\S+) (?!histogram)", text, re.M))
    return found, {event for event in re.findall(r'lastack_events_total\{id="([a-z_0-9]+)"', text)}


def main():
    tap = Tap()
    known, events = metrics()
    files = [path for path in glob.glob(os.path.join(FOLDER, "**", "*"), recursive=True)
             if path.endswith((".yml", ".html"))]
    for path in sorted(files):
        with open(path) as file:
            used = set(NAME.findall(file.read()))
        tap.ok(used and used <= known, "%s names metrics that there are" % os.path.basename(path),
               sorted(used - known))
    with open(os.path.join(FOLDER, "lastack.rules.yml")) as file:
        text = file.read()
    named = [word for group in re.findall(r'id=~?"([^"]+)"', text) for word in group.split("|")]
    unknown = [word for word in named if not any(re.fullmatch(word, event) for event in events)]
    tap.ok(named and not unknown, "and events that there are", unknown)
    if shutil.which("promtool") is None:
        tap.skip("promtool", "prometheus is not installed")
        return tap.end()
    for words in (("check", "rules", "lastack.rules.yml"),
                  ("test", "rules", "lastack.rules.test.yml")):
        result = subprocess.run(["promtool", *words], capture_output=True, text=True, cwd=FOLDER,
                                check=False)
        tap.ok(result.returncode == 0, "promtool " + " ".join(words), result.stdout, result.stderr)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
