#!/usr/bin/env python3
"""Text from outside (names of files, of interfaces, of taps, comments) in every output: nothing of
it reaches a terminal or a page as more than text, and every record is JSON in whole UTF-8.
"""
import html.parser
import json
import os
import struct
import subprocess
import sys
import tempfile
import unicodedata

from html_page import SAMPLES, packets_of
from pagelab import Page as LivePage
from output_faults import capture
from pagelab import Events, get
from tap import Tap
import terminal

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
CAPTURE = os.path.join(SAMPLES, "collision-challenged.pcap")
# What a terminal or a page could take for more than text, each in a name of its own.
TEXTS = {
    "a colour": b"\x1b[31mred\x1b[0m",
    "a title of the window": b"\x1b]0;owned\x07",
    "an 8-bit control": b"\x9b31m\x90x\x9c",
    "the same in UTF-8": "\u009b31m\u0085next".encode(),
    "carriage return and bells": b"good\rbad\x08\x08\x07\x7f\t\x0b\x0c",
    "a second line": b"one\nlastack: all is well",
    "turned text": "\u202egpj.\u202c\u2066x\u2069\u200f\u200e\u061c".encode(),
    "line ends of Unicode": "a\u2028b\u2029c".encode(),
    "overlong slashes": b"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf",
    "lone surrogates": b"\xed\xa0\x80\xed\xbf\xbf",
    "beyond Unicode": b"\xf4\x90\x80\x80\xff\xfe\xf8\x88\x80\x80\x80",
    "cut short": b"abc\xe2\x82",
    "an end of script": b"<",  # the rest follows: a name of a file has no slash
    "a comment's end": b"--><!--<script>",
    "quotes": b"\"'`\\\"}]>&amp;&#60;",
    "labels of metrics": b"x\"} 1\ny{z=\"",
    "formats": b"%s%n%99999d%x",
    "long": b"x" * 200 + b"\x1b[2J",
    "a mark of order": "\ufeff\u200b\u2060\U000e0041".encode(),
}
CLOSING = b"</script><script>alert(1)</script><svg onload=alert(2)>"


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def options_of(*pairs):
    out = b""
    for code, value in pairs:
        out += struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
    return out + bytes(4)


def pcapng(packets, text):
    """With the text in every option that holds some (draft-ietf-opsawg-pcapng, 3.5, 4.1 to 4.6)."""
    section = options_of((1, text), (2, text), (3, text), (4, text))
    interface = options_of((1, text), (2, text), (3, text), (11, b"\0" + text), (12, text), (15, text))
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + section)
    out += block(1, struct.pack("<HHI", 1, 0, 262144) + interface)
    out += block(4, struct.pack("<HHI", 1, 5 + len(text), 0x0100007f)[:4] + b"\x0a\0\0\1" + text + b"\0")
    for at, frame in packets:
        fixed = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(frame), len(frame))
        out += block(6, fixed + frame + bytes(-len(frame) % 4) + options_of((1, text)))
    return out + block(5, struct.pack("<III", 0, 0, 0) + options_of((1, text)))


def run(*words):
    return subprocess.run([LASTACK, *words], capture_output=True, timeout=60, check=False)


def not_plain(octets, allowed="\n"):
    """What is no printable character of whole UTF-8; None: all is."""
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        return str(error)
    for character in text:
        kind = unicodedata.category(character)
        turns = unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI",
                                                         "FSI", "PDI")
        if character not in allowed and (kind in ("Cc", "Zl", "Zp", "Cs") or turns or
                                         character in "\u200e\u200f\u061c"):
            return "%r in %r" % (character, text[max(0, text.index(character) - 60):][:120])
    return None


class Elements(html.parser.HTMLParser):
    """Which elements a page has, and with which attributes."""

    def __init__(self, octets):
        super().__init__()
        self.found = []
        self.feed(octets.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted(name for name, _ in attrs)))


def faults_of_records(name, octets):
    """Every line is JSON of whole UTF-8, with no control character as it is."""
    wrong = []
    for line in octets.split(b"\n"):
        try:
            fault = line and not_plain(line)
            if line:
                json.loads(line)
        except ValueError as error:
            fault = str(error)
        if fault:
            wrong.append("%s: %s" % (name, fault))
    return wrong[:3]


def faults_of(words, flow, plain_elements, folder):
    """What any output, or a message, gives to a terminal or a page that it should not."""
    wrong, said = [], b""
    page, metrics = os.path.join(folder, "page.html"), os.path.join(folder, "metrics.prom")
    outputs = {"records": ["--ndjson", "--segments", "all", "--transitions"], "report": ["--json"],
               "summary": ["--text", "--level", "info"], "drawing": ["--svg", "-", "--flow", flow],
               "page": ["--html", page, "--metrics-file", metrics, "--metrics-top", "9"]}
    for name, output in outputs.items():
        done = run("-v", *output, *words)
        said += done.stderr
        if done.returncode != 0:
            wrong.append("%s: exit %d, %s" % (name, done.returncode, done.stderr[-200:]))
        if name == "records":
            wrong += faults_of_records(name, done.stdout)
        elif not_plain(done.stdout):
            wrong.append("%s: %s" % (name, not_plain(done.stdout)))
        if name == "report":
            json.loads(done.stdout)
    done = run("ladder", *words)
    wrong += ["ladder: %s" % fault for fault in [not_plain(done.stdout)] if fault]
    with open(metrics, "rb") as file:
        wrong += ["metrics: %s" % fault for fault in [not_plain(file.read())] if fault]
    with open(page, "rb") as file:
        octets = file.read()
    if plain_elements is not None and Elements(octets).found != plain_elements:
        wrong.append("the page has other elements")
    wrong += ["page: %s" % fault for fault in [not_plain(octets)] if fault]
    wrong += ["message: %s" % fault for fault in [not_plain(said)] if fault]
    return wrong


def elements_of(folder, *words):
    page = os.path.join(folder, "plain.html")
    run("--html", page, *words)
    with open(page, "rb") as file:
        return Elements(file.read()).found


def check_captures(tap, folder, flow):
    """As the name of a file, and as whatever a pcapng file says of itself."""
    packets = packets_of(CAPTURE)
    plain = elements_of(folder, CAPTURE)
    for name, text in TEXTS.items():
        path = os.path.join(folder.encode(), (text.replace(b"/", b"|").replace(b"\0", b"") + b".pcap"))
        with open(CAPTURE, "rb") as file, open(path, "wb") as copy:
            copy.write(file.read())
        wrong = faults_of([path], flow, plain, folder)
        hidden = os.path.join(folder, "interface.pcapng")
        with open(hidden, "wb") as file:
            file.write(pcapng(packets, text + CLOSING))
        wrong += faults_of([hidden], flow, plain, folder)
        tap.ok(not wrong, "%s: in names of files and interfaces, and in comments" % name, *wrong)
        os.unlink(path)


def check_words(tap, folder, flow):
    """As what is given on the command line: the place of the capture, taps, what is refused."""
    plain = elements_of(folder, "--observer", "here", CAPTURE)
    wrong, said = [], []
    for name, text in TEXTS.items():
        wrong += ["%s: %s" % (name, fault) for fault in
                  faults_of(["--observer", text + CLOSING, CAPTURE], flow, plain, folder)]
        path = os.path.join(folder.encode(), b"missing" + text)
        for words in (["--tap", text + b"=" + CAPTURE.encode(), "--tap", b"b=" + CAPTURE.encode()], [path],
                      ["--observer", text, path], ["--set", text], ["--config", path], ["-f", text, CAPTURE],
                      ["--explain", text], ["--event", text, CAPTURE], [b"--" + text], ["merge", path],
                      ["--ndjson=" + os.path.join(folder, "none", "x").replace("none", "no")],
                      [b"--ndjson=" + path + b"/x", CAPTURE], ["--state-in", path, CAPTURE],
                      ["--flow", text, CAPTURE], ["-F", path, CAPTURE], ["--since", text, CAPTURE],
                      ["--kafka", text, "--topic", text, CAPTURE], ["--http", text, CAPTURE],
                      ["--http", "0", "--http-token", path, CAPTURE], ["-i", text], ["-y", text, "-i", "lo"]):
            done = run(*words)
            fault = not_plain(done.stderr) or not_plain(done.stdout)
            if fault:
                said.append("%s %r: %s" % (name, words, fault))
            if done.stderr and not all(line.startswith(b"lastack: ") for line in
                                       done.stderr.splitlines()):
                said.append("%s %r: a line of its own: %s" % (name, words, done.stderr))
    tap.ok(not wrong, "as the name of the place", *wrong[:9])
    tap.ok(not said, "in what is refused, and why", *said[:9])


def check_merged(tap, folder):
    """Records of others, with escapes in their strings, and octets that are none."""
    big = capture(os.path.join(folder, "big.pcap"))  # its connections need no other piece
    records, wrong, passed = run("--piece", "--ndjson", "--observer", "HERE", big).stdout, [], 0
    spelled = {name: TEXTS[name] for name in (
        "a colour", "an 8-bit control", "the same in UTF-8", "carriage return and bells", "turned text",
        "overlong slashes", "lone surrogates", "cut short")}
    spelled["escapes"] = b"\\u001b[31m\\u202e\\ud800\\udfff\\u0000\\u2028</script>"
    for name, text in spelled.items():
        path = os.path.join(folder, "piece.ndjson")
        with open(path, "wb") as file:
            file.write(records.replace(b"HERE", text))
        done = run("merge", path)
        passed += b'"observer":{"name":' in done.stdout
        wrong += faults_of_records(name, done.stdout)
        wrong += ["%s: %s" % (name, fault) for fault in [not_plain(done.stderr)] if fault]
    tap.ok(not wrong and passed > 5, "in pieces that are merged", passed, *wrong[:9])


def check_live_page(tap, folder):
    """As the page of --http has them: text of its own, and data."""
    if "answers with libmicrohttpd" not in run("--version").stdout.decode():
        tap.skip("the live page", "built without libmicrohttpd")
        return
    hidden = os.path.join(folder, "hidden.pcapng")
    wrong = []
    for name in ("turned text", "an end of script", "a comment's end", "lone surrogates", "a colour"):
        with open(hidden, "wb") as file:
            file.write(pcapng(packets_of(CAPTURE), TEXTS[name] + CLOSING))
        path = os.path.join(folder.encode(), TEXTS[name] + b".pcap")
        os.replace(hidden, path)
        page = LivePage(path, "--observer", TEXTS[name] + CLOSING)
        page.stays()
        text = get(page.port, "/")[1]
        fault = not_plain(text.encode())
        events = Events(page.port)
        messages = events.until("end")
        events.close()
        for message in messages:
            parts = json.dumps(message[2], ensure_ascii=False)
            fault = fault or ("<script" in parts.lower() and message[1] == "parts" and parts[:200])
        if fault or len(messages) < 5:
            wrong.append("%s: %s" % (name, fault))
        page.end()
        os.unlink(path)
    tap.ok(not wrong, "in the page of --http, and what it is given", *wrong)


def check_top(tap, folder):
    """In the first line of the live view, on a terminal that says what was done to it."""
    if not terminal.is_there() or "ncurses" not in run("--version").stdout.decode():
        tap.skip("the live view", "no tmux, or built without ncurses")
        return
    wrong, place = [], os.path.join(folder, "t")
    os.mkdir(place)
    screen = terminal.Terminal(120, 30)
    before = screen.state()[0]
    for name in ("a title of the window", "a colour", "an 8-bit control", "a second line", "turned text"):
        path = os.path.join(place.encode(), TEXTS[name] + b"shown.pcap")
        with open(CAPTURE, "rb") as file, open(path, "wb") as copy:
            copy.write(file.read())
        screen.type("clear; %s top %s/*" % (os.path.abspath(LASTACK), place))
        if not screen.wait_for(r"^lastack top: .*shown\.pcap.* - overview", 20):
            wrong.append("%s: %s" % (name, screen.lines()[:3]))
        shown = "\n".join(screen.lines())
        wrong += ["%s: %s" % (name, fault) for fault in [not_plain(shown.encode())] if fault]
        screen.press("q")
        screen.wait_for("^" + terminal.PROMPT, 20)  # what is typed sooner is the view's
        os.unlink(path)
    after = screen.state()[0]
    tap.ok(not wrong and before == after, "in the live view", before, after, *wrong)
    screen.close()


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        flow = next(json.loads(line)["lastack"]["flow_uid"]
                    for line in run("--ndjson", CAPTURE).stdout.splitlines()
                    if b'"dataset":"lastack.flow"' in line)
        check_captures(tap, folder, flow)
        check_words(tap, folder, flow)
        check_merged(tap, folder)
        check_live_page(tap, folder)
        check_top(tap, folder)
    return tap.end()


sys.exit(main())
