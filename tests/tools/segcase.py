"""segcase: what a case script holds: packets, assertions, expectations (case-language.md).

Nothing here knows bytes or link types: a packet's sequence numbers stay pairs (value, incarnation),
so that the same case can be written to the wire with other ISNs, addresses and links (segwire.py).
"""
from dataclasses import dataclass, field

NS = 1_000_000_000
ENDS = ("A", "B")
STATES = ("CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSE_WAIT CLOSING "
          "LAST_ACK TIME_WAIT UNKNOWN").split()
ROLES = ("trigger", "reaction", "repair", "reference", "consequence")
BASES = ("sent", "acked", "presumed", "timer")
FATES = ("lost", "missed", "dropped")  # lost, missed: not written; lost, dropped: never arrive
FLAG_LETTERS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10, ".": 0x10, "U": 0x20,
                "E": 0x40, "C": 0x80}
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
DEFAULT_WINDOW = 64240
DEFAULT_OPTIONS = {"mss": 1460, "sack": True, "ts": True, "ws": 7}
TS_CLOCK_BASE = {"A": 100_000, "B": 700_000}  # TSval at script time 0; both clocks tick in ms

class CaseError(Exception):
    """A script that cannot be read: file, line and what is wrong."""


@dataclass
class Number:
    """A sequence number: relative to the ISN of `incarnation` (from 1), or absolute (None)."""
    value: int
    incarnation: int | None


@dataclass
class Incarnation:
    isn: dict          # end -> absolute ISN
    options: dict      # end -> option dict
    next: dict = field(default_factory=lambda: {"A": 0, "B": 0})       # highest END sent, relative
    echo: dict = field(default_factory=lambda: {"A": 0, "B": 0})       # TS.Recent of each end
    last_ack: dict = field(default_factory=lambda: {"A": 0, "B": 0})   # Last.ACK.sent of each end
    coming: dict = field(default_factory=lambda: {"A": [], "B": []})   # (ns, seq, end, tsval)
    syn: dict = field(default_factory=lambda: {"A": False, "B": False})


@dataclass
class Packet:
    line: int
    time: int                 # ns since script start, as the capture stamps it
    flow: int
    sender: str
    flags: int
    seq: Number
    length: int
    ack: Number | None
    incarnation: int
    window: int               # the field, unscaled
    options: dict             # in the header: mss, ws, sackok, ts=(val, ecr), sack=[...]
    ip_id: int
    ttl: int = 64
    checksum: str = "good"
    data: bytes | None = None
    urgent: int = 0
    label: str = ""
    number: int = 0           # in the capture, from 1
    kind: str = "tcp"         # or "clock": an unrelated datagram that carries the capture clock on


@dataclass
class Assertion:
    line: int
    time: int
    last_packet: int          # packets written so far
    flow: int
    end: str
    state: str
    basis: str | None
    incarnation: int
    then_known: bool          # "~": as it was known at that time


@dataclass
class Expectation:
    line: int
    flow: int
    incarnation: int
    words: list


@dataclass
class Case:
    name: str
    claim: str = ""
    ends: dict = field(default_factory=dict)          # flow -> {"A": (address, port), "B": ...}
    flows: dict = field(default_factory=dict)         # flow -> [Incarnation, ...]
    packets: list = field(default_factory=list)
    assertions: list = field(default_factory=list)
    expectations: list = field(default_factory=list)
    labels: dict = field(default_factory=dict)        # label -> Packet
    snaplen: int = 0                                  # octets kept from the IP header on; 0: all
    arguments: list = field(default_factory=list)     # more words for the command line
    skips: dict = field(default_factory=dict)         # variation -> why it cannot be the same
