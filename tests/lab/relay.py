"""relay: carries real frames between the two wires, and drops, delays, doubles or holds those that
a rule names.  Between two frames it asks the kernels for the truth (sampler), so that a sample lies
beside the frames and not across them.

The first rule that fits a frame decides; without one a frame passes after the relay's delay.  What
became of every frame is kept in a log: `passages`, and, by receiver and in order, `handed`.
"""
import contextlib
import heapq
import itertools
import os
import select
import socket
import struct
import threading
import time

from frames import parse

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
STAMP = struct.Struct("qq")
PACKET_OUTGOING = 4
SAMPLE_EVERY = 0.005  # while something happens
SAMPLE_IDLE = 0.1     # when nothing has happened for a while
SAMPLE_AFTER = 0.0015  # this long after a frame was handed over
QUIET = 0.15


class Passage:
    """A frame that came, or was made (came: None), and when it was handed over: each time, in
    seconds.  stamp: when it came, in ns, by the captures' clock."""
    __slots__ = ("sender", "frame", "segment", "stamp", "came", "sent", "waits")

    def __init__(self, sender, frame, segment, stamp):
        self.sender, self.frame, self.segment, self.stamp = sender, frame, segment, stamp
        self.came = None if stamp is None else stamp * 1e-9
        self.sent = []
        self.waits = 0  # for how many deliveries


class Rule:
    """What happens to the next frames that fit; how many it took, and those it holds."""

    def __init__(self, fits, what, times, seconds=0.0):
        self.fits, self.what, self.times, self.seconds = fits, what, times, seconds
        self.taken = 0
        self.held = []

    def takes(self, segment):
        if self.taken >= self.times or not self.fits(segment):
            return False
        self.taken += 1
        return True


class Relay(threading.Thread):
    def __init__(self, delay, sample):
        super().__init__(daemon=True)
        self.delay, self.sample = delay, sample
        self.sockets = {"client": raw_socket("c0"), "server": raw_socket("s0")}
        self.rules = []
        self.queue = []  # (due, order, passage, whether no rule touched it)
        self.order = itertools.count()
        self.lock = threading.Lock()
        self.wakes, self.wake = socket.socketpair()
        self.running = True
        self.latest = 0.0   # the longest that a frame took which no rule touched
        self.passed = []    # every segment that came, in order
        self.passages = []  # every frame, those that were injected among them
        self.handed = {"client": [], "server": []}  # passages, by receiver, in the order of delivery
        self.error = None

    # ---- what a scenario says

    def rule(self, fits, what, times, seconds=0.0):
        made = Rule(fits, what, times, seconds)
        with self.lock:
            self.rules.append(made)
        return made

    def drop(self, fits, times=1):
        return self.rule(fits, "drop", times)

    def hold(self, fits, times=1):
        """Kept until release()."""
        return self.rule(fits, "hold", times)

    def copy(self, fits, times=1):
        """Passes, and a copy is kept until release()."""
        return self.rule(fits, "copy", times)

    def retard(self, fits, seconds, times=1):
        return self.rule(fits, "retard", times, seconds)

    def double(self, fits, seconds, times=1):
        """Passes, and once more so many seconds later."""
        return self.rule(fits, "double", times, seconds)

    def release(self, rule):
        with self.lock:
            for passage in rule.held:
                self.push(passage, time.time())
            rule.held = []
        self.wakes.send(b"x")

    def forget(self, rule):
        """The rule takes nothing more."""
        rule.times = rule.taken

    def inject(self, sender, frame):
        """A frame as if that end had sent it, after the tap on its side."""
        with self.lock:
            passage = Passage(sender, frame, parse(frame, sender), None)
            self.passages.append(passage)
            self.push(passage, time.time())
        self.wakes.send(b"x")

    def idle(self):
        with self.lock:
            return not self.queue

    # ---- what the thread does

    def push(self, passage, due, untouched=False):
        passage.waits += 1
        heapq.heappush(self.queue, (due, next(self.order), passage, untouched))

    def take(self, sender, frame, stamp):
        passage = Passage(sender, frame, parse(frame, sender), stamp)
        due = passage.came + self.delay
        with self.lock:
            self.passages.append(passage)
            if passage.segment is None:
                self.push(passage, due)
                return
            self.passed.append(passage.segment)
            rule = next((r for r in self.rules if r.takes(passage.segment)), None)
            if rule is None or rule.what in ("double", "copy"):
                self.push(passage, due, True)
            if rule is None or rule.what == "drop":
                return
            if rule.what in ("hold", "copy"):
                rule.held.append(passage)
            else:
                self.push(passage, due + rule.seconds)

    def deliver(self):
        """Frames that are due; whether there was one."""
        some = False
        while True:
            with self.lock:
                if not self.queue or self.queue[0][0] > time.time():
                    return some
                _, _, passage, untouched = heapq.heappop(self.queue)
            some = True
            other = "server" if passage.sender == "client" else "client"
            self.sockets[other].send(passage.frame)
            passage.sent.append(time.time())
            passage.waits -= 1
            self.handed[other].append(passage)
            if untouched:
                self.latest = max(self.latest, passage.sent[0] - passage.came)

    def receive(self, ready):
        for end, channel in self.sockets.items():
            if channel not in ready:
                continue
            while True:
                try:
                    frame, extra, _, origin = channel.recvmsg(65536, 64)
                except BlockingIOError:
                    break
                if origin[2] != PACKET_OUTGOING:
                    self.take(end, frame, stamp_of(extra))

    def run(self):
        with contextlib.suppress(OSError):  # a busy machine is not to make frames late
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)
        try:
            self.carry()
        except Exception as error:  # the scenario reports it
            self.error = error

    def carry(self):
        inputs = [*self.sockets.values(), self.wake]
        sample_at, active = 0.0, time.time()
        while self.running:
            with self.lock:
                due = self.queue[0][0] if self.queue else sample_at
            pause = max(0.0, min(due, sample_at) - time.time())
            ready, _, _ = select.select(inputs, [], [], pause)
            if self.wake in ready:
                self.wake.recv(4096)
            self.receive(ready)
            if self.deliver():
                active = time.time()
                sample_at = min(sample_at, active + SAMPLE_AFTER)
            if time.time() >= sample_at:
                self.sample()
                quiet = time.time() - active > QUIET
                sample_at = time.time() + (SAMPLE_IDLE if quiet else SAMPLE_EVERY)

    def stop(self):
        self.running = False
        self.wakes.send(b"x")
        self.join()
        if self.error:
            raise self.error


def stamp_of(extra):
    """When the frame passed the tap, by the kernel: the clock of the captures."""
    for _, kind, octets in extra:
        if kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = STAMP.unpack(octets)
            return seconds * 1000000000 + nanoseconds
    return time.time_ns()


def raw_socket(device):
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    made.bind((device, ETH_P_ALL))
    made.setblocking(False)
    return made
