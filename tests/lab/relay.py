"""relay: carries real frames between the two wires, and drops, delays, doubles or holds those that
a rule names.  Between two frames it asks the kernels for the truth (sampler), so that a sample lies
beside the frames and not across them.

The first rule that fits a frame decides; without one a frame passes after the relay's delay.
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
        self.queue = []  # (due, order, the end that sent it, frame, when it came, by time.time())
        self.order = itertools.count()
        self.lock = threading.Lock()
        self.wakes, self.wake = socket.socketpair()
        self.running = True
        self.latest = 0.0   # the longest that a frame took which no rule touched
        self.passed = []    # every segment that came, in order
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
            for segment in rule.held:
                self.push(segment.sender, segment.frame, time.time(), None)
            rule.held = []
        self.wakes.send(b"x")

    def forget(self, rule):
        """The rule takes nothing more."""
        rule.times = rule.taken

    def inject(self, sender, frame):
        """A frame as if that end had sent it, after the tap on its side."""
        with self.lock:
            self.push(sender, frame, time.time(), None)
        self.wakes.send(b"x")

    def idle(self):
        with self.lock:
            return not self.queue

    # ---- what the thread does

    def push(self, sender, frame, due, came):
        heapq.heappush(self.queue, (due, next(self.order), sender, frame, came))

    def take(self, sender, frame, came):
        segment = parse(frame, sender)
        due = came + self.delay
        with self.lock:
            if segment is None:
                self.push(sender, frame, due, None)
                return
            self.passed.append(segment)
            rule = next((r for r in self.rules if r.takes(segment)), None)
            if rule is None or rule.what in ("double", "copy"):
                self.push(sender, frame, due, came)
            if rule is None or rule.what == "drop":
                return
            if rule.what in ("hold", "copy"):
                rule.held.append(segment)
            else:
                self.push(sender, frame, due + rule.seconds, None)

    def deliver(self):
        """Frames that are due; whether there was one."""
        some = False
        while True:
            with self.lock:
                if not self.queue or self.queue[0][0] > time.time():
                    return some
                _, _, sender, frame, came = heapq.heappop(self.queue)
            some = True
            self.sockets["server" if sender == "client" else "client"].send(frame)
            if came is not None:
                self.latest = max(self.latest, time.time() - came)

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
            return seconds + nanoseconds * 1e-9
    return time.time()


def raw_socket(device):
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    made.bind((device, ETH_P_ALL))
    made.setblocking(False)
    return made
