#!/usr/bin/env python3
"""kcat reads what --kafka sent, and sends what --ndjson wrote, as contrib/kafka says: once, whole, by its key."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
from kafka_cluster import Cluster, as_text, key_of  # noqa: E402
from livelab import LASTACK, enter  # noqa: E402
from tap import Tap  # noqa: E402

README = os.path.join(TOP, "contrib", "kafka", "README.md")
CAPTURES = sorted(glob.glob(os.path.join(TOP, "samples", "*.pcap")))


def run(command, seconds=60, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False,
                          stdin=subprocess.DEVNULL, **options)


def records_of(folder):
    path = os.path.join(folder, "records.ndjson")
    run([LASTACK, "--ndjson=" + path, *CAPTURES])
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def check_reads(tap, records):
    """What lastack sends is what kcat gets, from the beginning of the topic to its end."""
    cluster = Cluster()
    sent = run([LASTACK, "--kafka", cluster.brokers, "--topic", "lastack", *CAPTURES])
    got = run(["kcat", "-C", "-q", "-b", cluster.brokers, "-t", "lastack", "-o", "beginning", "-e", "-f",
               "%k\t%s\n"])
    cluster.end()
    pairs = [line.split("\t", 1) for line in got.stdout.splitlines()]
    values = [json.loads(value) for _, value in pairs]
    tap.ok(sent.returncode == 0 and got.returncode == 0 and as_text(values) == as_text(records),
           "kcat reads the %d records that were sent" % len(records), sent.stderr, got.stderr, len(values))
    wrong = [key for (key, _), record in zip(pairs, values) if key != key_of(record).replace("-", "")]
    tap.ok(len({key for key, _ in pairs}) > 5 and not wrong, "each with its key", *wrong[:5])
    flows = [sum(r["event"]["dataset"] == "lastack.flow" and r["lastack"]["close"]["kind"] == "orderly"
                 for r in of) for of in (values, records)]
    tap.ok(flows[0] == flows[1] > 0, "and as many connections that closed in order: %d" % flows[1], *flows)


def as_jq(records):
    """As text, all numbers as jq has them: a whole one is the same with a fraction and without."""
    return as_text(json.loads(json.dumps(record), parse_int=float) for record in records)


def documented():
    """The command lines of contrib/kafka that send with kcat."""
    with open(README) as lines:
        return [line.strip() for line in lines if line.startswith("    ") and "kcat -P" in line]


def check_sends(tap, records, folder):
    """The pipes of contrib/kafka, of a capture instead of an interface, and without its broker's TLS."""
    lines = documented()
    tap.ok(len(lines) == 2 and "jq" in lines[1], "contrib/kafka shows two pipes", *lines)
    for line in lines:
        cluster = Cluster()
        if "SSL" in line:
            line = line.replace("-X security.protocol=SSL ", "").replace("kafka1:9093", "kafka1:9092")
        line = line.replace("kafka1:9092", cluster.brokers).replace("-i eth0", " ".join(CAPTURES), 1)
        sent = run(["bash", "-o", "pipefail", "-c", line], cwd=folder,
                   env=dict(os.environ, PATH=os.path.dirname(os.path.abspath(LASTACK)) + ":" +
                            os.environ["PATH"]))
        got = cluster.values(len(records))
        keys = [(key or "-") == key_of(record) for _, _, key, record in cluster.messages]
        cluster.end()
        keyed = "jq" in line
        spelled = as_jq if keyed else as_text
        tap.ok(sent.returncode == 0 and spelled(got) == spelled(records) and (not keyed or all(keys)),
               "a pipe to kcat%s brings them all" % (", with keys," if keyed else ""), line, sent.stderr[-500:],
               len(got), len(records), keys.count(False))


def main():
    version = run([LASTACK, "--version"])
    missing = [name for name in ("kcat", "jq") if shutil.which(name) is None]
    if "librdkafka" not in version.stdout or missing:
        print("1..0 # SKIP %s" % (" and ".join(missing) + " not installed" if missing else
                                  "built without librdkafka"))
        return 0
    if "tsan" in os.environ.get("LASTACK_SANITIZED", ""):
        print("1..0 # SKIP librdkafka makes threads (thrd_create) that ThreadSanitizer does not follow")
        return 0
    enter()  # from here on there is no network but this one's loopback
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-kcat-")
    records = records_of(folder)
    check_reads(tap, records)
    check_sends(tap, records, folder)
    shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
