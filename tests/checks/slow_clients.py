#!/usr/bin/env python3
"""Who asks over HTTP octet by octet, reads no answer, or goes away while it waits, keeps nobody else
from asking: neither at --http nor at --metrics-listen.
"""
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from html_page import SAMPLE
from livelab import LASTACK, Live, enter, talk, until
from metrics import get as get_metrics
from metrics import port_of as metrics_port_of
from output_faults import capture
from pagelab import SAMPLES, Events, Page, data_of, get
from tap import Tap

CAPTURE = os.path.join(SAMPLES, SAMPLE + ".pcap")
PAGE_PLACES, METRICS_PLACES = 64, 32
DEADLINE = 10  # HTTP_REQUEST_SECONDS of http_guests.h
SLOW = 30  # SLOW_SECONDS of board_readers.c
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 9999


class Drip(threading.Thread):
    """Many who send an octet of a request at each turn; how long each was let."""

    def __init__(self, port, count, turn=0.4):
        super().__init__()
        self.turn, self.over, self.ages = turn, threading.Event(), []
        self.begun = time.monotonic()
        self.open = {socket.create_connection(("127.0.0.1", port), timeout=5): REQUEST
                     for _ in range(count)}
        self.start()

    def run(self):
        while self.open and not self.over.wait(self.turn):
            for one, rest in list(self.open.items()):
                try:
                    one.send(rest[:1])
                    self.open[one] = rest[1:]
                    ended = select.select([one], [], [], 0)[0] and not one.recv(100)
                except OSError:
                    ended = True
                if ended:
                    self.ages.append(time.monotonic() - self.begun)
                    one.close()
                    del self.open[one]

    def end(self):
        self.over.set()
        self.join()
        for one in self.open:
            one.close()


def answers(ask, times=5):
    """How long each of some honest questions took; None where one had no answer."""
    took = []
    for _ in range(times):
        begun = time.monotonic()
        try:
            if ask()[0].status != 200:
                return None
        except OSError as error:
            print("# %s" % error)
            return None
        took.append(time.monotonic() - begun)
    return took


def check_drip(tap, what, port, places, ask):
    drip = Drip(port, places)
    took = answers(ask)
    tap.ok(took and max(took) < 3, "%s: %d who drip hold nobody up" % (what, places), took)
    tap.ok(until(lambda: not drip.open, DEADLINE + 8, .1) and drip.ages[-1] >= DEADLINE - 1 and
           len(drip.ages) == places, "%s: a whole request has a deadline" % what, len(drip.open),
           drip.ages[-5:])
    drip.end()


def check_silent_readers(tap, what, port, places, ask):
    """They ask for what is there, and read none of it."""
    crowd = []
    for _ in range(places):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one.connect(("127.0.0.1", port))
        one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        crowd.append(one)
    time.sleep(.5)
    took = answers(ask)
    tap.ok(took and max(took) < 3, "%s: %d who read nothing hold nobody up" % (what, places), took)
    for one in crowd:
        one.close()


def check_looking(tap, port):
    """Those who read events keep their places, whoever drips."""
    looking = [Events(port) for _ in range(20)]
    drip = Drip(port, PAGE_PLACES)
    answers(lambda: get(port, "/"))
    messages = [events.until("end") for events in looking]
    tap.ok(all(each and each[-1][1] == "end" for each in messages) and
           all(events.answer.status == 200 for events in looking),
           "who looks at the page stays meanwhile", [len(each) for each in messages])
    drip.end()
    for events in looking:
        events.close()


def check_gone_askers(tap, port):
    """Questions of those who are gone, by a reset, take no place."""
    events = Events(port)
    event = data_of(events.until("end"), "event")[0]["event"]["id"]
    events.close()
    for _ in range(40):
        gone = socket.create_connection(("127.0.0.1", port))
        gone.sendall(("GET /detail?event=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % event).encode())
        time.sleep(.005)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
    time.sleep(.3)
    answer, text = get(port, "/detail?event=" + event)
    tap.ok(answer.status == 200 and "<svg" in text,
           "forty that asked and went away leave room for another", answer.status, text[:100])


def check_slow_reader(tap, folder):
    """It takes an octet of the events at a time, so that it is never silent."""
    page = Page(capture(os.path.join(folder, "big.pcap")))
    page.stays()
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.connect(("127.0.0.1", page.port))
    slow.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    slow.settimeout(1)
    begun = time.monotonic()

    def ended():
        try:
            return not slow.recv(1)
        except ConnectionError:
            return True
        except TimeoutError:
            return False
    # what the kernel holds for it is still read, and then the end
    closed = until(lambda: closing(page, slow) or ended(), SLOW + 20, 1)
    tap.ok(closed and time.monotonic() - begun >= SLOW - 1,
           "who reads events octet by octet is closed", closed, time.monotonic() - begun)
    slow.close()
    tap.ok(page.end() == 0, "it ends", page.said())


def closing(page, one):
    """Whether the program has closed its end: it is the kernel's alone now."""
    with open("/proc/%d/net/tcp" % page.process.pid) as table:
        rows = [line.split() for line in table][1:]
    mine = "%08X:%04X" % (struct.unpack("<I", socket.inet_aton("127.0.0.1"))[0], one.getsockname()[1])
    return any(row[2] == mine and row[3] != "01" for row in rows)


def check_page(tap):
    page = Page(CAPTURE)
    page.stays()
    ask = lambda: get(page.port, "/")
    check_gone_askers(tap, page.port)
    check_silent_readers(tap, "the page", page.port, PAGE_PLACES, ask)
    check_looking(tap, page.port)
    check_drip(tap, "the page", page.port, PAGE_PLACES, ask)
    tap.ok(page.end() == 0, "it ends", page.said())


def check_metrics(tap):
    """Live, with its rights given up: who is late is closed there, too."""
    live = Live("-i", "lo", "-f", "tcp port 5555", "--metrics-listen", "0")
    port = metrics_port_of(live)
    listener = socket.create_server(("127.0.0.1", 5555))
    talk(listener)
    check_drip(tap, "metrics", port, METRICS_PLACES, lambda: get_metrics(port, "/metrics"))
    tap.ok(live.end() == 0, "it ends", live.said)
    listener.close()


def check_still(tap):
    """While the analysis stands still pages are waited for; health is told."""
    live = Live("-i", "lo", "-f", "tcp port 5556", "--ndjson", "--segments", "all", "--transitions",
                "-U", "--metrics-listen", "0", "--set", "health_wait=1s", "--msl", "1", ndjson=False)
    port = metrics_port_of(live)
    listener = socket.create_server(("127.0.0.1", 5556))
    tap.ok(get_metrics(port, "/metrics")[0].status == 200, "a page at the start")
    talk(listener, 30)
    found = until(lambda: get_metrics(port, "/healthz")[0].status == 503, 15, .1)
    crowd = []
    for _ in range(METRICS_PLACES + 8):
        one = socket.create_connection(("127.0.0.1", port), timeout=5)
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        crowd.append(one)
    time.sleep(.5)
    try:
        answer, text = get_metrics(port, "/healthz")
        said = answer.status, text
    except OSError as error:
        said = error
    tap.ok(found and said == (503, "the analysis stands still\n"),
           "forty that wait for a page leave room for who asks for health", found, said)
    reader = threading.Thread(target=live.process.stdout.read)
    reader.start()
    tap.ok(until(lambda: get_metrics(port, "/healthz")[0].status == 200, 15, .1),
           "all is well once it goes on")
    for one in crowd:
        one.close()
    live.send(signal.SIGINT)
    reader.join(timeout=20)
    tap.ok(live.process.wait(timeout=20) == 0, "it ends")
    live.end()
    listener.close()


def main():
    enter()
    tap = Tap()
    said = subprocess.run([LASTACK, "--version"], capture_output=True, text=True, check=False).stdout
    if "answers with libmicrohttpd" not in said:
        tap.skip("slow clients", "built without libmicrohttpd")
        return tap.end()
    check_page(tap)
    with tempfile.TemporaryDirectory() as folder:
        check_slow_reader(tap, folder)
    check_metrics(tap)
    check_still(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
