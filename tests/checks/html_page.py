#!/usr/bin/env python3
"""The HTML page is whole, needs nothing else, and lets nothing from a capture become markup."""
import base64
import hashlib
import html.parser
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Tap

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.path.abspath(os.environ.get("TOP_BUILDDIR", "."))
LASTACK = os.path.abspath(os.environ.get("LASTACK", os.path.join(BUILD, "lastack")))
SAMPLES = os.path.join(TOP, "samples")
NAMES = ["collision-challenged", "stray-delivered", "syn-reset-in-last-ack"]
HOSTILE = "</script><img src=x onerror='alert(1)'>\"&amp;<!--\u202e.pcap".replace("/", "\u2215")
CLOSING = "</script><script>alert(1)</script>"
VOID = {"meta"}
EMPTY_SIZE = 400 * 1024
# What HTML knows of that may reach out of the page.
REACHING = {"src", "srcset", "action", "formaction", "poster", "data", "background", "xlink:href"}
# What a reader does, in a browser; prints what came of it as JSON.
READER = r"""
const {chromium} = require("playwright-core");
(async () => {
  const [program, url] = process.argv.slice(1);
  const browser = await chromium.launch({executablePath: program, args: ["--no-sandbox"]});
  const page = await browser.newPage({viewport: {width: 390, height: 800}});
  const out = {requests: [], messages: []};
  page.on("request", (request) => out.requests.push(request.url()));
  page.on("console", (message) => out.messages.push(message.text()));
  page.on("pageerror", (error) => out.messages.push(error.message));
  await page.goto(url);
  const lines = "#flows tbody tr";
  const packets = () => page.$$eval(lines + " td:nth-child(9)",
    (cells) => cells.map((cell) => Number(cell.textContent)));
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  out.width = await page.evaluate(() => document.documentElement.scrollWidth);
  out.lines = await page.locator(lines).count();
  await page.locator("#flows th button").nth(8).click();
  out.up = await packets();
  await page.locator("#flows th button").nth(8).click();
  out.down = await packets();
  await page.locator(lines + " button").first().click();
  out.states = await page.$$eval("tr.more ol", (lists) => lists.map((list) =>
    [...list.children].map((item) => item.textContent.split(/[? ]/)[0])));
  out.first = await page.textContent("tr.more p");
  out.hidden = !await page.locator("svg.ladder").first().isVisible();
  await page.locator("details.problem summary").first().click();
  out.shown = await page.locator("svg.ladder").first().isVisible();
  await page.fill("#search", "no such thing");
  out.found = await page.locator(lines).count();
  out.light = await paper();
  await page.emulateMedia({colorScheme: "dark"});
  out.dark = await paper();
  out.pdf = (await page.pdf()).length;
  console.log(JSON.stringify(out));
  await browser.close();
})().catch((error) => { console.error(error.message); process.exit(1); });
"""


class Page(html.parser.HTMLParser):
    """Elements, their balance, and the text of those that are looked at."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.stack, self.faults, self.elements = text, [], [], []
        self.scripts, self.styles, self.data = [], [], []
        self.feed(text)
        self.close()
        if self.stack:
            self.faults.append("not closed: %s" % self.stack)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "style":
            self.styles.append("")
        if tag == "script":
            (self.data if ("type", "application/json") in attrs else self.scripts).append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append("</%s> at %s" % (tag, self.getpos()))

    def handle_data(self, data):
        if not self.stack or self.stack[-1] not in ("style", "script"):
            return
        if self.stack[-1] == "style":
            self.styles[-1] += data
            return
        started = [e for e in self.elements if e[0] == "script"][-1]
        (self.data if started[1].get("type") == "application/json" else self.scripts)[-1] += data

    def policy(self):
        return [a["content"] for t, a in self.elements
                if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]


def digest(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def policy_faults(page):
    """Nothing may run or be loaded but the style and the script that are named."""
    if len(page.policy()) != 1 or len(page.styles) != 1 or len(page.scripts) != 1:
        return ["%d policies, %d styles, %d scripts" %
                (len(page.policy()), len(page.styles), len(page.scripts))]
    rules = dict(rule.split(" ", 1) for rule in page.policy()[0].split("; "))
    wanted = {"default-src": "'none'", "style-src": digest(page.styles[0]),
              "script-src": digest(page.scripts[0]), "base-uri": "'none'",
              "form-action": "'none'"}
    return [] if rules == wanted else ["%s, not %s" % (rules, wanted)]


def reaching_faults(page):
    faults = []
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            inside = name == "href" and (value or "").startswith("#")
            if name in REACHING or name.startswith("on") or name == "style" or \
                    (name == "href" and not inside):
                faults.append("<%s %s=%s>" % (tag, name, value))
    return faults + re.findall(r"@import|url\(|fetch\(|XMLHttpRequest|innerHTML|eval\(", page.text)


def report_of(*arguments):
    done = subprocess.run([LASTACK] + list(arguments), capture_output=True, check=True)
    return done.stdout.decode("utf-8")


def page_of(*arguments):
    return Page(report_of("--html=-", *arguments))


def check_page(tap, name, page, *arguments):
    tap.ok(not page.faults, name + ": every element is closed where it should", *page.faults)
    faults = policy_faults(page)
    tap.ok(not faults, name + ": the policy allows its style and its script alone", *faults)
    faults = reaching_faults(page)
    tap.ok(not faults, name + ": nothing reaches out of the page", *faults)
    tap.ok(len(page.data) == 1 and "<" not in page.data[0], name + ": the data cannot end")
    same = json.loads(report_of("--json", "--flows=all", "--level=notice", *arguments))
    tap.ok(json.loads(page.data[0]) == same, name + ": the data are those of --json")
    problems = [a for t, a in page.elements
                if t == "details" and a.get("class", "").startswith("problem ")]
    tap.ok([a["class"].split()[1] for a in problems] == [p["level"] for p in same["problems"]],
           name + ": every problem, worst first")


def segments_of(capture):
    records = [json.loads(line) for line in
               report_of("--ndjson", "--segments", "all", capture).splitlines()]
    return [r["lastack"] for r in records if r["event"]["dataset"] == "lastack.segment"]


def check_ladders(tap, name, page, capture):
    ladders = re.findall(r'<svg [^>]*class="ladder".*?</svg>', page.text, re.S)
    uids = set(re.findall(r"flow ([0-9a-f]{16})", " ".join(ladders)))
    packets = [s["packet"] for s in segments_of(capture) if s["flow_uid"] in uids]
    shown, arrows, folded = [], 0, 0
    for ladder in ladders:
        shown += [int(n) for n in re.findall(r">#(\d+) ", ladder)]
        arrows += len(re.findall(r'<path d="M\d+ \d+l-?9 -5v10z"', ladder))
        folded += sum(int(n) for n in re.findall(r"(\d+) quiet segments", ladder))
    tap.ok(ladders and arrows == len(shown) and set(shown) <= set(packets) and
           len(shown) + folded == len(packets), name + ": an arrow a packet, or folded",
           "%d ladders, %d arrows, %d folded, %d packets" %
           (len(ladders), arrows, folded, len(packets)))
    data = json.loads(page.data[0])
    named = {e["packet"] for p in data["problems"] for e in p["example"]["lastack"]["evidence"]}
    marked = re.findall(r'class="m"/>', page.text)
    tap.ok(len(marked) == len((named - {None}) & set(shown)), name + ": evidence is marked")


def pcapng(packets, interface):
    """A file with one interface of that name, from the packets of a classic file."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size
    name = interface.encode()
    options = struct.pack("<HH", 2, len(name)) + name + bytes(-len(name) % 4) + bytes(4)
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 1, 0, 262144) + options)
    for microseconds, frame in packets:
        out += block(6, struct.pack("<IIIII", 0, microseconds >> 32, microseconds & 0xFFFFFFFF,
                                    len(frame), len(frame)) + frame)
    return out


def packets_of(capture):
    with open(capture, "rb") as file:
        octets = file.read()
    nano = struct.unpack_from("<I", octets)[0] == 0xA1B23C4D
    at, packets = 24, []
    while at < len(octets):
        seconds, fraction, size, _ = struct.unpack_from("<IIII", octets, at)
        fraction = fraction // 1000 if nano else fraction
        packets.append((seconds * 1000000 + fraction, octets[at + 16:at + 16 + size]))
        at += 16 + size
    return packets


def check_hostile(tap, folder):
    capture = os.path.join(SAMPLES, NAMES[0] + ".pcap")
    hostile = os.path.join(folder, HOSTILE)
    shutil.copy(capture, hostile)
    hidden = os.path.join(folder, "interface.pcapng")
    with open(hidden, "wb") as file:
        file.write(pcapng(packets_of(capture), CLOSING))
    plain = [tag for tag, _ in page_of(capture).elements]
    for name, file in ("a hostile file name", hostile), ("a hostile interface name", hidden):
        page = page_of(file)
        check_page(tap, name, page, file)
        tap.ok([tag for tag, _ in page.elements] == plain, name + ": no element of its own")
    interface = json.loads(page.data[0])["inputs"][0]["interfaces"][0]["name"]
    tap.ok(interface == CLOSING, "the hostile interface name is in the data as it is")


def why_no_browser(node, browser):
    if not node or not browser:
        return "node or chromium is not installed"
    found = subprocess.run([node, "-e", "require('playwright-core')"], capture_output=True,
                           check=False)
    return "" if found.returncode == 0 else "playwright-core is not found (NODE_PATH)"


def check_read(tap, read, url, report):
    tap.ok(read["requests"] == [url], "browser: nothing but the page is asked for",
           read["requests"])
    tap.ok(not read["messages"], "browser: no message in the console", *read["messages"])
    tap.ok(read["width"] == 390, "browser: as wide as a phone", read["width"])
    packets = sorted(flow["network"]["packets"] for flow in report["flows"])
    tap.ok(read["lines"] == len(packets) and read["up"] == packets and
           read["down"] == packets[::-1], "browser: the table sorts", read)
    flow = [f for f in report["flows"] if f["lastack"]["flow_uid"] in read["first"]]
    histories = [[entry["state"] for entry in flow[0]["lastack"][side]["history"]]
                 for side in ("client", "server")] if flow else None
    tap.ok(read["states"] == histories, "browser: a line opens to its states", read)
    tap.ok(read["hidden"] and read["shown"], "browser: a problem opens to its ladder")
    tap.ok(read["found"] == 0, "browser: what is not found is not shown")
    tap.ok(read["light"] != read["dark"], "browser: light and dark", read["light"], read["dark"])
    tap.ok(read["pdf"] > 1000, "browser: the page prints")


def check_browser(tap, folder):
    node, browser = shutil.which("node"), shutil.which("chromium")
    reason = why_no_browser(node, browser)
    if reason:
        tap.skip("the page in a browser", reason)
        return
    capture = os.path.join(SAMPLES, NAMES[0] + ".pcap")
    file = os.path.join(folder, "page.html")
    report_of("--html=" + file, capture)
    url = "file://" + file
    done = subprocess.run([node, "-e", READER, browser, url], capture_output=True, text=True,
                          check=False, timeout=120)
    if tap.ok(done.returncode == 0, "browser: it opens the page", done.stderr):
        check_read(tap, json.loads(done.stdout), url,
                   json.loads(report_of("--json", "--flows=all", capture)))


def check_check(tap):
    """What the checks above must refuse."""
    good = page_of(os.path.join(SAMPLES, NAMES[0] + ".pcap")).text
    tap.ok(policy_faults(Page(good.replace("<style>", "<style>a"))), "another style is noticed")
    tap.ok(policy_faults(Page(good.replace("</body>", "<script>1</script></body>"))),
           "another script is noticed")
    tap.ok(reaching_faults(Page('<a href="https://example.org/">a</a>')), "a link is noticed")
    tap.ok(Page("<p><b></p>").faults, "an open element is noticed")


def main():
    tap = Tap()
    check_check(tap)
    for name in NAMES:
        capture = os.path.join(SAMPLES, name + ".pcap")
        page = page_of(capture)
        check_page(tap, name, page, capture)
        check_ladders(tap, name, page, capture)
    with tempfile.TemporaryDirectory() as folder:
        check_hostile(tap, folder)
        check_browser(tap, folder)
        empty = os.path.join(folder, "empty.pcap")
        with open(empty, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        page = page_of(empty)
        check_page(tap, "no packet", page, empty)
        tap.ok(len(page.text.encode()) < EMPTY_SIZE, "no packet: under 400 KB")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
