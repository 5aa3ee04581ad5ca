"""tapstory: an exchange written down, and what a tap at each end shows of it.

A story is lines of text, a segment each:

    MS  FROM  FLAGS  SEQ[+LEN]  ACK  [FATE]

MS is when the segment leaves (ms), FROM C or S, FLAGS letters of SFRPA.  SEQ and ACK count from the
ISNs (the SYN is 0), ACK is - where there is none.  FATE is `lost`, `held MS` (that much longer on
its way), or `made` (the path made it, half way; nobody sent it).  `new` begins another incarnation
of the same ports, with ISNs of its own; `old` before the flags takes those of the one before.  What
follows # is for the reader: which state each end is in by then, and how each tap knows.

Beside it another connection chats all the while, so that the clocks of the taps are known.
"""
import dataclasses

from tapsim import ACK, FIN, MS, PSH, RST, START, SYN, Segment

FLAGS = {"S": SYN, "F": FIN, "R": RST, "P": PSH, "A": ACK}
ENDS = {"C": ((0x0a000001, 40000), (0x0a630001, 443)), "S": ((0x0a630001, 443), (0x0a000001, 40000))}
DELAY = 10 * MS


def isn(who, number):
    """Above the old numbers, as a kernel chooses them."""
    return {"C": 1_000_000, "S": 7_000_000}[who] + 10_000_000 * number


class Story:
    """taps: what each saw, in order; lost: (tap, packet) of what died between the two."""

    def __init__(self, text, delay=DELAY):
        self.delay, self.incarnation, self.ids = delay, 0, {"C": 100, "S": 30000}
        self.seen = {"client": [], "server": []}
        self.gone = []
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if words == ["new"]:
                self.incarnation += 1
            elif words:
                self.send(words)
        self.chat()
        self.taps = {name: [segment for segment, _ in sorted(seen, key=lambda item: item[0].t)]
                     for name, seen in self.seen.items()}
        places = {name: [key for _, key in sorted(seen, key=lambda item: item[0].t)]
                  for name, seen in self.seen.items()}
        self.lost = {(name, places[name].index(key) + 1) for name, key in self.gone}

    def send(self, words):
        number = self.incarnation
        if words[2] == "old":
            number -= 1
            del words[2]
        at, who, letters, place, acknowledged, *fate = words
        first, _, length = place.partition("+")
        other = "S" if who == "C" else "C"
        reset = "R" in letters
        self.ids[who] += 1
        segment = Segment(
            START + int(float(at) * MS), *ENDS[who], isn(who, number) + int(first),
            0 if acknowledged == "-" else isn(other, number) + int(acknowledged),
            sum(FLAGS[letter] for letter in letters), b"x" * int(length or 0),
            0 if reset else self.ids[who], None, window=0 if reset else 502)
        self.carry(who, segment, fate)

    def carry(self, who, segment, fate):
        near, far = ("client", "server") if who == "C" else ("server", "client")
        key = len(self.seen["client"]) + len(self.seen["server"])
        late = int(fate[1]) * MS if fate[:1] == ["held"] else 0
        if fate[:1] != ["made"]:
            self.seen[near].append((segment, key))
        if fate[:1] == ["lost"]:
            self.gone.append((near, key))
            return
        ttl = 201 if fate[:1] == ["made"] else segment.ttl - 3
        self.seen[far].append((dataclasses.replace(segment, t=segment.t + self.delay + late,
                                                   ttl=ttl), key))

    def chat(self):
        """Another connection: a word every 20 ms from the first to two seconds after the last."""
        last = max(segment.t for seen in self.seen.values() for segment, _ in seen) + 2000 * MS
        ends = {"C": ((0x0a000002, 50000), (0x0a630001, 443)),
                "S": ((0x0a630001, 443), (0x0a000002, 50000))}
        t, sent = START - 300 * MS, {"C": 0, "S": 0}

        def say(who, flags, payload=b""):
            other = "S" if who == "C" else "C"
            self.ids[who] += 1
            segment = Segment(t, *ends[who], isn(who, 90) + sent[who],
                              isn(other, 90) + sent[other] if flags & ACK else 0, flags, payload,
                              self.ids[who], None)
            sent[who] += len(payload) + bool(flags & SYN)
            self.carry(who, segment, [])
        say("C", SYN)
        t += self.delay
        say("S", SYN | ACK)
        t += self.delay
        say("C", ACK)
        while t < last:
            t += 2 * self.delay
            say("C", ACK | PSH, b"ping")
            t += self.delay
            say("S", ACK | PSH, b"pong")
            t += self.delay
            say("C", ACK)
