#!/usr/bin/env python3
"""A real Prometheus scrapes a live capture: what it then knows is what the NDJSON counts."""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
import metrics_text  # noqa: E402
from livelab import LASTACK, Live, enter, talk, until  # noqa: E402
from ours import Ours  # noqa: E402
from tap import Tap  # noqa: E402

WEB = "http://127.0.0.1:9090"
CONFIG = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ['%s/lastack.rules.yml']
scrape_configs:
  - job_name: lastack
    static_configs: [{targets: ['127.0.0.1:9464']}]
"""


def ask(path, **words):
    address = WEB + path + ("?" + urllib.parse.urlencode(words) if words else "")
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def query(expression):
    return json.loads(ask("/api/v1/query", query=expression))["data"]["result"]


def samples():
    """Everything it knows of lastack now, as metrics_text has it."""
    found = {}
    for one in query('{__name__=~"lastack_.*"}'):
        labels = {k: v for k, v in one["metric"].items() if k not in ("__name__", "instance", "job")}
        found[metrics_text.key(one["metric"]["__name__"], **labels)] = float(one["value"][1])
    return found


def dashboard_queries():
    """Those of contrib/grafana, with its variables filled in."""
    with open(os.path.join(TOP, "contrib", "grafana", "lastack.json")) as file:
        panels = json.load(file)["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    for name, value in (("$__rate_interval", "30s"), ("$__range", "1m"), ("$instance", ".*")):
        found = [expression.replace(name, value) for expression in found]
    return found


class Prometheus(Ours):
    """One of our own: on loopback, with its own folder."""

    def __init__(self, folder):
        rules = os.path.join(os.path.abspath(TOP), "contrib", "prometheus")
        config = os.path.join(folder, "prometheus.yml")
        with open(config, "w") as file:
            file.write(CONFIG % rules)
        super().__init__(folder, "prometheus", [
            "prometheus", "--config.file=" + config, "--web.listen-address=127.0.0.1:9090",
            "--storage.tsdb.path=" + os.path.join(folder, "data"),
            "--web.console.templates=" + os.path.join(rules, "consoles")])

    def is_ready(self):
        try:
            return "Ready" in ask("/-/ready")
        except OSError:
            return False


def make_traffic(listener):
    """Closed in order, by resets, refused, and by a server that forgets for two seconds."""
    talk(listener, 20)
    for _ in range(5):
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"x")
        server.recv(1)
        client.close()
        server.close()
    for _ in range(3):
        try:
            socket.create_connection(("127.0.0.1", 5556))
        except ConnectionRefusedError:
            pass
    forgotten = []
    for _ in range(4):
        client = socket.create_connection(listener.getsockname())
        forgotten.append(listener.accept()[0])
        client.close()
    time.sleep(2.5)
    held = query('lastack_flows{side="server",state="CLOSE_WAIT"}')
    silent = [expression for expression in dashboard_queries() if not query(expression)]
    for server in forgotten:
        server.close()
    return held, silent


def check(tap, folder):
    live = Live("-i", "lo", "-f", "tcp portrange 5555-5556", "--msl", "1", "--nano",
                "--set", "close_wait_slow=1s", "--set", "close_wait_leak=2s",
                "--metrics-listen", "9464", "--metrics-top", "3")
    prometheus = Prometheus(folder)
    try:
        tap.ok(until(prometheus.is_ready, 30, 0.2), "Prometheus begins")
        tap.ok(until(lambda: query('up{job="lastack"} == 1'), 15, 0.3), "it scrapes lastack")
        held, silent = make_traffic(socket.create_server(("127.0.0.1", 5555)))
        tap.ok(held and held[0]["value"][1] == "4", "it sees what is held in CLOSE_WAIT", held)
        quiet = until(lambda: query("lastack_flows_open == 0 and lastack_packets_total > 0"), 20, 0.5)
        tap.ok(quiet, "and that in the end nothing is held any more")
        time.sleep(1.5)
        found = samples()
        console = ask("/consoles/lastack.html")
        rules = json.loads(ask("/api/v1/rules"))["data"]["groups"][0]["rules"]
        silent = [expression for expression in silent if not query(expression)]
        scraped = query('scrape_duration_seconds{job="lastack"}')
    finally:
        prometheus.end()
        code = live.end()
    records = live.records()
    counted = metrics_text.count(records)
    wrong = metrics_text.differences(found, counted)
    tap.ok(code == 0 and len(counted) > 40 and not wrong,
           "all %d numbers are what the NDJSON counts" % len(counted), *wrong)
    leaks = sum(r["event"].get("action") == "close_wait_leak" for r in records)
    service = metrics_text.key("lastack_service_events_total", service="127.0.0.1:5555",
                               id="close_wait_leak")
    tap.ok(leaks == 4 and found.get(service) == 4, "events, by service, too", leaks,
           found.get(service))
    kinds = {kind: sum(v for (name, labels), v in counted.items() if name == "lastack_closes_total"
                       and ("kind", kind) in labels) for kind in ("orderly", "reset", "refused")}
    tap.ok(kinds == {"orderly": 24, "reset": 5, "refused": 3}, "and they are what was done", kinds)
    tap.ok(all('data-kind="%s">%d<' % pair in console for pair in kinds.items()) and
           'data-event="close_wait_leak">4<' in console and "127.0.0.1:5555" in console,
           "the console page shows them", console[-1500:])
    tap.ok(len(rules) == 9 and all(rule["health"] == "ok" for rule in rules),
           "the alert rules can be evaluated", [(r["name"], r["health"]) for r in rules])
    tap.ok(not silent and len(dashboard_queries()) > 15, "every query of Grafana's dashboard has an answer",
           *silent)
    tap.ok(scraped and float(scraped[0]["value"][1]) < 1, "a scrape takes less than a second", scraped)
    shutil.rmtree(live.folder)


def main():
    version = subprocess.run([LASTACK, "--version"], capture_output=True, text=True, check=True)
    if "answers with libmicrohttpd" not in version.stdout:
        print("1..0 # SKIP built without libmicrohttpd")
        return 0
    if shutil.which("prometheus") is None:
        print("1..0 # SKIP prometheus is not installed")
        return 0
    enter()
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-prometheus-")
    check(tap, folder)
    shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
