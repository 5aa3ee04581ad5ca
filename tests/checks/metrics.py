#!/usr/bin/env python3
"""Metrics say what the NDJSON counts: in a file, and over HTTP out of a live capture."""
import glob
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import metrics_text
from livelab import LASTACK, Live, enter, listen, talk, until
from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
OPEN = "application/openmetrics-text; version=1.0.0"


def lastack(*arguments):
    return subprocess.run([LASTACK, *arguments], capture_output=True, text=True, timeout=60,
                          check=False)


def records_of(capture):
    return [json.loads(line) for line in lastack("--ndjson", capture).stdout.splitlines()]


def captures(folder):
    """The samples, and cases of some topics."""
    found = sorted(glob.glob(os.path.join(TOP, "samples", "*.pcap")))
    cases = sorted(glob.glob(os.path.join(TOP, "tests", "cases", "*", "*.seg")))
    for case in cases[::max(1, len(cases) // 40)]:
        capture = os.path.join(folder, os.path.basename(case) + ".pcap")
        subprocess.run([sys.executable, os.path.join(TOP, "tests", "tools", "seg2pcap.py"), case,
                        capture], check=True, stdout=subprocess.DEVNULL)
        found.append(capture)
    return found


def check_files(tap, folder):
    wrong, seen = [], set()
    page, records = os.path.join(folder, "m.prom"), os.path.join(folder, "r.ndjson")
    found = captures(folder)
    for capture in found:
        run = lastack("--metrics-file", page, "--ndjson=" + records, "--nano", capture)
        with open(page) as text, open(records) as lines:
            metrics = metrics_text.read(text.read())
            counted = metrics_text.count([json.loads(line) for line in lines])
        seen |= {sample for sample, value in metrics.items() if value}
        wrong += [(capture, d) for d in metrics_text.differences(metrics, counted)]
        if run.returncode != 0 or run.stdout or os.path.exists(os.path.join(folder, ".m.prom.new")):
            wrong.append((capture, run.stderr, run.stdout[:100]))
    tap.ok(len(found) > 30 and not wrong,
           "%d captures: metrics are what the records count" % len(found), *wrong[:5])
    names = {name for name, _ in seen}
    tap.ok({"lastack_events_total", "lastack_close_dwell_seconds_bucket", "lastack_closes_total"}
           <= names and len({s for s in seen if s[0] == "lastack_events_total"}) > 20,
           "among them many kinds of events", sorted(names))
    with open(page) as text:
        check_promtool(tap, text.read())


def check_promtool(tap, text):
    if shutil.which("promtool") is None:
        tap.skip("promtool check metrics", "prometheus is not installed")
        return
    result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                            text=True, check=False)
    tap.ok(result.returncode == 0 and not result.stdout + result.stderr,
           "promtool check metrics has nothing to say", result.stdout, result.stderr)


def check_services(tap):
    sample = os.path.join(TOP, "samples", "syn-reset-in-last-ack.pcap")
    events = [r for r in records_of(sample) if r["event"]["dataset"] == "lastack.event"]
    worst = [e for e in events if e["event"]["action"] == "syn_in_last_ack_rst"]
    addresses = {end["ip"] for e in events for end in (e["source"], e["destination"])}
    plain = lastack("--metrics-file=-", sample).stdout
    tap.ok(worst and not any(address in plain for address in addresses),
           "no address stands in the metrics", addresses)
    service = "%(ip)s:%(port)d" % worst[0]["destination"]
    top = metrics_text.read(lastack("--metrics-file=-", "--metrics-top", "3", sample).stdout)
    wanted = metrics_text.key("lastack_service_events_total", service=service,
                              id="syn_in_last_ack_rst")
    tap.ok(top.get(wanted) == len(worst), "but for the services that --metrics-top asks for",
           [s for s in top if "service" in s[0]])


def check_refusals(tap):
    sample = os.path.join(TOP, "samples", "syn-reset-in-last-ack.pcap")
    for word in ("127.0.0.1", "example.org:80", "127.0.0.1:99999", "1.2.3:9", "[::1]", "::1:80"):
        run = lastack("--metrics-listen", word, sample)
        tap.ok(run.returncode == 2 and "must be an address and a port" in run.stderr,
               "--metrics-listen %s is refused" % word, run.stderr)
    taken = listen()
    run = lastack("--metrics-listen", "127.0.0.1:%d" % taken.getsockname()[1], sample)
    tap.ok(run.returncode == 5 and "Address already in use" in run.stderr,
           "a port that is in use is said", run.returncode, run.stderr)
    run = lastack("--metrics-top", "3", sample)
    tap.ok(run.returncode == 2 and "--metrics-listen" in run.stderr,
           "--metrics-top without metrics is refused", run.stderr)
    run = lastack("--metrics-file", "/no-such-folder/m.prom", sample)
    tap.ok(run.returncode == 5 and "/no-such-folder" in run.stderr, "a folder that is not there",
           run.stderr)


def get(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read().decode()


def port_of(live):
    """Where it says that it listens."""
    def said():
        live.errors.seek(0)
        lines = [line for line in live.errors.read().splitlines() if "metrics: http://" in line]
        return lines and int(lines[0].split(":")[-1].split("/")[0])
    return until(said, 5)


def check_live(tap):
    """In a network of its own, where it captures the questions that it answers, too."""
    folder = tempfile.mkdtemp(prefix="lastack-live-")
    os.chmod(folder, 0o777)
    page = os.path.join(folder, "live.prom")
    live = Live("-i", "lo", "-f", "tcp port 5555", "--nano", "--threads", "3",
                "--metrics-listen", "0",
                "--metrics-file", page, folder=folder)
    port = port_of(live)
    listener = socket.create_server(("127.0.0.1", 5555))
    talk(listener, 5)
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()

    def settled():
        found = metrics_text.read(get(port, "/metrics")[1])
        return found[metrics_text.key("lastack_packets_total")] == 43 and found
    found = until(settled, 5) or {}
    flows = {tuple(sorted(s[1])): v for s, v in found.items() if s[0] == "lastack_flows" and v}
    tap.ok(flows == {(("side", "client"), ("state", "TIME_WAIT")): 5,
                     (("side", "client"), ("state", "ESTABLISHED")): 1,
                     (("side", "server"), ("state", "CLOSED")): 5,
                     (("side", "server"), ("state", "ESTABLISHED")): 1},
           "live: connections by the state of each side", flows)
    tap.ok(found.get(metrics_text.key("lastack_stock_most", side="client", state="TIME_WAIT")) == 5
           and found.get(metrics_text.key("lastack_ports_used")) == 6 and
           found.get(metrics_text.key("lastack_capture_drops_total", by="kernel")) == 0 and
           0 <= found.get(metrics_text.key("lastack_lag_seconds"), -1) < 2 and
           0 < found.get(metrics_text.key("lastack_memory_bytes"), 0) < 2**30,
           "stocks, ports, drops, lag and memory", found)
    check_answers(tap, port)
    check_crowd(tap, port, listener)
    status = live.status()
    tap.ok(os.geteuid() != 0 or (status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == 0),
           "all that without rights", status["Uid"])
    check_whole_pages(tap, page, listener)
    client.close()
    server.close()
    time.sleep(0.6)
    code = live.end()
    with open(page) as text:
        last = metrics_text.read(text.read())
    wrong = metrics_text.differences(last, metrics_text.count(live.records()))
    tap.ok(code == 0 and not wrong, "the last page is what the records count", live.said, *wrong)
    shutil.rmtree(folder)


def check_answers(tap, port):
    plain, text = get(port, "/metrics")
    answer, open_text = get(port, "/metrics", Accept=OPEN)
    tap.ok(plain.getheader("Content-Type").startswith("text/plain; version=0.0.4") and
           answer.getheader("Content-Type").startswith("application/openmetrics-text"),
           "each is given the spelling that it asks for")
    tap.ok({s for s in metrics_text.read(text)} == {s for s in metrics_text.read(open_text, True)},
           "both have the same samples")
    statuses = [get(port, "/healthz")[0].status, get(port, "/")[0].status,
                get(port, "/else")[0].status, get(port, "/metrics", "POST")[0].status,
                get(port, "/metrics", "DELETE")[0].status, get(port, "/metrics", "HEAD")[0].status]
    tap.ok(statuses == [200, 200, 404, 405, 405, 200], "health, and what is not there", statuses)
    try:
        status = get(port, "/" + "a" * 60000)[0].status
    except (http.client.RemoteDisconnected, ConnectionError):
        status = "closed"
    tap.ok(status in (414, 431, "closed"), "a request that is too long is not taken", status)
    names = {"localhost": 200, "LOCALHOST:%d" % port: 200, "127.0.0.1": 200, "[::1]:%d" % port: 200,
             "evil.example": 403, "evil.example:%d" % port: 403, "localhost.evil.example": 403,
             "127.0.0.1.evil.example": 403, "[::1": 403, "": 403}
    wrong = {name: status for name, status in names.items()
             if any(get(port, path, Host=name)[0].status != status for path in ("/metrics", "/healthz"))}
    tap.ok(not wrong, "a name that another site gave this address is refused", wrong)
    bare = socket.create_connection(("127.0.0.1", port), timeout=5)
    bare.sendall(b"\0\xff nonsense\r\n\r\n")
    tap.ok(get(port, "/healthz")[0].status == 200, "nor does nonsense disturb it")
    bare.close()


def check_crowd(tap, port, listener):
    """More connections than it takes: the capture goes on, and so does the answering."""
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(40)]
    talk(listener, 2)
    time.sleep(0.3)
    for one in crowd:
        one.close()
    found = until(lambda: metrics_text.read(get(port, "/metrics")[1])
                  [metrics_text.key("lastack_packets_total")] == 59, 5)
    tap.ok(found, "forty connections that say nothing hold nobody up")


def check_whole_pages(tap, page, listener):
    """Whoever reads the file at any moment reads a whole page."""
    torn, pages, over = [], set(), threading.Event()

    def look():
        while not over.is_set():
            with open(page) as text:
                content = text.read()
            pages.add(content)
            if content and not content.endswith("# EOF\n"):
                torn.append(content[-100:])
    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(14):
        talk(listener)
        time.sleep(0.5)
    over.set()
    thread.join()
    tap.ok(not torn and len(pages) > 1, "the file is a whole page at any time", len(pages), *torn)


def check_no_rights_there(tap):
    """The folder is root's: the file is written over, and that is said."""
    if os.geteuid() != 0:
        tap.skip("a folder of root's", "only root becomes another user")
        return
    folder = tempfile.mkdtemp(prefix="lastack-live-")
    os.chmod(folder, 0o755)
    page = os.path.join(folder, "live.prom")
    live = Live("-i", "lo", "--metrics-file", page, ndjson=False)
    talk(listen(), 2)
    time.sleep(0.6)
    live.end()
    with open(page) as text:
        found = metrics_text.read(text.read())
    tap.ok("is written over" in live.said and
           found[metrics_text.key("lastack_packets_total")] == 16,
           "a folder that the later user may not write to", live.said)
    shutil.rmtree(folder)
    shutil.rmtree(live.folder)


def check_stream(tap):
    """A capture that still comes through a pipe is told of while it does."""
    sample = os.path.join(TOP, "samples", "syn-reset-in-last-ack.pcap")
    packets = records_of(sample)[-1]["lastack"]["capture"]["packets"]
    with open(sample, "rb") as file:
        data = file.read()
    process = subprocess.Popen([LASTACK, "--metrics-listen", "127.0.0.1:0", "-"],
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(data)
    process.stdin.flush()
    port = int(process.stderr.readline().split(b":")[-1].split(b"/")[0])
    found = until(lambda: metrics_text.read(get(port, "/metrics")[1])
                  [metrics_text.key("lastack_packets_total")] == packets, 5)
    tap.ok(found, "of a stream, too, metrics can be had while it goes on")
    process.stdin.close()
    process.stdin = None
    process.communicate(timeout=20)
    tap.ok(process.returncode == 0, "and it ends with the stream", process.returncode)


def main():
    enter()
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-metrics-")
    check_files(tap, folder)
    shutil.rmtree(folder)
    check_services(tap)
    version = lastack("--version").stdout
    if "answers with libmicrohttpd" not in version:
        tap.skip("metrics over HTTP", "built without libmicrohttpd")
        return tap.end()
    check_refusals(tap)
    check_stream(tap)
    check_live(tap)
    check_no_rights_there(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
