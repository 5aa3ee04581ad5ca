#!/usr/bin/env python3
"""The live page in a browser: of a saved capture, while connections pass, and by a token."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import metrics_text
from html_browser import environment, why_no_browser
from html_page import HOSTILE, SAMPLE
from livelab import LASTACK, Live, enter, talk, until
from pagelab import SAMPLES, TOP, Page, port_of
from tap import Tap

READER = os.path.join(TOP, "tests", "checks", "live_reader.js")
CAPTURE = os.path.join(SAMPLES, SAMPLE + ".pcap")


class Browser:
    def __init__(self, node, browser):
        self.process = subprocess.Popen([node, READER, browser], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, env=environment())

    def __call__(self, page, action, *rest):
        self.process.stdin.write(json.dumps([page, action, *rest]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"failed": "the browser is gone"}

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def report_of(capture):
    done = subprocess.run([LASTACK, "--json", "--flows", "all", "--level", "notice", capture],
                          capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def held_of(capture, folder):
    """What the metrics say was held before the end: state -> clients, servers."""
    path, held = os.path.join(folder, "held.prom"), {}
    subprocess.run([LASTACK, "--metrics-file", path, capture], check=True, timeout=60)
    with open(path) as file:
        text = file.read()
    for (name, labels), value in metrics_text.read(text).items():
        if name == "lastack_flows" and value:
            of = dict(labels)
            held.setdefault(of["state"], [0, 0])[of["side"] == "server"] = int(value)
    return held


def check_quiet(tap, browser, page, port, name):
    seen = browser(page, "seen")
    here = "http://127.0.0.1:%d/" % port
    asked = {url.split("?")[0] for url in seen["requests"]}
    tap.ok(asked <= {here, here + "events", here + "detail"}, name + ": it asks this place alone", asked)
    tap.ok(not seen["messages"] and seen["dialogs"] == 0, name + ": no message, no dialog",
           *seen["messages"])


def check_saved(tap, browser, folder):
    path = os.path.join(folder, HOSTILE)
    shutil.copy(CAPTURE, path)
    report = report_of(CAPTURE)
    page = Page(path)
    tap.ok(page.stays(), "a page of a hostile file name", page.said())
    browser("saved", "open", "http://127.0.0.1:%d/" % page.port)
    read = browser("saved", "said", "All is read")
    tap.ok("<img src=x onerror=" in read.get("title", "") and read["foreign"] == 0, "its title is text",
           read.get("title", read))
    read = browser("saved", "wait", "#problems details", len(report["problems"]))
    packets = report["capture"]["packets"]
    tap.ok(len(read["problems"]) == len(report["problems"]) and "%d packets" % packets in read["said"]
           and len(read["lines"]) == len(report["flows"]) and
           len(read["hosts"]) == len(report["hosts"]) and read["summary"] and read["endings"],
           "what the report has", read)
    events = sum(problem["count"] for problem in report["problems"])
    tap.ok(len(read["events"]) == events == len(set(read["events"])), "every event", read["events"])
    tap.ok(read["states"] == held_of(CAPTURE, folder), "what was held before the end", read["states"])
    for action, name in (("problem", "a problem"), ("event", "an event"), ("line", "a connection")):
        box = browser("saved", action)
        tap.ok(box.get("ladders") == 1 and box["arrows"] > 10 and box["lanes"] > 3 and
               box["graphs"] >= 2, name + " opens to ladder, states and graphs",
               {key: value for key, value in box.items() if key != "text"})
    read = browser("saved", "read")
    tap.ok(read["opened"] == 3 and not read["nameless"] and not read["wide"],
           "all that is used has a name, and nothing is wider than the screen", read["nameless"])
    tap.ok(not browser("saved", "resize", 390)["wide"], "on a telephone either")
    found = browser("saved", "fill", "#search", "no such thing")
    tap.ok(found["lines"] == [], "what is not found is not shown")
    check_quiet(tap, browser, "saved", page.port, "saved")
    browser("saved", "close")
    tap.ok(page.end() == 0, "it ends while a browser looked", page.said())


def check_token(tap, browser, folder):
    path = os.path.join(folder, "token")
    with open(path, "w") as file:
        file.write("a-token-for-this-test\n")
    page = Page("--http-token", path, CAPTURE)
    page.stays()
    here = "http://127.0.0.1:%d/" % page.port
    browser("token", "open", here + "?token=a-token-for-this-test")
    read = browser("token", "said", "All is read")
    tap.ok(read.get("address") == here, "the token leaves the address", read.get("address", read))
    browser("token", "reload")
    read = browser("token", "said", "All is read")
    box = browser("token", "line")
    tap.ok("failed" not in read and box.get("ladders") == 1, "the cookie is enough from then on", read)
    browser("token", "close")
    page.end()


def check_live(tap, browser):
    """Two browsers; one is held still; lastack ends and another one begins in its place."""
    live = Live("-i", "lo", "-f", "tcp port 5555", "--msl", "1", "--http", "127.0.0.1:18555")
    port = until(lambda: live.errors.seek(0) or port_of(live.errors.read()), 5)
    here = "http://127.0.0.1:%d/" % port
    for name in ("one", "two"):
        browser(name, "open", here)
        browser(name, "said", "Live.")
    listener = socket.create_server(("127.0.0.1", 5555))
    clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    servers = [listener.accept()[0] for _ in range(3)]
    read = browser("one", "wait", "tr[data-state=ESTABLISHED]", 1)
    tap.ok(read.get("states", {}).get("ESTABLISHED") == [3, 3], "live: connections as they are",
           read.get("states", read))
    browser("two", "click", "#hold")
    held = browser("two", "said", "Held still")
    servers[0].close() # its client stays in CLOSE_WAIT
    read = browser("one", "wait", "tr[data-state=FIN_WAIT_2]", 1)
    tap.ok(read["states"].get("CLOSE_WAIT") == [1, 0] and read["states"].get("FIN_WAIT_2") == [0, 1] and
           read["curves"] == 1, "and as they change", read["states"])
    servers[1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    clients[1].sendall(b"x")
    servers[1].close() # a reset
    read = browser("one", "wait", "#flows tbody tr", 1)
    tap.ok(len(read["lines"]) == 1 and "127.0.0.1:5555" in read["lines"][0], "one that ended",
           read["lines"])
    again = browser("two", "read")
    tap.ok(again["states"] == held["states"] and again["lines"] == [], "the other one is held still",
           again["states"])
    browser("two", "click", "#hold")
    read = browser("two", "wait", "#flows tbody tr", 1)
    tap.ok(len(read.get("lines", [])) == 1, "and catches up", read)
    box = browser("one", "line")
    tap.ok(box.get("ladders") == 1 and box["graphs"] >= 2, "it opens while the capture goes on",
           {key: value for key, value in box.items() if key != "text"})
    talk(listener, 20)
    time.sleep(3)
    read = browser("one", "read")
    tap.ok(read["opened"] == 1, "and stays open", read["opened"])
    check_quiet(tap, browser, "one", port, "live")
    check_anew(tap, browser, live, listener)
    for each in clients + servers:
        each.close()


def check_anew(tap, browser, live, listener):
    code = live.end()
    read = browser("one", "said", "lastack has ended")
    tap.ok(code == 0 and "failed" not in read, "its end is noticed", code, live.said, read)
    live = Live("-i", "lo", "-f", "tcp port 5555", "--http", "127.0.0.1:18555")
    talk(listener, 4)
    read = browser("one", "said", "4 connections held")
    tap.ok(read.get("lines") == [] and read["states"] == {"TIME_WAIT": [4, 0], "CLOSED": [0, 4]},
           "another one in its place is shown alone", read)
    for name in ("one", "two"):
        browser(name, "close")
    live.end()


def main():
    enter()
    tap = Tap()
    node, browser = shutil.which("node"), shutil.which("chromium")
    version = subprocess.run([LASTACK, "--version"], capture_output=True, text=True, check=True)
    reason = why_no_browser(node, browser)
    if "answers with libmicrohttpd" not in version.stdout:
        reason = "built without libmicrohttpd"
    if reason:
        tap.skip("the live page in a browser", reason)
        return tap.end()
    browser = Browser(node, browser)
    with tempfile.TemporaryDirectory() as folder:
        check_saved(tap, browser, folder)
        check_token(tap, browser, folder)
    check_live(tap, browser)
    browser.end()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
