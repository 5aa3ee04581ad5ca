"""What the checks of live capture share: a network of their own, and lastack running in it.

A check calls enter() first: it starts itself again in a network namespace (and a user namespace,
when it is not root), so that nothing outside is captured or changed.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
INSIDE = "LASTACK_LIVE_INSIDE"


def enter():
    """Goes on inside a namespace, or skips the whole check and says why."""
    if os.environ.get(INSIDE):
        # a job in the background ignores it, and what it starts would, too
        signal.signal(signal.SIGINT, signal.default_int_handler)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    flags = "-nm" if os.geteuid() == 0 else "-rnm"
    probe = subprocess.run(["unshare", flags, "ip", "link", "set", "lo", "up"],
                           capture_output=True, text=True)
    if probe.returncode != 0:
        print("1..0 # SKIP no network namespace can be made here: %s" % probe.stderr.strip())
        sys.exit(0)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", flags, sys.executable, *sys.argv])


def until(condition, seconds=10.0, pause=0.01):
    """Waits for condition to hold; its value, or None when it never did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    return None


def packet_sockets():
    with open("/proc/net/packet") as table:
        return len(table.readlines()) - 1


class Live:
    """A running lastack with NDJSON in a file of a folder of its own."""

    def __init__(self, *arguments, folder=None, ndjson=True, wrapper=(), env=None, sockets=1,
                 program=LASTACK):
        self.folder = folder
        if folder is None: # lastack goes on in it as another user
            self.folder = tempfile.mkdtemp(prefix="lastack-live-")
            os.chmod(self.folder, 0o777)
        self.path = os.path.join(self.folder, "records.ndjson")
        outputs = ["--ndjson=" + self.path] if ndjson else []
        self.errors = tempfile.TemporaryFile("w+")
        if os.environ.get("LASTACK_SANITIZED"): # looking for leaks takes rights that are given up
            env = dict(env or os.environ, ASAN_OPTIONS="detect_leaks=0")
        before = packet_sockets()
        self.process = subprocess.Popen(
            [*wrapper, program, *outputs, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, env=env)
        until(lambda: packet_sockets() >= before + sockets or self.process.poll() is not None)
        until(lambda: self.process.poll() is not None or self.threads() > 1)
        time.sleep(0.2)

    def threads(self):
        try:
            return len(os.listdir("/proc/%d/task" % self.process.pid))
        except OSError:
            return 0

    def status(self, thread=None):
        """/proc/PID/status, or that of a thread, as a dictionary."""
        path = "/proc/%d/status" % self.process.pid
        if thread is not None:
            path = "/proc/%d/task/%s/status" % (self.process.pid, thread)
        with open(path) as lines:
            return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)

    def records(self, dataset=None, path=None):
        """Whole lines written so far, of all kinds of records or of one."""
        mark = "" if dataset is None else '"dataset":"lastack.%s"' % dataset
        try:
            with open(path or self.path) as lines:
                return [json.loads(line) for line in lines if line.endswith("\n") and mark in line]
        except FileNotFoundError:
            return []

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGINT, seconds=20):
        """Ends it; the exit status.  What it said is in self.said."""
        if self.process.poll() is None:
            self.send(number)
        try:
            self.output, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.output, _ = self.process.communicate()
        self.errors.seek(0)
        self.said = self.errors.read()
        self.errors.close()
        return self.process.returncode


def talk(listener, count=1, payload=b"x"):
    """Whole connections to a listening socket; 8 packets each with a payload."""
    for _ in range(count):
        client = socket.create_connection(listener.getsockname()[:2])
        server, _ = listener.accept()
        if payload:
            client.sendall(payload)
            server.recv(len(payload))
        client.close()
        server.close()


def listen(address="127.0.0.1"):
    listener = socket.socket()
    listener.bind((address, 0))
    listener.listen(64)
    return listener
