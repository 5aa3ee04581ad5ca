#!/usr/bin/env python3
"""What a live capture writes while it goes on, and how its files are exchanged and survive."""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from livelab import LASTACK, Live, enter, listen, packet_sockets, talk, until
from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
VALIDATE = os.path.join(TOP, "tests", "tools", "validate-schema.py")
ROTATED = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "." + "[0-9]" * 6 + "Z"


def check_schema(tap, live, what):
    schema = os.path.join(live.folder, "schema.json")
    with open(schema, "w") as file:
        subprocess.run([LASTACK, "--schema"], stdout=file, check=True)
    result = subprocess.run([sys.executable, VALIDATE, schema, live.path], capture_output=True,
                            text=True, check=False)
    if result.returncode == 77:
        tap.skip("the schema", result.stdout)
        return
    tap.ok(result.returncode == 0, "%s fits the schema" % what, result.stdout, result.stderr)


def check_stats(tap):
    live = Live("-i", "lo", "--stats-interval", "1", "--threads", "3")
    listener = listen()
    talk(listener, 5)
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()

    def settled():
        found = live.records("stats")
        return found and found[-1]["lastack"]["packets"] == 43 and found[-1]
    stats = until(settled, 5)
    ours = stats["lastack"] if stats else None
    tap.ok(bool(ours) and ours["open"]["total"] == 6 and
           ours["open"]["client"]["ESTABLISHED"] == 1 and ours["open"]["client"]["TIME_WAIT"] == 5,
           "--stats-interval counts connections by state", ours)
    tap.ok(bool(ours) and ours["drops"]["kernel"] == 0 and ours["drops"]["received"] >= 43,
           "and packets by libpcap's counters", ours)
    tap.ok(bool(ours) and 0 < ours["memory"]["used"] < ours["memory"]["limit"],
           "and the memory", ours)
    live.send(signal.SIGUSR1)
    open_now = until(lambda: live.records("flow"), 3) or []
    until(lambda: len(live.records("flow")) >= 6, 2)
    open_now = live.records("flow")
    tap.ok(len(open_now) == 6 and all(not f["lastack"]["final"] and f["lastack"]["part"] == 1
                                      for f in open_now),
           "SIGUSR1 writes the open connections as parts", json.dumps(open_now)[:500])
    client.close()
    server.close()
    status = live.end()
    flows = [f for f in live.records("flow") if f["lastack"]["final"]]
    tap.ok(status == 0 and len(flows) == 6 and all(f["lastack"]["part"] == 2 for f in flows),
           "each is written whole at the end, as its second part",
           [f["lastack"]["part"] for f in flows])
    summary = live.records("summary")
    tap.ok(summary and summary[0]["lastack"]["summary"]["flows"]["total"] == 6,
           "and counted once")
    check_schema(tap, live, "all of it")
    shutil.rmtree(live.folder)


def check_active_timeout(tap):
    live = Live("-i", "lo", "--active-timeout", "1")
    listener = listen()
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    for _ in range(14):
        client.sendall(b"x")
        time.sleep(0.2)
    parts = [f["lastack"]["part"] for f in live.records("flow") if not f["lastack"]["final"]]
    tap.ok(parts == [1, 2], "--active-timeout writes a connection every second that it speaks",
           parts)
    time.sleep(2)
    parts = [f["lastack"]["part"] for f in live.records("flow") if not f["lastack"]["final"]]
    tap.ok(parts == [1, 2, 3], "and no more when it is silent", parts)
    client.close()
    server.close()
    live.end()
    final = [f["lastack"] for f in live.records("flow") if f["lastack"]["final"]]
    tap.ok(len(final) == 1 and final[0]["part"] == 4, "the last part is final", final)
    shutil.rmtree(live.folder)

    samples = sorted(glob.glob(os.path.join(TOP, "samples", "*.pcap*")))
    runs = [subprocess.run([LASTACK, "--active-timeout", "1", "--ndjson", "--threads", threads,
                            *samples], capture_output=True, check=False).stdout
            for threads in ("1", "4")]
    parts = runs[0].count(b'"final":false')
    tap.ok(runs[0] == runs[1] and parts > 0,
           "of files, too, the same with several threads", "%d parts" % parts)


def check_reopen(tap):
    live = Live("-i", "lo", "--segments", "all")
    listener = listen()
    talk(listener)
    until(lambda: len(live.records("segment")) == 8)
    moved = live.path + ".moved"
    os.rename(live.path, moved)
    live.send(signal.SIGHUP)
    tap.ok(bool(until(lambda: os.path.exists(live.path), 3)), "SIGHUP begins the file anew")
    talk(listener)
    until(lambda: len(live.records("segment")) == 8, 3)
    tap.ok(len(live.records("segment", moved)) == 8 and len(live.records("segment")) == 8,
           "records before it are in the old file, those after it in the new one")
    status = live.end()
    tap.ok(status == 0 and len(live.records("summary")) == 1, "the summary is in the new one",
           live.said)
    shutil.rmtree(live.folder)


def check_early(tap):
    """Signals between the first socket and the last thing to be opened."""
    folder = tempfile.mkdtemp(prefix="lastack-live-")
    os.chmod(folder, 0o777)
    path = os.path.join(folder, "records.ndjson")
    env = dict(os.environ)
    if os.environ.get("LASTACK_SANITIZED"): # looking for leaks takes rights that are given up
        env["ASAN_OPTIONS"] = "detect_leaks=0"
    process = subprocess.Popen([LASTACK, "-i", "lo", "--threads", "4", "-B", "262144",
                                "--ndjson=" + path], stderr=subprocess.PIPE, env=env)
    until(lambda: packet_sockets() > 0, 5, 0.0005)
    for number in (signal.SIGUSR1, signal.SIGHUP):
        process.send_signal(number)
    answered = until(lambda: os.path.exists(path) and b"lastack.stats" in open(path, "rb").read(), 5)
    alive = process.poll() is None
    if alive:
        process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=20)[1]
    tap.ok(alive and bool(answered) and process.returncode == 0,
           "SIGUSR1 and SIGHUP while it starts are answered once it runs", process.returncode, said)
    shutil.rmtree(folder)


def whole(path):
    """The number of records in a file all of whose lines are whole; None when one is not."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    try:
        return len([json.loads(line) for line in lines[:-1]]) if lines[-1] == b"" else None
    except ValueError:
        return None


def check_rotation(tap):
    live = Live("-i", "lo", "--segments", "all", "--flows", "none", "-C", "64K",
                "-W", "3")
    listener = listen()
    for _ in range(8):
        talk(listener, 20)
        time.sleep(0.15)
    live.end()
    rotated = sorted(glob.glob(live.path + "." + ROTATED))
    tap.ok(len(rotated) == 3, "-C renames files that are full, -W keeps the newest",
           os.listdir(live.folder))
    tap.ok(all(os.path.getsize(f) <= 65536 and whole(f) for f in rotated) and whole(live.path),
           "each is complete, and none is larger", [(os.path.getsize(f), whole(f)) for f in rotated])
    numbers = [r["lastack"]["packet"] for f in [*rotated, live.path]
               for r in live.records("segment", f)]
    tap.ok(numbers and numbers == list(range(numbers[0], 1281)), "nothing is missing between them",
           "%d records" % len(numbers), numbers[:1], numbers[-1:])
    shutil.rmtree(live.folder)

    live = Live("-i", "lo", "--segments", "all", "-G", "1")
    talk(listener)
    found = until(lambda: glob.glob(live.path + "." + ROTATED), 4)
    time.sleep(1.5)
    files = glob.glob(live.path + "." + ROTATED)
    tap.ok(bool(found) and len(files) == 1 and whole(files[0]) == 8,
           "-G renames a file that is old enough, an empty one never", os.listdir(live.folder))
    live.end()
    shutil.rmtree(live.folder)


def check_killed(tap):
    live = Live("-i", "lo", "--segments", "all")
    listener = listen()
    talk(listener, 3)
    until(lambda: len(live.records("segment")) == 24)
    live.end(signal.SIGKILL)
    with open(live.path, "rb") as file:
        lines = file.read().split(b"\n")
    bad = 0
    for line in lines[:-1]:
        try:
            json.loads(line)
        except ValueError:
            bad += 1
    tap.ok(bad == 0 and len(lines) >= 25, "after kill -9 what was written is whole")
    with open(live.path, "ab") as file: # as if the last line had been cut
        file.write(lines[0][:100])
    again = Live("-i", "lo", "--segments", "all", folder=live.folder)
    talk(listener)
    until(lambda: len(open(live.path, "rb").read().split(b"\n")) >= 34, 3)
    again.end()
    with open(live.path, "rb") as file:
        lines = file.read().split(b"\n")
    broken = [i for i, line in enumerate(lines[:-1]) if not line.endswith(b"}") or
              not line.startswith(b'{"@timestamp"')]
    tap.ok(broken == [24] and len(lines) > 33 and lines[-1] == b"",
           "a new start goes on behind it, on a line of its own", broken, len(lines))
    shutil.rmtree(live.folder)


def small_disk(size="1m"):
    """A folder with little room; None where nothing can be mounted."""
    folder = tempfile.mkdtemp(prefix="lastack-full-")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", folder],
                             capture_output=True, text=True, check=False)
    if mounted.returncode == 0:
        return folder
    os.rmdir(folder)
    return None


def fill(folder, kib):
    filler = os.path.join(folder, "filler")
    with open(filler, "wb") as file:
        file.write(b"x" * (kib << 10))
    return filler


def remove_disk(folder):
    subprocess.run(["umount", folder], check=False)
    os.rmdir(folder)


def check_full_disk(tap):
    folder = small_disk()
    if folder is None:
        tap.skip("a full disk", "no file system can be mounted here")
        return
    live = Live("-i", "lo", "--segments", "all", folder=folder)
    listener = listen()
    filler = fill(folder, 990)
    talk(listener, 20)
    time.sleep(0.5)
    talk(listener, 5)
    time.sleep(0.5)
    before = len(live.records("segment"))
    os.unlink(filler)
    recovered = until(lambda: len(live.records("segment")) == 200, 5)
    tap.ok(before < 200 and bool(recovered),
           "what a full disk could not take is written once there is room", before,
           len(live.records("segment")))
    status = live.end()
    tap.ok(status == 0 and "No space left" in live.said and "nothing is left out" in live.said,
           "both are said", live.said)
    packets = [r["lastack"]["packet"] for r in live.records("segment")]
    tap.ok(packets == list(range(1, 201)) and len(live.records("summary")) == 1,
           "no record is missing, and none came twice")
    remove_disk(folder)


def check_full_and_exchanged(tap):
    """The disk is full within a line when the file is exchanged, or is not."""
    for moved in (True, False):
        folder = small_disk()
        if folder is None:
            return
        live = Live("-i", "lo", "--segments", "all", folder=folder)
        listener = listen()
        filler = fill(folder, 990)
        talk(listener, 20)
        time.sleep(0.5)
        if moved:
            os.rename(live.path, live.path + ".moved")
        live.send(signal.SIGHUP)
        time.sleep(0.3)
        os.unlink(filler)
        talk(listener, 2)
        live.end()
        files = sorted(glob.glob(live.path + "*"), reverse=True)
        packets = [r["lastack"]["packet"] for f in files if whole(live.path)
                   for r in live.records("segment", f)]
        tap.ok(packets == list(range(1, 177)),
               "SIGHUP while the disk is full, %s: every record once, on a line of its own"
               % ("another file" if moved else "the same file"), packets[-3:], live.said)
        remove_disk(folder)


def check_full_and_rotated(tap):
    folder = small_disk("2m")
    if folder is None:
        return
    live = Live("-i", "lo", "--segments", "all", "-C", "64K", folder=folder)
    listener = listen()
    filler = fill(folder, 2000)
    for _ in range(3):
        talk(listener, 20)
        time.sleep(0.3)
    os.unlink(filler)
    time.sleep(0.3)
    live.end()
    sizes = [os.path.getsize(f) for f in glob.glob(live.path + "*")]
    tap.ok("nothing is left out" in live.said and len(sizes) > 5 and max(sizes) <= 65536,
           "what waited for room is rotated, too", sizes, live.said)
    remove_disk(folder)


def check_not_renamed(tap):
    """The name is gone for a while: that is said, but not again and again."""
    live = Live("-i", "lo", "--segments", "all", "-C", "8K")
    listener = listen()
    kept = os.path.join(live.folder, "kept")
    os.mkdir(kept)
    os.rename(live.path, os.path.join(kept, "records.ndjson"))
    for _ in range(5):
        talk(listener, 20)
        time.sleep(0.25)
    os.rename(os.path.join(kept, "records.ndjson"), live.path)
    found = until(lambda: talk(listener) or glob.glob(live.path + "." + ROTATED), 4, 0.2)
    live.end()
    tap.ok(bool(found) and live.said.count("cannot rename it") == 1 and
           "is renamed again" in live.said,
           "a file that cannot be renamed is said once, and tried again", live.said[:500])
    shutil.rmtree(live.folder)


def check_clock_set_back(tap):
    """Files of a time to come are from before the clock was set back."""
    folder = tempfile.mkdtemp(prefix="lastack-live-")
    os.chmod(folder, 0o777)
    path = os.path.join(folder, "records.ndjson")
    for i in range(3):
        with open(path + ".29991231T2359%02d.000000Z" % i, "w"):
            pass
    live = Live("-i", "lo", "--segments", "all", "-C", "8K", "-W", "3", folder=folder)
    listener = listen()
    talk(listener, 4)
    time.sleep(0.5)
    live.end()
    rotated = sorted(glob.glob(path + "." + ROTATED))
    tap.ok(len(rotated) == 3 and not any(".2999" in f for f in rotated),
           "-W removes files of a time to come first", rotated, live.said)
    shutil.rmtree(folder)


def check_reader_gone(tap):
    live = Live("-i", "lo", "--json=/dev/null", "--ndjson", ndjson=False)
    live.process.stdout.close()
    listener = listen()
    talk(listener, 3)
    time.sleep(0.5)
    tap.ok(live.process.poll() is None, "a reader that goes away does not end the other outputs")
    live.process.stdout = None
    status = live.end()
    tap.ok(status == 0 and "standard output: its reader went away" in live.said, "it is said",
           live.said)
    shutil.rmtree(live.folder)


def main():
    enter()
    tap = Tap()
    check_stats(tap)
    check_active_timeout(tap)
    check_reopen(tap)
    check_early(tap)
    check_rotation(tap)
    check_killed(tap)
    check_full_disk(tap)
    check_full_and_exchanged(tap)
    check_full_and_rotated(tap)
    check_not_renamed(tap)
    check_clock_set_back(tap)
    check_reader_gone(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
