"""What the checks of the live page share: lastack with --http, and a reader of its events."""
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time

from livelab import LASTACK, until

TOP = os.environ.get("TOP_SRCDIR", ".")
SAMPLES = os.path.join(TOP, "samples")
STAYS = "stays until Ctrl-C"


class Page:
    """A running lastack that reads saved captures, or a stream that begins so, and shows them."""

    def __init__(self, *arguments, stream=None, http="127.0.0.1:0", env=None):
        stdin = subprocess.DEVNULL if stream is None else subprocess.PIPE
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([LASTACK, "--http", http, *arguments], stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=self.errors, env=env)
        if stream is not None:
            self.process.stdin.write(stream)
            self.process.stdin.flush()
        self.port = until(lambda: port_of(self.said()) or self.process.poll() is not None, 10)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def stays(self):
        return until(lambda: STAYS in self.said(), 30)

    def end(self, number=signal.SIGINT, seconds=20):
        """The exit status, None when it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.output, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.output, _ = self.process.communicate()
            return None
        return self.process.returncode


def port_of(said):
    found = re.search(r"http: http://\S+?:(\d+)/", said)
    return found and int(found.group(1))


def get(port, path, method="GET", address="127.0.0.1", **headers):
    """The answer and its body; a header's name is spelled with _ for -."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    connection.request(method, path,
                       headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


class Events:
    """The messages of /events as they come: (id, name, data)."""

    def __init__(self, port, path="/events", address="127.0.0.1", **headers):
        self.connection = http.client.HTTPConnection(address, port, timeout=15)
        self.connection.request("GET", path, headers={name.replace("_", "-"): value
                                                      for name, value in headers.items()})
        self.answer = self.connection.getresponse()

    def read(self):
        """The next message; None: it was closed."""
        fields = {}
        while True:
            line = self.answer.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if not line and fields:
                return fields["id"], fields["event"], json.loads(fields["data"])
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value

    def until(self, name, seconds=20):
        """All messages up to the first of that name."""
        found, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.read()
            if message is None:
                return found
            found.append(message)
            if message[1] == name:
                return found
        return found

    def close(self):
        self.answer.close()
        self.connection.close()


def data_of(messages, name):
    return [data for _, kind, data in messages if kind == name]
