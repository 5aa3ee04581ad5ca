"""moves: every change of a socket's state, from the kernel's tracepoint inet_sock_set_state.

Where tracing is allowed it tells the states that last too short for a sample, as FIN_WAIT_2 does
when the peer closes at once.  A socket that becomes a small one (TIME_WAIT, an orphan in FIN_WAIT_2)
shows there as closed, so what a move to TCP_CLOSE means is left to the samples.
"""
import collections
import os
import re
import subprocess
import time

TRACING = "/sys/kernel/tracing"
VARIABLE = "LASTACK_LAB_TRACE"
KILOBYTES = 2048  # for each processor; a move takes about a hundred octets

STATES = {"TCP_SYN_SENT": "SYN_SENT", "TCP_SYN_RECV": "SYN_RCVD", "TCP_ESTABLISHED": "ESTABLISHED",
          "TCP_FIN_WAIT1": "FIN_WAIT_1", "TCP_FIN_WAIT2": "FIN_WAIT_2",
          "TCP_CLOSE_WAIT": "CLOSE_WAIT", "TCP_LAST_ACK": "LAST_ACK", "TCP_CLOSING": "CLOSING"}
LINE = re.compile(r" (\d+)\.(\d{6}): inet_sock_set_state: family=(\S+) .*sport=(\d+) dport=(\d+) "
                  r"saddr=(\S+) daddr=(\S+) saddrv6=(\S+) daddrv6=(\S+) .*newstate=(\S+)")

Move = collections.namedtuple("Move", "connection t end state")


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def begin():
    """Traces into buffers of its own from here on; why not, or None."""
    folder = os.path.join(TRACING, "instances", "lastack-lab-%d" % os.getpid())
    try:
        if not os.path.isdir(os.path.join(TRACING, "instances")):  # in this mount namespace only
            subprocess.run(["mount", "-t", "tracefs", "nodev", TRACING], check=True,
                           capture_output=True)
        os.mkdir(folder)
        os.environ[VARIABLE] = folder
        write(os.path.join(folder, "trace_clock"), "mono")
        write(os.path.join(folder, "buffer_size_kb"), KILOBYTES)
        write(os.path.join(folder, "events/sock/inet_sock_set_state/enable"), 1)
    except (OSError, subprocess.CalledProcessError) as error:
        end()
        return str(error)
    return None


def end():
    folder = os.environ.pop(VARIABLE, None)
    if folder and os.path.isdir(folder):
        os.rmdir(folder)


def read(connections):
    """The moves of those connections, in order; empty where nothing is traced."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return []
    since = time.time_ns() - time.monotonic_ns()
    ends = {}
    for number, (client, server) in enumerate(connections):
        ends[client, server] = number, "client"
        ends[server, client] = number, "server"
    found = []
    with open(os.path.join(folder, "trace"), encoding="ascii", errors="replace") as lines:
        for match in filter(None, map(LINE.search, lines)):
            seconds, micros, family, sport, dport, *addresses, state = match.groups()
            own, other = addresses[2:] if family == "AF_INET6" else addresses[:2]
            place = ends.get(((own, int(sport)), (other, int(dport))))
            if place and state in STATES:
                t = since + int(seconds) * 10**9 + int(micros) * 1000
                found.append(Move(place[0], t, place[1], STATES[state]))
    return sorted(found, key=lambda move: move.t)
