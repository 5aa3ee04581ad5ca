#!/usr/bin/env python3
"""node_exporter's textfile collector gives out what --metrics-file wrote: what the NDJSON counts."""
import os
import re
import shutil
import socket
import sys
import tempfile
import urllib.request

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
import metrics_text  # noqa: E402
from livelab import Live, enter, talk, until  # noqa: E402
from ours import Ours  # noqa: E402
from tap import Tap  # noqa: E402

NAMES = ("prometheus-node-exporter", "node_exporter")  # Debian's name, and its own
PORT = 9100


class Exporter(Ours):
    """One of our own: on loopback, with the textfile collector alone."""

    def __init__(self, program, folder):
        super().__init__(folder, "exporter", [
            program, "--collector.disable-defaults", "--collector.textfile",
            "--collector.textfile.directory=" + folder, "--web.listen-address=127.0.0.1:%d" % PORT])

    def page(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % PORT, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""


def samples(page):
    """lastack's, as metrics_text has them: node_exporter spells the bounds of buckets its own way."""
    found = {}
    for name, labels, value in re.findall(r"^(lastack_\w+)(?:\{(.*)\})? (\S+)$", page, flags=re.M):
        labels = dict(metrics_text.LABEL.findall(labels))
        if labels.get("le", "+Inf") != "+Inf":
            labels["le"] = str(float(labels["le"]))
        found[metrics_text.key(name, **labels)] = float(value)
    return found


def number(page, name):
    found = re.search(r"^%s(?:\{[^}]*\})? (\S+)$" % name, page, flags=re.M)
    return float(found.group(1)) if found else None


def check(tap, program, folder):
    exporter = Exporter(program, folder)
    page = os.path.join(folder, "lastack.prom")
    live = Live("-i", "lo", "-f", "tcp portrange 5555-5556", "--msl", "1", "--nano", "--metrics-file", page)
    try:
        tap.ok(until(lambda: "lastack_packets_total" in exporter.page(), 20, 0.2),
               "node_exporter gives out lastack's file while the capture goes on", live.process.poll())
        listener = socket.create_server(("127.0.0.1", 5555))
        talk(listener, 30)
        for _ in range(3):
            try:
                socket.create_connection(("127.0.0.1", 5556))
            except ConnectionRefusedError:
                pass
        seen = until(lambda: samples(exporter.page()).get(
            metrics_text.key("lastack_packets_total"), 0) == 30 * 8 + 3 * 2, 20, 0.3)
        tap.ok(seen, "it has the packets as they are counted")
        code = live.end()
        last = exporter.page()
    finally:
        exporter.end()
    records = live.records()
    found, counted = samples(last), metrics_text.count(records)
    wrong = metrics_text.differences(found, counted)
    tap.ok(code == 0 and len(counted) > 20 and not wrong,
           "in the end all %d numbers are what the NDJSON counts" % len(counted), live.said, *wrong)
    kinds = {kind: sum(value for (name, labels), value in found.items() if name == "lastack_closes_total" and
                       ("kind", kind) in labels) for kind in ("orderly", "refused")}
    tap.ok(kinds == {"orderly": 30, "refused": 3}, "and they are what was done", kinds)
    tap.ok(number(last, "node_textfile_scrape_error") == 0 and "lastack.prom" in last,
           "node_exporter finds nothing wrong with the file", number(last, "node_textfile_scrape_error"))
    shutil.rmtree(live.folder)


def main():
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        print("1..0 # SKIP node_exporter is not installed")
        return 0
    enter()
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-textfile-")
    os.chmod(folder, 0o777)  # lastack goes on as another user
    check(tap, program, folder)
    shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
