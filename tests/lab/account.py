"""account: what the relay did with every segment, by its own log, against what lastack says of both
captures together, packet for packet.  Packets of one tap that are the same in every octet (resets of a kernel are) count
as one kind: it is how many of them were lost that is compared, and nobody can know which; one lost
and another doubled cannot be told from none lost.

The log and a capture are of the same frames in the same order, so that a frame of the log has a
number in each capture: what came from an end has the one at that end's tap, what was handed over
the one at the other.
"""
import collections
import json
import os
import struct
import subprocess

from taps import LASTACK
from wires import ENDS, MACS

HELD = 0.25      # seconds beyond the relay's delay, from which on lastack says that one was held
BLURRED = 0.03   # of that: what decides is the frames' times, and these are the captures' own
AT_ONCE = 50_000_000  # ns between the stamps of one frame at two sockets, at most
PCAP_HEADER, PACKET_HEADER = 24, struct.Struct("<IIII")

# By the log: tap and packet where it left, and each where it came to; whether the captures show all
# of it: none began, or ended, while it was under way; and how long it took by their own stamps at
# most: where the machine stood still between a stamp and the relay, that is longer than by its log.
Passed = collections.namedtuple("Passed", "left came transit copies whole longest")


def frames_of(path):
    """The frames of a capture of ns: [(number, stamp, frame)]."""
    with open(path, "rb") as file:
        octets = file.read()
    at, frames = PCAP_HEADER, []
    while at + PACKET_HEADER.size <= len(octets):
        seconds, nanoseconds, length, _ = PACKET_HEADER.unpack_from(octets, at)
        at += PACKET_HEADER.size
        frames.append((len(frames) + 1, seconds * 1000000000 + nanoseconds,
                       octets[at:at + length]))
        at += length
    return frames


class Unlike(Exception):
    """A capture that is not of what the relay carried."""


def those_that_came(frames, passages):
    """[(passage, number)] of the frames that came to the relay.  Two processors may hand two frames
    to two sockets in either order, with stamps some microseconds apart."""
    waiting = collections.defaultdict(collections.deque)
    for number, stamp, frame in frames:
        waiting[frame].append((stamp, number))
    length = max((len(frame) for _, _, frame in frames), default=0)
    found = []
    for passage in passages:
        same = waiting[passage.frame[:length]]
        if same and abs(same[0][0] - passage.stamp) < AT_ONCE:
            found.append((passage, same.popleft()[1]))
    alone = [number for same in waiting.values() for _, number in same]
    if alone:
        raise Unlike("frames %s came to the capture alone" % sorted(alone)[:8])
    return found


def those_that_went(frames, passages):
    """The same of those that it handed over, in order; what it did before the capture began, or
    after it ended, is in none."""
    for start in range(len(passages) - len(frames) + 1):
        part = passages[start:start + len(frames)]
        if all(passage.frame[:len(frame)] == frame for (_, _, frame), passage in zip(frames, part)):
            return [(passage, number) for (number, _, _), passage in zip(frames, part)]
    raise Unlike("%d frames captured, %d handed over, and they do not fit" % (len(frames),
                                                                            len(passages)))


def first_alike(end, frames):
    """{number: (end, the number of the first frame that has the same octets)}."""
    first = {}
    return {number: (end, first.setdefault(frame, number)) for number, _, frame in frames}


class Log:
    """What became of every segment that a capture shows, as the relay knows it.  passed: [Passed];
    kind: by tap and number, the first packet that is the same."""

    def __init__(self, relay, folder):
        left, came = {}, collections.defaultdict(list)
        self.kind, stamps = {}, {}
        for end in ENDS:
            hardware = bytes.fromhex(MACS[end].replace(":", ""))
            frames = frames_of(os.path.join(folder, end + ".pcap"))
            own = [frame for frame in frames if frame[2][6:12] == hardware]
            other = [frame for frame in frames if frame[2][6:12] != hardware]
            arrived = [p for p in relay.passages if p.sender == end and p.came is not None]
            for passage, number in those_that_came(own, arrived):
                left[passage] = (end, number)
            for passage, number in those_that_went(other, relay.handed[end]):
                came[passage].append((end, number))
            self.kind[end] = first_alike(end, frames)
            stamps.update({(end, number): stamp for number, stamp, _ in frames})
        self.passed = [passed(passage, left.get(passage), came[passage], stamps)
                       for passage in relay.passages
                       if passage.segment is not None and (passage in left or came[passage])]

    def kinds(self, places):
        return [self.kind[end][number] for end, number in places]


def passed(passage, left, came, stamps):
    times = [sent - passage.came for sent in passage.sent] if passage.came else []
    transit = times[0] if times else 0
    whole = not passage.waits and (passage.came is None or left is not None)
    longest = max((stamps[place] - stamps[left] for place in came if left), default=0) / 1e9
    return Passed(left, came, transit, times[1:], whole and len(came) == len(passage.sent), longest)


class Said:
    """What lastack says of both captures, that of one end first."""

    def __init__(self, folder, first, settings=()):
        words = []
        for end in sorted(("client", "server"), key=lambda name: name != first):
            words += ["--tap", "%s=%s" % (end, os.path.join(folder, end + ".pcap"))]
        run = subprocess.run([LASTACK, *words, *settings, "--ndjson"], check=True,
                             capture_output=True)
        self.records = [json.loads(line) for line in run.stdout.splitlines()]

    def of(self, dataset):
        return [record["lastack"] for record in self.records
                if record["event"]["dataset"] == "lastack." + dataset]

    def packets(self, event, role="trigger"):
        """(tap, packet) of the evidence of that role of every event."""
        return [(evidence["tap"], evidence["packet"]) for record in self.records
                if record["event"]["dataset"] == "lastack.event" and
                record["event"]["action"] == event
                for evidence in record["lastack"]["evidence"] if evidence["role"] == role]

    def counted(self):
        total = collections.Counter()
        for path in self.of("path"):
            for direction in path["direction"].values():
                total.update({key: value for key, value in direction.items()
                              if isinstance(value, int)})
        return total


def story_of(log, kind):
    """What became of the packets of a kind, for who has to find out who is right."""
    return "; ".join("%s -> %s, %.6f s by the log, %.6f by the stamps, copies %s%s" %
                     (p.left, p.came, p.transit, p.longest, p.copies, "" if p.whole else ", cut")
                     for p in log.passed
                     if kind in log.kinds([place for place in [p.left, *p.came] if place]))


def differences(log, what, want, said, may=(), excuse=()):
    """Lines, one for each kind of difference, and what there was of the first of each."""
    want, told = collections.Counter(want), collections.Counter(said)
    missing, besides = want - told - collections.Counter(excuse), told - want - collections.Counter(may)
    lines = []
    if missing:
        lines.append("%s and not told: %s" % (what, sorted(missing.elements())[:8]))
    if besides:
        lines.append("said to be %s and was not: %s" % (what, sorted(besides.elements())[:8]))
    lines += [story_of(log, min(kinds)) for kinds in (missing, besides) if kinds]
    return lines


def excused(log, whole):
    """(kinds, how many): of packets that are the same in every octet, some lost and some doubled:
    what came is as many as what came of none lost."""
    lost = collections.Counter(kind for p in whole if not p.came for kind in log.kinds([p.left]))
    twice = collections.Counter(kind for p in whole if p.left
                                for kind in log.kinds([p.left] * (len(p.came) - 1)))
    both = lost & twice
    return list(both.elements()), sum(both.values())


def of_several(log, whole, late):
    """Kinds of packets that are the same in every octet, some lost, doubled or late, one for each
    packet: which of them came when is not known, and so not whether one of them was held."""
    sent, unlike = collections.Counter(log.kinds([p.left for p in whole if p.left])), set()
    for passage in whole:
        if passage.left and (len(passage.came) != 1 or passage.left in late):
            unlike.update(log.kinds([passage.left]))
    return [kind for kind in unlike if sent[kind] > 1 for _ in range(sent[kind])]


def overdue(passage, delay):
    """By how much it came late, and by how much copies of it came after it; seconds."""
    return [passage.transit - delay] + [gap - passage.transit for gap in passage.copies]


def judge(log, said, delay):
    """What is wrong with the account, line by line."""
    whole = [p for p in log.passed if p.whole]
    cut = [place for p in log.passed if not p.whole for place in [p.left, *p.came] if place]
    lost = [p.left for p in whole if not p.came]
    made = [p.came[0] for p in whole if not p.left]
    both = [p for p in whole if p.left and p.came]
    late = [(p.left, over) for p in both for over in overdue(p, delay)]
    held = [left for left, over in late if over > HELD + BLURRED]
    blurred = [left for left, over in late if abs(over - HELD) <= BLURRED]
    blurred += [p.left for p in both if p.longest - delay > HELD - BLURRED]
    even, spare = excused(log, whole)
    several = of_several(log, whole, set(held + blurred))
    wrong = []
    for what, want, event, may, excuse in (
            ("lost", lost, "lost_between_taps", log.kinds(cut), even),
            ("injected", made, "injected_between_taps", log.kinds(cut), ()),
            ("held", held, "delayed_between_taps", log.kinds(blurred + cut) + several, several)):
        told = log.kinds(said.packets(event))
        wrong += differences(log, what, log.kinds(want), told, may, excuse)
    counts = said.counted()
    for what, number in (("lost", len(lost)), ("injected", len(made)), ("arrived", len(both)),
                         ("duplicated", sum(len(p.came) - 1 for p in both)), ("missed", 0),
                         ("unknown", 0)):
        if not number - spare <= counts[what] <= number + spare + len(cut):
            wrong.append("%d are counted as %s, of %d" % (counts[what], what, number))
    return wrong
