#!/usr/bin/env python3
"""lastack top: the live view on a terminal: what it shows, its keys, and how it leaves."""
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from livelab import LASTACK, enter, listen, packet_sockets, talk, until
from tap import Tap
from terminal import PROMPT, Terminal, is_there

TOP = os.environ.get("TOP_SRCDIR", ".")
SAMPLE = os.path.join(TOP, "samples", "syn-reset-in-last-ack.pcap")


def begin(terminal, arguments="-i lo"):
    """Starts the view; its process id."""
    terminal.type("clear; %s top %s; echo st''atus $?" % (LASTACK, arguments))
    terminal.wait_for(r"^lastack top: .* - overview")
    found = until(lambda: subprocess.run(
        ["pgrep", "-f", "^%s top %s" % (LASTACK, arguments.split(" ")[0])], capture_output=True,
        text=True, check=False).stdout.split(), 3)
    return int(found[-1]) if found else None


def fits(terminal):
    lines = terminal.lines()
    return all(len(line) <= terminal.columns for line in lines) and \
        lines[0].startswith("lastack top: ") and "quit" in lines[terminal.rows - 1]


def check_views(tap, terminal):
    """Five connections, one that stays open, one that is aborted."""
    before = packet_sockets()
    begin(terminal)
    until(lambda: packet_sockets() > before)
    time.sleep(0.3)
    listener = listen()
    talk(listener, 5)
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    began = time.monotonic()
    shown = terminal.wait_for(r"^TIME_WAIT +5 .*\n(?:.*\n)*?UNKNOWN") and \
        terminal.wait_for(r"^ESTABLISHED +1 .* 1 ")
    tap.ok(shown and time.monotonic() - began < 2.5, "connections stand there by state, at once",
           *terminal.lines())
    tap.ok(fits(terminal), "the page fits the terminal", *terminal.lines())
    tap.ok(terminal.has(r"^127\.0\.0\.1 +client +5 +5 +0 +0 +6"),
           "and the stocks of TIME_WAIT by host", *terminal.lines())
    server.close()
    tap.ok(terminal.wait_for(r"^127\.0\.0\.1 +client +5 +5 +1 +1 +6"), "and those of CLOSE_WAIT",
           *terminal.lines())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    terminal.press("2")
    port = client_ports(listener)
    tap.ok(terminal.wait_for(r"^127\.0\.0\.1:\d+ > 127\.0\.0\.1:%d +CLOSED +CLOSED" % port) and
           terminal.has(r"TIME_WAIT +CLOSED"), "2 lists connections with both states",
           *terminal.lines())
    terminal.press("Down", "Enter")
    tap.ok(terminal.wait_for(r" - ladder") and terminal.wait_for(r"SYN_SENT .*SYN seq 0.* CLOSED")
           and terminal.wait_for(r"TIME_WAIT .*FIN ACK.*LAST_ACK"),
           "Enter draws the selected one as a ladder", *terminal.lines())
    terminal.press("Escape")
    tap.ok(terminal.wait_for(r" - connections"), "Esc leads back")
    terminal.press("3")
    tap.ok(terminal.wait_for(r" - hosts") and terminal.has(r"127\.0\.0\.1:%d +server" % port),
           "3 shows hosts and services", *terminal.lines())
    terminal.press("Tab")
    tap.ok(terminal.wait_for(r" - events"), "Tab goes on to events")
    return port


def client_ports(listener):
    return listener.getsockname()[1]


def check_events(tap, terminal):
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    for _ in range(3):
        try:
            socket.create_connection(probe.getsockname())
        except ConnectionRefusedError:
            pass
    port = probe.getsockname()[1]
    tap.ok(terminal.wait_for(r"^\d\d:\d\d:\d\d \w+ +syn_refused\w* .*> 127\.0\.0\.1:%d" % port),
           "an event stands there with its connection", *terminal.lines())
    terminal.press("Home", "Enter")
    tap.ok(terminal.wait_for(r"SYN_SENT .*SYN seq 0") and terminal.has(r"RST"),
           "Enter draws the ladder of its connection", *terminal.lines())
    terminal.press("BSpace", "1")


def check_long(tap, terminal):
    """More segments than are kept: the first ones and the latest are."""
    listener = listen()
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    for number in range(100):
        for one, other in ((client, server), (server, client)):
            one.sendall(b"x" * (number + 1))
            other.recv(200)
    client.close()
    server.close()
    terminal.press("2")
    port = listener.getsockname()[1]
    terminal.wait_for(r"127\.0\.0\.1:%d +TIME_WAIT +CLOSED" % port)
    terminal.press("Home", "Enter")
    tap.ok(terminal.wait_for(r"^\d+ segments behind the first 16 are not kept") and
           terminal.has(r"SYN_SENT .*SYN seq 0"), "of a long connection the first segments are kept",
           *terminal.lines())
    terminal.press("End")
    tap.ok(terminal.wait_for(r"FIN ACK seq 5051") and terminal.has(r"ACK seq 5052") and
           terminal.has(r"ACK seq \d+ ack 5052"), "and the latest", *terminal.lines())
    listener.close()
    terminal.press("Escape", "1")


def check_sizes(tap, terminal):
    for columns, rows in ((200, 50), (80, 24), (44, 12), (10, 3), (132, 40), (80, 24)):
        terminal.resize(columns, rows)
        if columns >= 80:
            found = until(lambda: fits(terminal) and terminal.has(r"^TIME_WAIT +6 "), 5)
            tap.ok(bool(found), "at %dx%d the page has the terminal's size" % (columns, rows),
                   *terminal.lines())
        time.sleep(0.3)
        terminal.press("Down", "PageDown", "2", "End", "1")
    tap.ok(bool(until(lambda: fits(terminal), 5)), "and it outlives a terminal of 10x3",
           *terminal.lines())


def check_leaving(tap, terminal, clean):
    def leave(what, way, status=0):
        process = begin(terminal)
        way(process)
        gone = terminal.wait_for(r"^status %d$" % status) and until(lambda: not os.path.exists(
            "/proc/%d" % process), 5)
        lines = terminal.lines()
        state = terminal.state()
        tap.ok(bool(gone) and state == clean, "%s leaves the terminal as it was" % what, state,
               clean, *lines)
    leave("q", lambda process: terminal.press("q"))
    leave("Ctrl-C", lambda process: terminal.press("C-c"))
    leave("SIGTERM", lambda process: os.kill(process, signal.SIGTERM))
    leave("SIGHUP", lambda process: os.kill(process, signal.SIGHUP))

    def twice(process):
        os.kill(process, signal.SIGINT)
        os.kill(process, signal.SIGTERM)
    leave("a second signal", twice, 128 + signal.SIGTERM)
    begin(terminal)
    terminal.press("C-z")
    tap.ok(terminal.wait_for(r" - overview") and not terminal.wait_for("^" + PROMPT, 0.5),
           "Ctrl-Z does not leave it half way")
    terminal.press("q")
    terminal.wait_for("^" + PROMPT)


def check_files(tap, terminal, clean, folder):
    """Of a file whose name would set the terminal's title."""
    evil = os.path.join(folder, "a\x1b]2;evil\x07\x9b31m\r.pcap")
    shutil.copy(SAMPLE, evil)
    ndjson = os.path.join(folder, "records")
    terminal.type("clear; %s top --threads 1 --ndjson=%s %s/a*" % (LASTACK, ndjson, folder))
    tap.ok(terminal.wait_for(r" - overview \(the capture has ended\)"),
           "a file is shown until q", *terminal.lines())
    terminal.press("4")
    tap.ok(terminal.wait_for(r"error +syn_in_last_ack_rst"), "with its events", *terminal.lines())
    terminal.press("q")
    terminal.wait_for("^" + PROMPT)
    state = terminal.state()
    tap.ok(state == clean, "its name reached the terminal as text only", state, clean)
    alone = subprocess.run([LASTACK, "--ndjson", "--threads", "1", evil], capture_output=True,
                           check=False).stdout
    with open(ndjson, "rb") as file:
        seen = file.read()
    tap.ok(seen == alone and len(seen) > 0, "the other outputs are what they are without a view")
    terminal.type("clear; cat %s | %s top -" % (SAMPLE, LASTACK))
    terminal.wait_for(r"lastack top: - .*has ended")
    terminal.press("4")
    tap.ok(terminal.wait_for(r"syn_in_last_ack_rst"), "with packets from a pipe, keys come from "
           "the terminal", *terminal.lines())
    terminal.press("Enter")
    tap.ok(terminal.wait_for(r" - ladder") and terminal.wait_for(r"CLOSED") and
           terminal.wait_for(r"LAST_ACK"),
           "and the ladder says what happened", *terminal.lines())
    terminal.press("q")
    terminal.wait_for("^" + PROMPT)


def check_plain(tap):
    """A terminal of another size, whose locale knows no more than ASCII."""
    terminal = Terminal(200, 50, locale="C")
    terminal.type("%s top %s" % (LASTACK, SAMPLE))
    terminal.wait_for(r"the capture has ended")
    terminal.press("Enter")
    tap.ok(terminal.wait_for(r"\|-+ SYN seq 0 -+>\|") and fits(terminal) and
           max(map(len, terminal.lines())) > 150, "ASCII where the locale knows no more, 200x50",
           *terminal.lines())
    terminal.close()


def check_terminals(tap, terminal, clean):
    for name in ("dumb", "none-of-this-name"):
        lines = terminal.run("TERM=%s %s top %s" % (name, LASTACK, SAMPLE))
        tap.ok("done 2" in lines and "type: TERM=xterm" in lines.replace("\n", "") and
               terminal.state() == clean, "the terminal \"%s\" is refused" % name, lines)


def check_refusals(tap):
    result = subprocess.run([LASTACK, "top", SAMPLE], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, check=False, start_new_session=True)
    tap.ok(result.returncode == 2 and "terminal" in result.stderr and
           len(result.stderr.splitlines()) == 1, "without a terminal it says so", result.stderr)


def main():
    version = subprocess.run([LASTACK, "--version"], capture_output=True, text=True,
                             check=False).stdout
    if "draws with nothing" in version:
        print("1..0 # SKIP built without ncurses")
        return 0
    if not is_there():
        print("1..0 # SKIP no tmux here")
        return 0
    enter()
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-top-")
    terminal = Terminal(80, 24)
    try:
        clean = terminal.state()
        check_views(tap, terminal)
        check_events(tap, terminal)
        check_long(tap, terminal)
        check_sizes(tap, terminal)
        terminal.press("q")
        terminal.wait_for("^" + PROMPT)
        check_leaving(tap, terminal, clean)
        check_files(tap, terminal, clean, folder)
        check_terminals(tap, terminal, clean)
        check_plain(tap)
        check_refusals(tap)
    finally:
        terminal.close()
        shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
