#!/usr/bin/env python3
"""rsyslog carries a live capture's records on as contrib/kafka says: to a file and to Kafka, whole and in order."""
import json
import os
import re
import shutil
import socket
import sys
import tempfile

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
from kafka_cluster import PROGRAM, Cluster, as_text  # noqa: E402
from livelab import Live, enter, talk, until  # noqa: E402
from ours import Ours  # noqa: E402
from tap import Tap  # noqa: E402

README = os.path.join(TOP, "contrib", "kafka", "README.md")
NAMES = ("/usr/sbin/rsyslogd", "/sbin/rsyslogd")
LONG = 9000  # octets: longer than what rsyslog takes unless it is told otherwise


def documented():
    """The configuration that contrib/kafka shows."""
    with open(README) as file:
        blocks = re.findall(r"^```\n(.*?)^```$", file.read(), flags=re.M | re.S)
    return next(block for block in blocks if "imfile" in block)


def configure(folder, records, brokers):
    """The same with our paths and brokers, and a file beside; without omkafka a file alone."""
    text = documented().replace("/var/log/lastack/eth0.ndjson", records)
    beside = 'action(type="omfile" file="%s/copy.ndjson" template="line")\n' % folder
    if brokers is None:
        text = re.sub(r"action\(.*?\)\n(?=\})", lambda _: beside, text, flags=re.S)
        text = text.replace('module(load="omkafka")\n', "")
    else:
        servers = ", ".join('"%s"' % broker for broker in brokers.split(","))
        text = text.replace('"kafka1:9092"', servers).replace("    action(", "    " + beside + "    action(")
    text = text.replace("input(", 'template(name="line" type="string" string="%msg%\\n")\ninput(')
    path = os.path.join(folder, "rsyslog.conf")
    with open(path, "w") as file:
        file.write(text.replace("global(", 'global(workDirectory="%s" ' % folder))
    return path


class Rsyslog(Ours):
    """One of our own, with its own folder."""

    def __init__(self, program, folder, config):
        super().__init__(folder, "rsyslog", [
            program, "-n", "-f", config, "-i", os.path.join(folder, "rsyslog.pid")])


def copies(folder):
    try:
        with open(os.path.join(folder, "copy.ndjson")) as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]
    except FileNotFoundError:
        return []


def check(tap, program, brokers, folder):
    cluster = Cluster() if brokers else None
    live = Live("-i", "lo", "-f", "tcp port 5560", "--segments", "all", "--observer", "x" * LONG)
    rsyslog = Rsyslog(program, folder, configure(folder, live.path, cluster.brokers if brokers else None))
    talk(socket.create_server(("127.0.0.1", 5560)), 40)
    first = until(lambda: len(copies(folder)) >= 300, 20, 0.1)
    tap.ok(first, "records arrive while the capture goes on", len(copies(folder)), rsyslog.process.poll())
    code = live.end()
    records = live.records()
    until(lambda: len(copies(folder)) >= len(records), 20, 0.1)
    got = cluster.values(len(records), 30) if brokers else None
    said = rsyslog.end()
    flows = sum(r["event"]["dataset"] == "lastack.flow" for r in records)
    tap.ok(code == 0 and flows == 40 and copies(folder) == records,
           "the file has all %d records, as they are and in order, longer than 8 KiB each" % len(records), code,
           flows, len(copies(folder)), said[-800:])
    if brokers:
        tap.ok(as_text(got) == as_text(records), "so has the topic", len(got), len(records), said[-800:])
        cluster.end()
    else:
        tap.skip("rsyslog gives them to Kafka", "rsyslog-kafka is not installed, or no brokers can be mocked")
    shutil.rmtree(live.folder)


def main():
    program = next(filter(os.path.exists, NAMES), None)
    if program is None:
        print("1..0 # SKIP rsyslog is not installed")
        return 0
    modules = [os.path.join(folder, "omkafka.so") for folder in
               ("/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog", "/usr/lib/rsyslog")]
    enter()
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-rsyslog-")
    check(tap, program, os.path.exists(PROGRAM) and any(map(os.path.exists, modules)), folder)
    shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
