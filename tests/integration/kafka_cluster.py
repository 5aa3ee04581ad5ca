"""Three brokers that librdkafka mocks, and a consumer that keeps what it reads: for the tests of Kafka."""
import json
import os
import subprocess
import sys
import threading
import time

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.environ.get("TOP_BUILDDIR", ".")
PROGRAM = os.path.join(BUILD, "tests", "tools", "kafka-cluster")
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
from livelab import until  # noqa: E402


class Cluster:
    """Three brokers, a topic of four partitions, and all that a consumer read so far."""

    def __init__(self):
        self.process = subprocess.Popen([PROGRAM, "lastack", "4"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.brokers = self.process.stdout.readline().strip()
        self.messages = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            partition, offset, key, value = line.rstrip("\n").split("\t", 3)
            self.messages.append((int(partition), int(offset), key, json.loads(value)))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def values(self, count, seconds=20):
        until(lambda: len(self.messages) >= count, seconds, 0.05)
        time.sleep(0.5)  # nothing may come behind them
        return [message[3] for message in self.messages]

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.reader.join(5)
        self.process.stdout.close()


def key_of(record):
    return (record.get("network") or {}).get("community_id", "-")


def as_text(records):
    return sorted(json.dumps(record, sort_keys=True) for record in records)
