#!/usr/bin/env python3
"""/healthz says when the analysis stands still, and when an output cannot be written; and when all is well again."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from livelab import LASTACK, Live, enter, listen, talk, until
from metrics import get, port_of
from tap import Tap


def health(port):
    answer, text = get(port, "/healthz")
    return answer.status, text


def becomes(port, status, word, seconds=15):
    return until(lambda: (lambda found: found[0] == status and word in found[1] and found)(
        health(port)), seconds, 0.1)


def check_still(tap):
    """Its records go into a pipe whose reader takes nothing for a while."""
    live = Live("-i", "lo", "-f", "tcp port 5555", "--ndjson", "--segments", "all", "--transitions",
                "-U", "--metrics-listen", "0", "--set", "health_wait=1s", "--msl", "1", ndjson=False)
    port = port_of(live)
    tap.ok(health(port) == (200, "ok\n"), "all is well at the start", health(port))
    listener = listen_at(5555)
    talk(listener, 30)
    found = becomes(port, 503, "stands still")
    tap.ok(found, "an analysis that stands still is not well", health(port))
    taken = []
    reader = threading.Thread(target=lambda: taken.append(live.process.stdout.read()))
    reader.start()
    tap.ok(becomes(port, 200, "ok"), "and is again once it goes on", health(port))
    live.send(signal.SIGINT)
    reader.join(timeout=20)
    tap.ok(live.process.wait(timeout=20) == 0 and taken[0].count(b"lastack.segment") >= 30 * 7,
           "with every record", taken[0].count(b"lastack.segment") if taken else None)
    live.end()


def listen_at(port):
    return socket.create_server(("127.0.0.1", port))


def check_full(tap):
    """The disk that its records go to is full, and has room again."""
    folder = tempfile.mkdtemp(prefix="lastack-live-")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs", folder],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tap.skip("a full disk", done.stderr.strip())
        return
    ballast = os.path.join(folder, "ballast")
    live = Live("-i", "lo", "-f", "tcp port 5556", "--transitions", "--metrics-listen", "0", "--msl", "1",
                folder=folder)
    port = port_of(live)
    listener = listen_at(5556)
    talk(listener, 2)
    tap.ok(becomes(port, 200, "ok"), "a disk with room")
    with open(ballast, "wb") as file:
        try:
            file.write(b"x" * 4 * 1024 * 1024)
        except OSError:
            pass
    talk(listener, 20)
    found = becomes(port, 503, "cannot be written")
    tap.ok(found, "a full disk is not well", health(port))
    answer, text = get(port, "/metrics")
    tap.ok(answer.status == 200 and "lastack_packets_total" in text, "the metrics go on")
    os.unlink(ballast)
    tap.ok(becomes(port, 200, "ok"), "with room again it is", health(port))
    code = live.end()
    tap.ok(code == 0, "and nothing was lost", code, live.said)
    subprocess.run(["umount", folder], check=False)
    os.rmdir(folder)


def check_gone(tap):
    """The reader of one of its outputs goes away."""
    live = Live("-i", "lo", "-f", "tcp port 5557", "--ndjson=-", "--metrics-listen", "0", "--transitions",
                ndjson=False)
    port = port_of(live)
    tap.ok(health(port)[0] == 200, "a reader that is there")
    live.process.stdout.close()
    live.process.stdout = None
    talk(listen_at(5557), 3)
    found = becomes(port, 503, "cannot be written")
    tap.ok(found, "a reader that went away", health(port))
    live.end()
    tap.ok("its reader went away" in live.said, "and lastack said which", live.said)
    shutil.rmtree(live.folder)


def main():
    enter()
    tap = Tap()
    version = subprocess.run([LASTACK, "--version"], capture_output=True, text=True, check=True)
    if "answers with libmicrohttpd" not in version.stdout:
        tap.skip("health over HTTP", "built without libmicrohttpd")
        return tap.end()
    check_still(tap)
    check_full(tap)
    check_gone(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
