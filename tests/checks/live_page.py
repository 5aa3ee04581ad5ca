#!/usr/bin/env python3
"""The live page over HTTP: what it is given, to whom, and that nobody is held up by who looks."""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from html_page import HOSTILE, SAMPLE
from pagelab import SAMPLES, STAYS, Events, Page, data_of, get, port_of
from livelab import LASTACK, Live, enter, listen, talk, until
from tap import Tap

CAPTURE = os.path.join(SAMPLES, SAMPLE + ".pcap")
TOKEN = "0123456789abcdef-._XYZ"


def lastack(*arguments):
    return subprocess.run([LASTACK, *arguments], capture_output=True, text=True, timeout=60,
                          check=False)


def of_dataset(records, name):
    return [r for r in records if r["event"]["dataset"] == "lastack." + name]


def check_refusals(tap, folder):
    for word in ("127.0.0.1", "example.org:80", "127.0.0.1:99999", "[::1]"):
        run = lastack("--http", word, CAPTURE)
        tap.ok(run.returncode == 2 and "must be an address and a port" in run.stderr,
               "--http %s is refused" % word, run.stderr)
    taken = listen()
    run = lastack("--http", str(taken.getsockname()[1]), CAPTURE)
    tap.ok(run.returncode == 5 and "Address already in use" in run.stderr,
           "a port that is in use is said", run.returncode, run.stderr)
    run = lastack("--http", "0", "--http", "127.0.0.2:0", CAPTURE)
    tap.ok(run.returncode == 2 and "twice" in run.stderr, "two pages are refused", run.stderr)
    run = lastack("--http-token", CAPTURE, CAPTURE)
    tap.ok(run.returncode == 2 and "--http ADDR:PORT" in run.stderr, "a token without a page",
           run.stderr)
    weak = os.path.join(folder, "weak")
    for content in ("short\n", "with spaces in the middle\n", "a" * 129 + "\n", ""):
        with open(weak, "w") as file:
            file.write(content)
        run = lastack("--http", "0", "--http-token", weak, CAPTURE)
        tap.ok(run.returncode == 2 and "16 to 128" in run.stderr, "a token that is none is refused",
               run.stderr)
    run = lastack("--http", "0", "--http-token", os.path.join(folder, "none"), CAPTURE)
    tap.ok(run.returncode == 2 and "cannot read it" in run.stderr, "and a file that is not there")


def check_saved(tap, folder):
    """A saved capture: what the page is given is what the records say; then it stays."""
    path = os.path.join(folder, "records.ndjson")
    page = Page("--ndjson=" + path, CAPTURE)
    tap.ok(page.stays(), "a saved capture's page stays, and says so", page.said())
    with open(path) as lines:
        records = [json.loads(line) for line in lines]
    tap.ok(records[-1]["event"]["dataset"] == "lastack.summary",
           "meanwhile the other outputs are whole")
    events = Events(page.port)
    messages = events.until("end")
    by_uid = lambda r: (r["lastack"]["flow_uid"], r["@timestamp"])
    tap.ok(sorted(data_of(messages, "flow"), key=by_uid) ==
           sorted(of_dataset(records, "flow"), key=by_uid), "flows are those of the NDJSON")
    wanted = [r for r in of_dataset(records, "event") if r["lastack"]["level"] != "info"]
    tap.ok(data_of(messages, "event") == wanted and wanted, "so are events from notice on")
    report, summary = data_of(messages, "report")[-1], records[-1]["lastack"]
    tap.ok(report["capture"]["packets"] == summary["capture"]["packets"] and
           report["summary"]["dwell_times"] == summary["summary"]["dwell_times"] and
           {p["id"] for p in report["problems"]} == {e["event"]["action"] for e in wanted} and
           {p["example"] for p in report["problems"]} <= {e["event"]["id"] for e in wanted},
           "the report so far agrees with the summary", report["capture"])
    stats = data_of(messages, "stats")
    tap.ok(stats[-1]["lastack"]["packets"] == summary["capture"]["packets"] and
           stats[-1]["lastack"]["open"]["total"] > 0, "the last point is as it was before the end")
    check_detail(tap, page.port, wanted[0], messages)
    check_again(tap, page.port, messages)
    check_pages(tap, page.port)
    check_strangers(tap, page.port)
    tap.ok(page.end() == 0, "SIGINT ends it", page.said())
    tap.ok(events.read() is None, "and whoever still looked is let go")
    events.close()


def check_detail(tap, port, event, messages):
    answer, text = get(port, "/detail?event=" + event["event"]["id"])
    detail = json.loads(text)
    uids = {graph["uid"] for graph in detail["segments"]["connections"]}
    tap.ok(answer.status == 200 and "<svg" in detail["markup"] and
           'data-flow="%s"' % event["lastack"]["flow_uid"] in detail["markup"] and
           event["lastack"]["flow_uid"] in uids, "an event opens to its ladder and segments", uids)
    flow = data_of(messages, "flow")[-1]
    answer, text = get(port, "/detail?flow=" + flow["lastack"]["flow_uid"])
    detail = json.loads(text)
    rows = [graph for graph in detail["segments"]["connections"]
            if graph["uid"] == flow["lastack"]["flow_uid"]]
    tap.ok(answer.status == 200 and len(rows[0]["rows"]) == flow["network"]["packets"],
           "a connection to all its segments", text[:200])
    statuses = [get(port, "/detail?" + query)[0].status for query in
                ("flow=0000000000000001", "event=0000000000000001", "flow=nonsense", "", "flow=")]
    tap.ok(statuses == [404, 404, 400, 400, 400], "what is not kept, and what is no id", statuses)


def check_again(tap, port, messages):
    """A browser that was away goes on where it was; one of another run begins anew."""
    middle = len(messages) // 2
    behind = Events(port, Last_Event_ID=messages[middle][0])
    tap.ok(behind.until("end") == messages[middle + 1:], "who comes again gets what it has not")
    behind.close()
    for strange in ("00000000-1", "nonsense", messages[0][0].split("-")[0] + "-99999999999", "-", "x" * 500):
        anew = Events(port, Last_Event_ID=strange)
        tap.ok(anew.until("end") == messages, "an id that is none begins anew: " + strange[:20])
        anew.close()


def check_pages(tap, port):
    answer, text = get(port, "/")
    policy = text.split('http-equiv="Content-Security-Policy" content="', 1)[1].split('"', 1)[0]
    tap.ok(answer.status == 200 and "default-src 'none'" in policy and "connect-src 'self'" in
           policy and "script-src 'sha256-" in policy and "unsafe" not in policy and
           "frame-ancestors 'none'" in answer.getheader("Content-Security-Policy") and
           answer.getheader("X-Content-Type-Options") == "nosniff" and
           answer.getheader("Referrer-Policy") == "no-referrer" and
           answer.getheader("Access-Control-Allow-Origin") is None, "the page's policy", policy)
    statuses = [get(port, "/else")[0].status, get(port, "/", "POST")[0].status,
                get(port, "/events", "DELETE")[0].status, get(port, "/", "HEAD")[0].status,
                get(port, "/events", "HEAD")[0].status, get(port, "/../etc/passwd")[0].status]
    tap.ok(statuses == [404, 405, 405, 200, 200, 404], "it only answers", statuses)
    try:
        status = get(port, "/" + "a" * 60000)[0].status
    except (ConnectionError, OSError):
        status = "closed"
    tap.ok(status in (414, 431, "closed"), "a request that is too long is not taken", status)


def check_strangers(tap, port):
    names = ("127.0.0.1", "localhost:80", "LOCALHOST", "[::1]:9", "10.1.2.3:8080")
    statuses = [get(port, "/detail", Host=name)[0].status for name in names]
    tap.ok(statuses == [400] * 5, "this host by an address, or as localhost", statuses)
    names = ("evil.example", "evil.example:%d" % port, "localhost.evil.example", "127.0.0.1.evil.example",
             "", "[::1", "127.0.0.1:80:80", "127.0.0.1 evil")
    statuses = [get(port, path, Host=name)[0].status for name in names for path in
                ("/", "/events", "/detail")]
    tap.ok(statuses == [403] * 24, "by another name it is not answered", statuses)
    here = "127.0.0.1:%d" % port
    asked = [dict(Origin="http://evil.example"), dict(Origin="null"), dict(Sec_Fetch_Site="cross-site"),
             dict(Sec_Fetch_Site="same-site"), dict(Origin="http://127.0.0.1:1")]
    statuses = [get(port, "/detail", Host=here, **headers)[0].status for headers in asked]
    tap.ok(statuses == [403] * 5, "nor are scripts of other pages", statuses)
    asked = [dict(Origin="http://" + here), dict(Sec_Fetch_Site="same-origin"), dict(Sec_Fetch_Site="none")]
    statuses = [get(port, "/detail", Host=here, **headers)[0].status for headers in asked]
    tap.ok(statuses == [400] * 3, "its own is", statuses)
    tap.ok(get(port, "/", Host=here, Sec_Fetch_Site="cross-site")[0].status == 200,
           "a link on another page leads to it")


def check_token(tap, folder):
    path = os.path.join(folder, "token")
    with open(path, "w") as file:
        file.write(TOKEN + "\nanother line\n")
    page = Page("--http-token", path, CAPTURE)
    port = page.port
    tap.ok(page.stays() and TOKEN not in page.said(), "a token from a file is not said", page.said())
    wrong = [{}, dict(Authorization="Bearer " + TOKEN[:-1]), dict(Authorization="Basic " + TOKEN),
             dict(Cookie="lastack-%d=%s" % (port, TOKEN + "x")), dict(Cookie="lastack-1=" + TOKEN)]
    statuses = [get(port, path, **headers)[0].status for headers in wrong
                for path in ("/", "/events", "/detail?flow=0000000000000001", "/else")]
    statuses += [get(port, "/?token=" + other)[0].status for other in ("", TOKEN[:-1], "x" * 300)]
    tap.ok(statuses == [401] * 23, "nothing without the token, nor with another", statuses)
    answer, _ = get(port, "/?token=" + TOKEN)
    cookie = answer.getheader("Set-Cookie") or ""
    tap.ok(answer.status == 200 and "HttpOnly" in cookie and "SameSite=Strict" in cookie,
           "who shows it is given a cookie", cookie)
    cookie = cookie.split(";")[0]
    statuses = [get(port, "/", Cookie=cookie)[0].status,
                get(port, "/", Authorization="Bearer " + TOKEN)[0].status,
                get(port, "/detail", Cookie="a=b; " + cookie)[0].status,
                get(port, "/", Cookie=cookie, Host="watcher.example")[0].status]
    tap.ok(statuses == [200, 200, 400, 200], "with it, or with the header, by any name", statuses)
    answer, _ = get(port, "/", Cookie=cookie)
    tap.ok(answer.getheader("Set-Cookie") is None, "which is not sent again")
    events = Events(port, Cookie=cookie)
    tap.ok(events.until("end")[-1:] and events.answer.status == 200, "events, too")
    events.close()
    status = get(port, "/detail", Cookie=cookie, Origin="http://evil.example")[0].status
    tap.ok(status == 403, "a script of another page is refused even so", status)
    tap.ok(page.end() == 0, "it ends")


def check_others(tap):
    """At an address that other hosts reach, a token is drawn and said."""
    page = Page(CAPTURE, http="0.0.0.0:0")
    page.stays()
    token = page.said().split("?token=", 1)[1].split()[0] if "?token=" in page.said() else ""
    tap.ok(len(token) == 32, "for other hosts a token is drawn", page.said())
    statuses = [get(page.port, "/")[0].status, get(page.port, "/?token=" + token)[0].status]
    tap.ok(statuses == [401, 200], "and must be shown", statuses)
    again = Page(CAPTURE, http="0.0.0.0:0")
    again.stays()
    tap.ok(token not in again.said(), "each time another one")
    again.end()
    page.end()
    page = Page(CAPTURE, http="[::1]:0")
    page.stays()
    tap.ok("?token=" not in page.said() and get(page.port, "/", address="::1")[0].status == 200,
           "not on this host, by IPv6 either", page.said())
    page.end()


def check_names(tap, folder):
    """A file's name is shown as text."""
    path = os.path.join(folder, HOSTILE)
    shutil.copy(CAPTURE, path)
    page = Page(path)
    page.stays()
    text = get(page.port, "/")[1]
    head = text.split("<title>", 1)[1].split("</title>", 1)[0]
    tap.ok("<" not in head and "&lt;" in head, "a hostile file name is text", head)
    page.end()


def check_stream(tap):
    """A capture that still comes through a pipe is shown while it does, and stays at its end."""
    with open(CAPTURE, "rb") as file:
        data = file.read()
    page = Page("-", stream=data)
    events = Events(page.port)
    found = events.until("flow")
    tap.ok(found and STAYS not in page.said(), "a stream is shown while it goes on")
    page.process.stdin.close()
    page.process.stdin = None
    tap.ok(events.until("end")[-1][1] == "end" and page.stays(), "its end, too; the page stays")
    events.close()
    tap.ok(page.end() == 0, "until it is ended", page.said())


def states(record, side):
    return {state: count for state, count in record["lastack"]["open"][side].items() if count}


def check_live(tap):
    """In a network of its own, with more who look than there is room for."""
    live = Live("-i", "lo", "-f", "tcp port 5555", "--http", "0", "--threads", "2")
    port = until(lambda: live.errors.seek(0) or port_of(live.errors.read()), 5)
    listener = socket.create_server(("127.0.0.1", 5555))
    events = Events(port)
    talk(listener, 5)
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    want = ({"TIME_WAIT": 5, "ESTABLISHED": 1}, {"CLOSED": 5, "ESTABLISHED": 1})
    last = until(lambda: (lambda r: r if (states(r, "client"), states(r, "server")) == want else None)(
        events.until("stats")[-1][2]), 10)
    tap.ok(last and last["lastack"]["drops"]["kernel"] == 0,
           "live: connections by the state of each side, within a second", last)
    status = live.status()
    tap.ok(os.geteuid() != 0 or (status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == 0),
           "without rights", status["Uid"])
    parts = events.until("parts", 15)
    tap.ok("5 connections" in parts[-1][2]["summary"] or "6 connections" in parts[-1][2]["summary"],
           "and the page's sentence", parts[-1][2].get("summary"))
    check_slow(tap, live, port, listener)
    check_gone(tap, port, listener)
    events.close()
    check_crowd(tap, port)
    client.close()
    server.close()
    before = time.monotonic()
    code = live.end()
    tap.ok(code == 0 and time.monotonic() - before < 10, "SIGINT ends it at once", code, live.said)
    summary = of_dataset(live.records(), "summary")[0]["lastack"]
    tap.ok(summary["capture"]["drops"]["kernel"] == 0, "nothing was dropped for those who looked",
           summary["capture"]["drops"])
    shutil.rmtree(live.folder)


def memory_of(live):
    return int(live.status()["VmRSS"].split()[0])


def check_slow(tap, live, port, listener):
    """One that reads nothing holds nobody up and costs no memory."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", port))
    slow.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    quick = Events(port)
    talk(listener, 300)
    quick.until("stats")
    before = memory_of(live)
    talk(listener, 1500)
    seen = until(lambda: len(live.records("flow")) >= 0 and
                 quick.until("stats")[-1][2]["lastack"]["packets"] >= 8 * 1805, 20)
    tap.ok(seen, "beside one that reads nothing another sees all go by")
    room = 32 if not os.environ.get("LASTACK_SANITIZED") else 256 # which a sanitizer keeps for itself
    tap.ok(memory_of(live) - before < room * 1024, "in bounded memory", before, memory_of(live))
    slow.close()
    quick.close()


def check_gone(tap, port, listener):
    """Browsers that go away, by a reset too, leave nothing behind."""
    for number in range(40):
        gone = socket.create_connection(("127.0.0.1", port))
        gone.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if number % 2:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
    talk(listener, 1)

    def answered():
        events = Events(port)
        found = events.answer.status == 200 and events.until("stats")
        events.close()
        return found
    tap.ok(until(answered, 10, 0.2), "forty that went away leave room for another")


def check_crowd(tap, port):
    """Those that went away are noticed with the next message or two."""
    def crowd_of(count):
        crowd = [Events(port) for _ in range(count)]
        if sum(events.answer.status == 200 for events in crowd) == 32:
            return crowd
        for events in crowd:
            events.close()
        time.sleep(4)
        return None
    crowd = until(lambda: crowd_of(40), 20) or []
    tap.ok(crowd, "32 can look at once, more are refused")
    tap.ok(get(port, "/")[0].status == 200, "who does not look is still answered")
    for events in crowd:
        events.close()


def main():
    enter()
    tap = Tap()
    if "answers with libmicrohttpd" not in lastack("--version").stdout:
        run = lastack("--http", "0", CAPTURE)
        tap.ok(run.returncode == 2 and "built without libmicrohttpd" in run.stderr, "it says why")
        tap.skip("the live page", "built without libmicrohttpd")
        return tap.end()
    with tempfile.TemporaryDirectory() as folder:
        check_refusals(tap, folder)
        check_saved(tap, folder)
        check_token(tap, folder)
        check_others(tap)
        check_names(tap, folder)
    check_stream(tap)
    check_live(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
