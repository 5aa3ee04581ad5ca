#!/usr/bin/env python3
"""The HTML page is whole, needs nothing else, and lets nothing from a capture become markup."""
import base64
import hashlib
import html
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
SAMPLE = "collision-challenged"  # where one is enough
NAMES = sorted(name[:-5] for name in os.listdir(SAMPLES) if name.endswith(".pcap"))
HOSTILE = "</script><img src=x onerror='alert(1)'>\"&amp;<!--\u202e.pcap".replace("/", "\u2215")
CLOSING = "</script><script>alert(1)</script>"
VOID = {"meta"}
EMPTY_SIZE = 400 * 1024
CROWD = 110000  # ladders that are remembered, and some
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}
# What HTML knows of that may reach out of the page.
REACHING = {"src", "srcset", "action", "formaction", "poster", "data", "background", "xlink:href"}
class Page(html.parser.HTMLParser):
    """Elements, their balance, and the text of those that are looked at."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.stack, self.faults, self.elements = text, [], [], []
        self.scripts, self.styles, self.data = [], [], {}
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
        if tag == "script" and ("type", "application/json") in attrs:
            self.data[dict(attrs)["id"]] = ""
        elif tag == "script":
            self.scripts.append("")

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
        if started[1].get("type") == "application/json":
            self.data[started[1]["id"]] += data
        else:
            self.scripts[-1] += data

    def json(self, name):
        return json.loads(self.data[name])

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
    tap.ok(list(page.data) == ["report", "segments"] and "<" not in "".join(page.data.values()),
           name + ": the data cannot end")
    same = json.loads(report_of("--json", "--flows=all", "--level=notice", *arguments))
    tap.ok(page.json("report") == same, name + ": the data are those of --json")
    problems = [a for t, a in page.elements
                if t == "details" and a.get("class", "").startswith("problem ")]
    tap.ok([a["class"].split()[1] for a in problems] == [p["level"] for p in same["problems"]],
           name + ": every problem, worst first")


def segments_of(capture, *options):
    records = [json.loads(line) for line in
               report_of("--ndjson", "--segments", "all", *options, capture).splitlines()]
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
    tap.ok(bool(ladders) == bool(page.json("report")["problems"]) and arrows == len(shown) and set(shown) <= set(packets) and
           len(shown) + folded == len(packets), name + ": an arrow a packet, or folded",
           "%d ladders, %d arrows, %d folded, %d packets" %
           (len(ladders), arrows, folded, len(packets)))
    data = page.json("report")
    named = {e["packet"] for p in data["problems"] for e in p["example"]["lastack"]["evidence"]}
    marked = re.findall(r'class="m"/>', page.text)
    tap.ok(len(marked) == len((named - {None}) & set(shown)), name + ": evidence is marked")


def row_of(segment, start):
    """A segment record as the page has it."""
    relative = segment["seq"] is not None
    flags = sum(bit for letter, bit in FLAGS.items() if letter in segment["flags"])
    return [segment["packet"], nanos(segment["t"]) - nanos(start),
            ["client", "server"].index(segment["from"]), flags,
            segment["seq"] if relative else segment["seq_abs"], segment["ack"], segment["len"],
            segment["win"], segment["verdict"]]


def nanos(moment):
    """Of the day: samples do not cross midnight."""
    hours, minutes, seconds = moment[11:-1].split(":")
    whole, fraction = seconds.split(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 10**9 + int(fraction.ljust(9, "0"))


def check_graphs(tap, name, capture):
    """What graphs are drawn from is what --segments writes."""
    page = page_of("--nano", capture)
    block = page.json("segments")
    records = segments_of(capture, "--nano")
    uids = {flow["lastack"]["flow_uid"] for flow in page.json("report")["flows"]}
    tap.ok({graph["uid"] for graph in block["connections"]} == uids and block["left_out"] == 0,
           name + ": the segments of every connection")
    wrong = []
    for graph in block["connections"]:
        wanted = [row_of(r, graph["start"]) for r in records if r["flow_uid"] == graph["uid"]]
        # The numbers of a SYN have no ack; a flag above those of the header says: absolute.
        rows = [[*row[:3], row[3] & 0xff, *row[4:8], block["verdicts"][row[8]]]
                for row in graph["rows"]]
        if rows != wanted or graph["segments"] != len(rows):
            wrong.append(graph["uid"])
    tap.ok(not wrong, name + ": rows are the segment records", *wrong)


def check_states(tap, name, page, capture):
    """Beside every arrow stand the states of its segment record."""
    wrong, states = [], {s["packet"]: [s["client"]["state"], s["server"]["state"]]
                         for s in segments_of(capture)}
    for ladder in re.findall(r'<svg [^>]*class="ladder".*?</svg>', page.text, re.S):
        texts = re.findall(r'<text [^>]*>([^<]*)</text>', ladder)
        for at, text in enumerate(texts):
            packet = re.match(r"#(\d+) ", text)
            shown = [state.rstrip("?") for state in texts[at + 1:at + 3]]
            if packet and shown != states[int(packet[1])]:
                wrong.append("%s: %s" % (text, shown))
    tap.ok(not wrong, name + ": arrows stand between the states of the records", *wrong)


def check_filters(tap, name, page, capture):
    """Wireshark takes the filters, and finds what they say."""
    filters = [html.unescape(code) for code in re.findall(r"<code>([^<]*)</code>", page.text)]
    wrong = []
    for problem, (ends, packets) in zip(page.json("report")["problems"],
                                        zip(filters[::2], filters[1::2])):
        named = {str(e["packet"]) for e in problem["example"]["lastack"]["evidence"]} - {"None"}
        found = [set(subprocess.run(["tshark", "-r", capture, "-Y", each, "-T", "fields", "-e",
                                     "frame.number"], capture_output=True, text=True,
                                    check=False).stdout.split()) for each in (ends, packets)]
        if found[1] != named or not named <= found[0]:
            wrong.append("%s: %s; %s: %s; named: %s" % (ends, found[0], packets, found[1], named))
    tap.ok(len(filters) == 2 * len(page.json("report")["problems"]) and not wrong,
           name + ": display filters find the packets", *wrong)


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
    capture = os.path.join(SAMPLES, SAMPLE + ".pcap")
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
    interface = page.json("report")["inputs"][0]["interfaces"][0]["name"]
    tap.ok(interface == CLOSING, "the hostile interface name is in the data as it is")


def lone_segment(number):
    """A frame with one ACK of a connection that is seen no more."""
    address = struct.pack("!I", 0x0A000000 + number)
    tcp = struct.pack("!HHIIBBHHH", 40000, 443, 1, 1, 0x50, 0x10, 1000, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, address, bytes([10, 255, 0, 1]))
    return bytes(12) + b"\x08\x00" + ip + tcp


def check_crowd(tap, folder):
    """A problem has its ladder although more connections came before it than are remembered."""
    sample = packets_of(os.path.join(SAMPLES, SAMPLE + ".pcap"))
    begins = sample[0][0] - 2 * CROWD
    crowd = [(begins + n, lone_segment(n)) for n in range(CROWD)]
    capture = os.path.join(folder, "crowd.pcap")
    with open(capture, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for microseconds, frame in crowd + sample:
            file.write(struct.pack("<IIII", *divmod(microseconds, 1000000), len(frame), len(frame)))
            file.write(frame)
    page = page_of(capture)
    report = page.json("report")
    tap.ok(len(report["problems"]) == page.text.count('class="problem ') and
           page.text.count('class="ladder"') == 1 and "without their ladder" not in page.text,
           "after a crowd of connections a problem still has its ladder")
    troubled = {flow["lastack"]["flow_uid"] for flow in report["flows"] if flow["lastack"]["events"]}
    drawn = {graph["uid"] for graph in page.json("segments")["connections"]}
    tap.ok(len(troubled) == 2 and drawn == {f["lastack"]["flow_uid"] for f in report["flows"]},
           "and every connection in the page its segments", len(drawn), len(report["flows"]))
    left = report["summary"]["left_out"]["flows"]
    tap.ok(left == CROWD + 2 - len(report["flows"]) > 0 and
           "%d connections missing from the table" % left in page.text,
           "what the page leaves out is said", left)


def check_check(tap):
    """What the checks above must refuse."""
    good = page_of(os.path.join(SAMPLES, SAMPLE + ".pcap")).text
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
        check_states(tap, name, page, capture)
        check_graphs(tap, name, capture)
        if os.environ.get("LASTACK_SANITIZED"):
            continue  # tshark is not, and takes its time
        if shutil.which("tshark"):
            check_filters(tap, name, page, capture)
        else:
            tap.skip(name + ": display filters find the packets", "tshark is not installed")
    with tempfile.TemporaryDirectory() as folder:
        check_hostile(tap, folder)
        check_crowd(tap, folder)
        empty = os.path.join(folder, "empty.pcap")
        with open(empty, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        page = page_of(empty)
        check_page(tap, "no packet", page, empty)
        tap.ok(len(page.text.encode()) < EMPTY_SIZE, "no packet: under 400 KB")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
