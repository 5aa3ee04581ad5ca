#!/usr/bin/env python3
"""Records reach a Kafka cluster (three brokers, mocked by librdkafka) once, in order, by their key."""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
BUILD = os.environ.get("TOP_BUILDDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
from kafka_cluster import Cluster, as_text, key_of  # noqa: E402
from livelab import LASTACK, Live, enter, talk, until  # noqa: E402
from tap import Tap  # noqa: E402

MODULES = os.path.join(BUILD, "integration-node")


def check_order(tap, name, cluster, records):
    """Of each key the records come in the order of the NDJSON, and from one partition."""
    wanted, got, partitions = defaultdict(list), defaultdict(list), defaultdict(set)
    for record in records:
        wanted[key_of(record)].append(record)
    for partition, offset, key, record in sorted(cluster.messages, key=lambda m: m[:2]):
        got[key].append(record)
        partitions[key].add(partition)
    keys = [key for key in wanted if key != "-"]
    tap.ok(keys and all(got[key] == wanted[key] for key in keys) and
           all(len(partitions[key]) == 1 for key in keys) and
           all(key_of(message[3]) == message[2] for message in cluster.messages),
           "%s: for each of %d keys in order, in one partition" % (name, len(keys)),
           [key for key in keys if got[key] != wanted[key]][:5])


def check_files(tap, folder):
    cluster = Cluster()
    path = os.path.join(folder, "files.ndjson")
    captures = sorted(glob.glob(os.path.join(TOP, "samples", "*.pcap")))
    run = subprocess.run([LASTACK, "-v", "--kafka", cluster.brokers, "--topic", "lastack",
                          "--ndjson=" + path, "--segments", "all", *captures], capture_output=True,
                         text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    with open(path) as lines:
        records = [json.loads(line) for line in lines]
    got = cluster.values(len(records))
    tap.ok(run.returncode == 0 and "%d records delivered to lastack, 0 left out" % len(records) in run.stderr,
           "of files, every record is acknowledged, and that is counted", run.returncode, run.stderr)
    tap.ok(as_text(got) == as_text(records), "what arrives is what the NDJSON has", len(got), len(records))
    check_order(tap, "files", cluster, records)
    check_clickhouse(tap, folder, cluster, records)
    cluster.end()


def check_clickhouse(tap, folder, cluster, records):
    """ClickHouse reads the topic by its own Kafka table."""
    ready = subprocess.run([os.path.join(TOP, ".ci", "install-databases"), MODULES], capture_output=True, text=True,
                           check=False)
    if ready.returncode != 0:
        tap.skip("ClickHouse reads the topic", ready.stderr.strip().replace("\n", ": "))
        return
    count = [str(sum(r["event"]["dataset"] == dataset for r in records))
             for dataset in ("lastack.flow", "lastack.event")]
    contrib = os.path.join(TOP, "contrib", "clickhouse")
    run = subprocess.run(["node", os.path.join(TOP, "tests", "integration", "clickhouse-kafka.cjs"),
                          os.path.join(MODULES, "node_modules"), os.path.join(folder, "clickhouse"),
                          cluster.brokers, *count, os.path.join(contrib, "schema.sql"),
                          os.path.join(contrib, "kafka.sql")], capture_output=True, text=True, timeout=90,
                         check=False)
    tap.ok(run.stdout.split() == count, "ClickHouse reads the topic by itself: %s connections, %s events" %
           tuple(count), run.stdout, run.stderr[-800:])


def check_broker_taken_away(tap):
    """In the middle of a live capture, and for a while all of them."""
    cluster = Cluster()
    live = Live("-i", "lo", "-v", "-f", "tcp portrange 5555-5556", "--segments", "all", "--kafka",
                cluster.brokers, "--topic", "lastack")
    listener = socket.create_server(("127.0.0.1", 5555))
    for moment in range(30):
        talk(listener, 10)
        for when, line in ((5, "down 1"), (12, "down 2"), (14, "down 3"), (20, "up 2"), (22, "up 3"),
                           (24, "up 1")):
            if moment == when:
                cluster.say(line)
        time.sleep(0.1)
    status = live.status()
    code = live.end(seconds=60)
    records = live.records()
    got = cluster.values(len(records))
    segments = sum(r["event"]["dataset"] == "lastack.segment" for r in records)
    tap.ok(segments == 2400 and live.records("summary")[0]["lastack"]["capture"]["drops"]["kernel"] == 0,
           "live: the capture goes on while brokers are away", segments)
    tap.ok(code == 0 and as_text(got) == as_text(records),
           "nothing is lost and nothing comes twice", code, live.said, len(got), len(records))
    tap.ok("no broker answers" in live.said and "answers again" in live.said, "both are said", live.said)
    check_order(tap, "brokers taken away", cluster, records)
    tap.ok(os.geteuid() != 0 or (status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == 0 and
                                 int(status["Seccomp"]) in (0, 2)), "and lastack keeps none of its rights")
    cluster.end()
    shutil.rmtree(live.folder)


def check_gone_for_good(tap):
    """No broker at all: the bound is kept, the capture is not held up, the end does not wait long."""
    live = Live("-i", "lo", "-f", "tcp port 5557", "--segments", "all", "--set", "kafka_queue=256K", "--set",
                "kafka_wait=1s", "--kafka", "127.0.0.1:9", "--topic", "lastack")
    listener = socket.create_server(("127.0.0.1", 5557))
    talk(listener, 400)
    until(lambda: len(live.records("segment")) == 3200, 10)
    senders = [pid for pid in os.listdir("/proc") if pid.isdigit() and is_child(pid, live.process.pid)]
    size = max((memory(pid) for pid in senders), default=0)
    begun = time.monotonic()
    code = live.end()
    took = time.monotonic() - begun
    records = live.records()
    tap.ok(len(senders) == 1 and size < 64 << 20, "what sends stays small", senders, size)
    tap.ok(code == 5 and "no room for more" in live.said and
           "0 records delivered to lastack, %d left out" % len(records) in live.said,
           "without any broker, every record is counted as left out", code, live.said, len(records))
    tap.ok(len([r for r in records if r["event"]["dataset"] == "lastack.segment"]) == 3200 and took < 10,
           "the other output has them all, and the end comes soon", len(records), took)
    shutil.rmtree(live.folder)


def check_stopped_sender(tap):
    """What sends is stopped: the capture goes on, and what it could not give away is counted."""
    cluster = Cluster()
    live = Live("-i", "lo", "-f", "tcp port 5558", "--segments", "all", "--kafka", cluster.brokers, "--topic",
                "lastack")
    sender = next(int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_child(pid, live.process.pid))
    os.kill(sender, signal.SIGSTOP)
    listener = socket.create_server(("127.0.0.1", 5558))
    talk(listener, 800)
    written = until(lambda: len(live.records("segment")) == 6400, 10)
    os.kill(sender, signal.SIGCONT)
    code = live.end(seconds=60)
    records = live.records()
    found = re.search(r"kafka: (\d+) records delivered to lastack, (\d+) left out", live.said)
    delivered, left_out = (int(n) for n in found.groups()) if found else (0, 0)
    got = cluster.values(delivered)
    tap.ok(written and code == 5 and 0 < left_out < len(records) and delivered + left_out == len(records),
           "a sender that is stopped holds nobody up, and every record is accounted for", code, live.said,
           len(records))
    tap.ok(len(got) == delivered and set(as_text(got)) <= set(as_text(records)), "what was sent is whole",
           len(got), delivered)
    cluster.end()
    shutil.rmtree(live.folder)


def check_dead_sender(tap):
    """What sends dies: that is said, the other output goes on, and the exit status tells."""
    live = Live("-i", "lo", "-f", "tcp port 5559", "--kafka", "127.0.0.1:9", "--topic", "lastack")
    sender = next(int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_child(pid, live.process.pid))
    os.kill(sender, signal.SIGKILL)
    talk(socket.create_server(("127.0.0.1", 5559)), 5)
    code = live.end()
    flows = len(live.records("flow"))
    tap.ok(code == 5 and "ended before its time" in live.said and flows == 5,
           "a sender that dies is said, and the other output has everything", code, live.said, flows)
    shutil.rmtree(live.folder)


def is_child(pid, parent):
    try:
        with open("/proc/%s/stat" % pid) as file:
            return int(file.read().rsplit(")", 1)[1].split()[1]) == parent
    except OSError:
        return False


def memory(pid):
    with open("/proc/%s/status" % pid) as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def check_refusals(tap):
    sample = os.path.join(TOP, "samples", "stray-delivered.pcap")
    for words, said in ((["--kafka", "127.0.0.1:9"], "to which topic"), (["--topic", "t"], "is for --kafka"),
                        (["--kafka", "127.0.0.1:9", "--topic", "a b"], "must be 1 to 249"),
                        (["--kafka", "a:1", "--kafka", "b:1", "--topic", "t"], "given twice")):
        run = subprocess.run([LASTACK, *words, sample], capture_output=True, text=True, timeout=60, check=False)
        tap.ok(run.returncode == 2 and said in run.stderr, "%s is refused" % " ".join(words), run.stderr)


def main():
    version = subprocess.run([LASTACK, "--version"], capture_output=True, text=True, check=True)
    if "librdkafka" not in version.stdout:
        print("1..0 # SKIP built without librdkafka")
        return 0
    if "tsan" in os.environ.get("LASTACK_SANITIZED", ""):
        print("1..0 # SKIP librdkafka makes threads (thrd_create) that ThreadSanitizer does not follow")
        return 0
    subprocess.run([os.path.join(TOP, ".ci", "install-databases"), MODULES], capture_output=True, check=False)
    enter()  # from here on there is no network but this one's loopback
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-kafka-")
    check_refusals(tap)
    check_files(tap, folder)
    check_broker_taken_away(tap)
    check_gone_for_good(tap)
    check_stopped_sender(tap)
    check_dead_sender(tap)
    shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
