"""segread: reads a case script (case-language.md), keeping what both ends would keep on the way."""
import re

from segcase import (NS, ENDS, STATES, BASES, ROLES, FATES, FLAG_LETTERS, FIN, SYN, RST, ACK,
                     DEFAULT_WINDOW, DEFAULT_OPTIONS, TS_CLOCK_BASE, Assertion, Case, CaseError,
                     Expectation, Incarnation, Number, Packet)

PACKET = re.compile(r"\+(\S+)\s+([AB])\s*>\s*([AB])\s+([FSRPAUEC.]+)\s+"
                    r"(=?-?\d+(?:@\d+)?):(=?-?\d+(?:@\d+)?)\((\d+)\)\s*(.*)$")
TOKEN = re.compile(r'"[^"]*"|\S+')


def parse_time(text):
    """'.010' or '60' in seconds to nanoseconds, exactly."""
    match = re.fullmatch(r"(\d*)(?:\.(\d{1,9}))?", text)
    if not match or text in ("", "."):
        raise ValueError(f"'{text}' is not a time in seconds")
    return int(match[1] or 0) * NS + int((match[2] or "0").ljust(9, "0"))


class Reader:
    """Reads one script, line by line, keeping what both ends would keep."""

    def __init__(self, name):
        self.case = Case(name)
        self.now = 0
        self.flow = 1
        self.line = 0
        self.tap = {"A": 0, "B": 5_000_000}   # ns from the capture point to each end
        self.options = {end: dict(DEFAULT_OPTIONS) for end in ENDS}
        self.ip_id = {}
        self.begun = set()
        self.directives = {
            "ends": self.read_ends, "isn": self.read_isn, "incarnation": self.read_incarnation,
            "options": self.read_options, "tap": self.read_tap, "flow": self.read_flow,
            "wait": self.read_wait, "clock": self.read_clock, "open": self.read_open,
            "close": self.read_close, "snaplen": self.read_snaplen, "expect": self.read_expect,
            "arguments": self.read_arguments, "skip": self.read_skip,
        }
        self.add_flow(1)

    def fail(self, message):
        raise CaseError(f"{self.case.name}:{self.line}: {message}")

    def read(self, text):
        for self.line, raw in enumerate(text.splitlines(), 1):
            line = strip_comment(raw)
            if raw.startswith("#") and not self.case.packets and not self.case.assertions:
                self.case.claim = (self.case.claim + " " + raw.lstrip("# ")).strip()
            if not line:
                continue
            try:
                self.read_line(line)
            except (ValueError, IndexError, KeyError) as error:
                self.fail(f"cannot read '{line}': {error}")
        if not self.case.claim:
            self.fail("the first line must be a comment that says what happens")
        self.check_labels()
        return self.case

    def check_labels(self):
        for asked in self.case.expectations:
            self.line = asked.line
            for word in asked.words:
                key, _, value = word.partition("=")
                if key not in ROLES + ("packet", "proof", "revoked_by") or value == "null":
                    continue
                if value not in self.case.labels and not re.fullmatch(r"#\d+", value):
                    self.fail(f"no packet has the label [{value}]")

    def read_line(self, line):
        if line[0] == "+":
            self.read_packet(line)
        elif line[0] in "=~":
            self.read_assertion(line)
        else:
            words = line.split()
            if words[0] not in self.directives:
                self.fail(f"unknown directive '{words[0]}'")
            self.directives[words[0]](words[1:])

    # --- flows, incarnations, options ---

    def add_flow(self, number):
        self.case.ends[number] = {"A": ("10.0.0.1", 39999 + number), "B": ("10.0.0.2", 80)}
        first = Incarnation({"A": 1000 * number, "B": 5000 * number}, self.copied_options())
        self.case.flows[number] = [first]

    def copied_options(self):
        return {end: dict(self.options[end]) for end in ENDS}

    def current(self):
        return self.case.flows[self.flow][-1]

    def read_ends(self, words):
        for end, text in pairs(words):
            address, port = text.rsplit(":", 1)
            self.case.ends[self.flow][end] = (address.strip("[]"), int(port))

    def read_isn(self, words):
        if self.flow in self.begun:
            self.fail("isn comes before the first packet; 'incarnation' begins the next one")
        for end, text in pairs(words):
            self.current().isn[end] = int(text)

    def read_incarnation(self, words):
        """incarnation A 9000 B nxt+65537: the next connection of this tuple, with these ISNs."""
        old = self.current()
        isn = {end: old.isn[end] + 100_000 for end in ENDS}
        for end, text in pairs(words):
            relative = re.fullmatch(r"nxt([+-]\d+)", text)
            isn[end] = (old.isn[end] + old.next[end] + int(relative[1]) if relative
                        else int(text)) % 2**32
        self.case.flows[self.flow].append(Incarnation(isn, self.copied_options()))

    def read_options(self, words):
        ends = ENDS
        if words[0] in ENDS:
            ends, words = (words[0],), words[1:]
        chosen = {"mss": 0, "sack": False, "ts": False, "ws": None}
        for word in words:
            key, _, value = word.partition("=")
            if key not in chosen and key != "none":
                self.fail(f"unknown option '{word}'")
            if key != "none":
                chosen[key] = int(value) if value else True
        for end in ends:
            self.options[end] = dict(chosen)
            if not any(self.current().next.values()):  # else they hold from the next incarnation on
                self.current().options[end] = dict(chosen)

    def read_tap(self, words):
        for end, text in pairs(words):
            self.tap[end] = parse_time(text)

    def read_flow(self, words):
        self.flow = int(words[0])
        if self.flow not in self.case.flows:
            self.add_flow(self.flow)

    def read_snaplen(self, words):
        self.case.snaplen = int(words[0])

    def read_arguments(self, words):
        self.case.arguments += words

    def read_skip(self, words):
        """skip ipv6 REASON...: a variation that cannot give the same answer, and why."""
        if len(words) < 2:
            raise ValueError("wanted 'skip VARIATION REASON'")
        self.case.skips[words[0]] = " ".join(words[1:])

    # --- time ---

    def read_wait(self, words):
        self.now += parse_time(words[0].lstrip("+"))

    def read_clock(self, words):
        self.read_wait(words)
        packet = Packet(self.line, self.now, 0, "A", 0, Number(0, None), 0, None, 0, 0, {}, 0)
        packet.kind = "clock"
        self.write(packet)

    # --- packets ---

    def read_open(self, words):
        opener = words.pop(0) if words and words[0] in ENDS else "A"
        other = "B" if opener == "A" else "A"
        lines = (f"{opener} > {other} S 0:0(0)", f"{other} > {opener} SA 0:0(0) ack 1",
                 f"{opener} > {other} . 1:1(0) ack 1")
        self.read_dance(lines, words)

    def read_close(self, words):
        """close A: FIN of A, ACK, FIN of B, ACK, with the numbers as they stand."""
        first = words.pop(0)
        last = "B" if first == "A" else "A"
        mine, yours = self.current().next[first], self.current().next[last]
        lines = (f"{first} > {last} F. {mine}:{mine}(0) ack {yours}",
                 f"{last} > {first} . {yours}:{yours}(0) ack {mine + 1}",
                 f"{last} > {first} F. {yours}:{yours}(0) ack {mine + 1}",
                 f"{first} > {last} . {mine + 1}:{mine + 1}(0) ack {yours + 1}")
        self.read_dance(lines, words)

    def read_dance(self, lines, words):
        """Packets with the least gaps that the distances allow, and 10 ms before the first."""
        gap = 10_000_000
        for line in lines:
            self.read_packet(f"+{gap // NS}.{gap % NS:09d} {line} {' '.join(words)}")
            gap = max(200_000, 2 * self.tap[line[4]])  # the receiver answers

    def read_packet(self, line):
        match = PACKET.match(line)
        if not match:
            self.fail(f"not a packet: '{line}'")
        sender, receiver, letters, seq, end, length, rest = match.groups()[1:]
        if sender == receiver:
            self.fail("a packet goes from one end to the other")
        self.now += parse_time(match[1])
        words = read_words(rest)
        incarnation = int(words.pop("@", len(self.case.flows[self.flow])))
        packet = Packet(self.line, self.now, self.flow, sender, read_flags(letters),
                        read_number(seq, incarnation), int(length), None, incarnation, 0, {}, 0)
        if read_number(end, incarnation).value != packet.seq.value + packet.length:
            self.fail(f"{seq}:{end} is not {length} octets")
        if "ack" in words:
            packet.ack = read_number(words.pop("ack"), incarnation)
        elif packet.flags & ACK:
            self.fail("a segment with ACK needs 'ack N'")
        self.fill(packet, words)
        self.settle(packet, words)
        if words:
            self.fail(f"unknown words {sorted(words)}")

    def fill(self, packet, words):
        """Header fields that follow from the script, or are given."""
        number = lambda key, usual: int(words.pop(key), 0) if key in words else usual
        packet.options = self.tcp_options(packet, words)
        packet.window = number("rawwin", self.window_field(packet, number("win", None)))
        packet.ip_id = number("id", None)
        if packet.ip_id is None:
            packet.ip_id = self.next_ip_id(packet)
        packet.ttl = number("ttl", 64)
        packet.urgent = number("urg", 0)
        packet.checksum = words.pop("cksum", "good")
        packet.label = words.pop("label", "")
        if "data" in words:
            packet.data = words.pop("data").strip('"').encode()
            if len(packet.data) != packet.length:
                self.fail(f"the data has {len(packet.data)} octets, not {packet.length}")

    def settle(self, packet, words):
        """Writes the packet unless the capture missed it, and lets it arrive unless it was lost."""
        fate = next((words.pop(f) for f in FATES if f in words), None)
        odd, copy = words.pop("odd", None), words.pop("copy", None)
        self.begun.add(packet.flow)
        self.check_numbers(packet, odd)
        if fate not in ("lost", "missed"):
            self.write(packet)
        if copy is not None:
            self.now += 100_000
            twin = Packet(**{**packet.__dict__, "time": self.now, "label": ""})
            twin.ttl -= int(copy or 0)
            self.write(twin)
        self.account(packet, arrives=fate not in ("lost", "dropped"))

    def write(self, packet):
        self.case.packets.append(packet)
        packet.number = len(self.case.packets)
        if packet.label:
            if packet.label in self.case.labels:
                self.fail(f"the label [{packet.label}] is already taken")
            self.case.labels[packet.label] = packet

    def check_numbers(self, packet, odd):
        """A slip of the pen is an error; 'odd' says that the number is meant."""
        if odd is not None or packet.seq.incarnation is None:
            return
        peer = "B" if packet.sender == "A" else "A"
        own = self.case.flows[packet.flow][packet.seq.incarnation - 1]
        if own.syn[packet.sender] and packet.seq.value > own.next[packet.sender]:
            self.fail(f"sequence number above {own.next[packet.sender]}, what {packet.sender} sent"
                      " so far (say 'odd' if it is meant)")
        if packet.ack is None or packet.ack.incarnation is None:
            return
        other = self.case.flows[packet.flow][packet.ack.incarnation - 1]
        if other.syn[peer] and packet.ack.value > other.next[peer]:
            self.fail(f"acknowledgment above {other.next[peer]}, what {peer} sent so far"
                      " (say 'odd' if it is meant)")

    def account(self, packet, arrives):
        """What both ends remember of this packet."""
        if packet.seq.incarnation is None:
            return
        state = self.case.flows[packet.flow][packet.seq.incarnation - 1]
        peer = "B" if packet.sender == "A" else "A"
        end = packet.seq.value + packet.length + bool(packet.flags & SYN) + bool(packet.flags & FIN)
        if not packet.flags & RST:
            state.next[packet.sender] = max(state.next[packet.sender], end)
        if packet.flags & SYN:
            state.syn[packet.sender] = True
        if packet.ack is not None and packet.ack.incarnation == packet.seq.incarnation:
            state.last_ack[packet.sender] = max(state.last_ack[packet.sender], packet.ack.value)
        if arrives and "ts" in packet.options:
            state.coming[peer].append((packet.time + 2 * self.tap[peer], packet.seq.value, end,
                                       packet.options["ts"][0], bool(packet.flags & SYN)))

    def next_ip_id(self, packet):
        """Linux sends SYN-ACKs and resets of no connection with 0; other packets count up."""
        if packet.flags & (SYN | ACK) == SYN | ACK or is_reply_reset(packet):
            return 0
        key = (packet.flow, packet.sender)
        self.ip_id[key] = self.ip_id.get(key, 0x1000 if packet.sender == "A" else 0x2000) + 1
        return self.ip_id[key]

    def window_field(self, packet, octets):
        if octets is None:
            octets = 0 if is_reply_reset(packet) else DEFAULT_WINDOW
        scale = self.scale(packet)
        return min(octets >> scale, 65535)

    def scale(self, packet):
        options = self.case.flows[packet.flow][packet.incarnation - 1].options
        scales = [options[end]["ws"] for end in ENDS]
        if packet.flags & SYN or None in scales:
            return 0
        return options[packet.sender]["ws"]

    # --- TCP options ---

    def tcp_options(self, packet, words):
        state = self.case.flows[packet.flow][packet.incarnation - 1]
        peer = "B" if packet.sender == "A" else "A"
        own, other = state.options[packet.sender], state.options[peer]
        explicit = {key: words.pop(key) for key in ("tsval", "tsecr", "sack") if key in words}
        bare = "no-options" in words
        if words.pop("no-options", None) is not None or is_reply_reset(packet):
            own = {"mss": 0, "sack": False, "ts": False, "ws": None}
        options = {}
        answer = packet.flags & ACK
        if packet.flags & SYN:
            options = {"mss": own["mss"] or None, "ws": own["ws"], "sackok": own["sack"] or None}
            if answer:
                options["ws"] = None if other["ws"] is None else options["ws"]
                options["sackok"] = options["sackok"] if other["sack"] else None
        no_ts = words.pop("no-ts", None) is not None
        with_ts = own["ts"] and (other["ts"] or (packet.flags & SYN and not answer)) and not no_ts
        if with_ts or "tsval" in explicit:
            options["ts"] = self.stamps(packet, state, peer, explicit)
        if "sack" in explicit and not bare:
            options["sack"] = [tuple(read_number(edge, packet.incarnation)
                                     for edge in block.split(":"))
                               for block in explicit["sack"].split(",")]
        return {key: value for key, value in options.items() if value is not None}

    def stamps(self, packet, state, peer, explicit):
        sent = (packet.time - self.tap[packet.sender]) // 1_000_000
        value = TS_CLOCK_BASE[packet.sender] + sent
        echo = self.current_echo(packet, state) if packet.flags & ACK else 0
        if "tsval" in explicit:
            value = self.stamp(explicit["tsval"], packet.sender)
        if "tsecr" in explicit:
            echo = self.stamp(explicit["tsecr"], peer)
        return value % 2**32, echo % 2**32

    def stamp(self, text, end):
        """A label: that packet's TSval.  A number: the clock of the end at that ms of the script."""
        if text in self.case.labels:
            return self.case.labels[text].options["ts"][0]
        if re.fullmatch(r"=\d+", text):
            return int(text[1:])
        return TS_CLOCK_BASE[end] + int(text)

    def current_echo(self, packet, state):
        """TS.Recent (RFC 7323 4.3) of the sender: what had reached it when it sent this packet."""
        end = packet.sender
        while state.coming[end] and state.coming[end][0][0] <= packet.time:
            _, seq, after, value, syn = state.coming[end].pop(0)
            acked = state.last_ack[end]
            acceptable = after > acked or seq == after and seq >= acked
            if syn or seq <= acked and acceptable and value >= state.echo[end]:
                state.echo[end] = value
        return state.echo[end]

    # --- assertions and expectations ---

    def read_assertion(self, line):
        for part in line[1:].split(","):
            words = part.split()
            end, state = words[0], words[1]
            basis = words[2] if len(words) > 2 else None
            state, _, incarnation = state.partition("@")
            if end not in ENDS or state not in STATES or basis not in (None,) + BASES:
                self.fail(f"cannot read '{part.strip()}': END STATE[@incarnation] [basis]")
            self.case.assertions.append(Assertion(
                self.line, self.now, len(self.case.packets), self.flow, end, state, basis,
                int(incarnation or len(self.case.flows[self.flow])), line[0] == "~"))

    def read_expect(self, words):
        incarnation = len(self.case.flows[self.flow])
        if re.fullmatch(r"@\d+", words[0]):
            incarnation = int(words.pop(0)[1:])
        self.case.expectations.append(Expectation(self.line, self.flow, incarnation, words))


def strip_comment(line):
    """A '#' begins a comment at the start of the line or after blanks; '#7' in a word stays."""
    return re.sub(r"(^|\s)#\s.*$|^#.*$", "", line).strip()


def pairs(words):
    if len(words) % 2 or any(word not in ENDS for word in words[::2]):
        raise ValueError("wanted 'A value B value'")
    return list(zip(words[::2], words[1::2]))


def read_flags(letters):
    flags = 0
    for letter in letters:
        flags |= FLAG_LETTERS[letter]
    return flags


def read_number(text, incarnation):
    if text.startswith("="):
        return Number(int(text[1:]), None)
    value, _, other = text.partition("@")
    return Number(int(value), int(other) if other else incarnation)


def is_reply_reset(packet):
    """The two forms of a reset from a host without the connection: R, and RA with SEQ 0."""
    if not packet.flags & RST:
        return False
    return not packet.flags & ACK or packet.seq.incarnation is None and packet.seq.value == 0


def read_words(rest):
    """The attributes after the numbers, as a dict; flags without a value hold ''."""
    with_value = {"ack", "win", "rawwin", "id", "ttl", "tsval", "tsecr", "sack", "cksum", "data",
                  "urg"}
    found = {}
    tokens = TOKEN.findall(rest)
    while tokens:
        token = tokens.pop(0)
        if token in with_value:
            found[token] = tokens.pop(0)
        elif token.startswith("@"):
            found["@"] = token[1:]
        elif token.startswith("["):
            found["label"] = token.strip("[]")
        elif token.startswith("copy"):
            found["copy"] = token[4:].lstrip("-")
        else:
            found[token] = ""
    return {key: (key if key in FATES else value) for key, value in found.items()}


def read_case(path, name):
    with open(path, encoding="utf-8") as file:
        return Reader(name).read(file.read())
