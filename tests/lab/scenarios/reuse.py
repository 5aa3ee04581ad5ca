"""The same ports again: a SYN meets what is left of the connection before."""
import struct

from frames import every, from_client, pure_ack, syn
from host import abort, forget
from lab import PORT, SERVICE
from scenario import scenario
from textbook import Textbook

FOREVER = 1 << 30
REUSE = {"tcp_tw_reuse": 1, "tcp_tw_reuse_delay": 200}
PLAIN = {"tcp_timestamps": 0}
DESTROYED = "TIME_WAIT was destroyed by hand"


def leave_last_ack(lab):
    """A server in LAST_ACK and a client in TIME_WAIT: the last ACK does not arrive."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lab.wait(0.1)
    lost = lab.relay.drop(every(from_client, pure_ack), FOREVER)
    server.close()
    lab.until_taken(lost)
    lab.until("server", "LAST_ACK")
    return lost


def leave_time_wait(lab, first="server"):
    """Closed in order, with TIME_WAIT at the end that closed first."""
    client, server = lab.connect()
    lab.talk(client, server)
    ends = {"client": client, "server": server}
    other = "client" if first == "server" else "server"
    ends[first].close()
    lab.until(other, "CLOSE_WAIT")
    ends[other].close()
    lab.until(first, "TIME_WAIT")
    lab.until(other, "CLOSED")
    lab.wait(0.1)


def last_seq(lab, end):
    """The next sequence number of that end, from what passed."""
    last = [s for s in lab.relay.passed if s.sender == end and not s.flags & 4][-1]
    return (last.seq + last.length + bool(last.flags & 3)) % (1 << 32)


def again(lab, isn=None):
    """The same ports once more, until both are ESTABLISHED; then closed in order."""
    client = lab.begin_connect(isn=isn)
    lab.until("client", "ESTABLISHED")
    server = lab.keep(lab.listen().accept()[0])
    lab.talk(client, server)
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(events="incarnation_collision syn_in_last_ack_challenged", client_sysctls=REUSE,
          at_client="final_ack_lost", at_server="final_ack_missing")
def syn_in_last_ack(lab):
    """tcp_tw_reuse: the client comes back while the server is in LAST_ACK, which challenges it."""
    lost = leave_last_ack(lab)
    lab.wait(1.2)
    lab.relay.forget(lost)
    again(lab)


@scenario(events="incarnation_collision syn_in_last_ack_challenged", sysctls=PLAIN,
          at_client="final_ack_lost", at_server="final_ack_missing",
          unseen=[("both", "client", "CLOSED", "TIME_WAIT", DESTROYED)])
def syn_in_last_ack_without_timestamps(lab):
    """The client has lost its TIME_WAIT, and the server is in LAST_ACK; no timestamps."""
    lost = leave_last_ack(lab)
    lab.wait(0.3)
    lab.client.kernel.destroy(*lab.connections[0])
    lab.relay.forget(lost)
    again(lab)


@scenario(events="incarnation_collision syn_in_established_challenged", unseen=[
    ("both", "client", "CLOSED", "ESTABLISHED", "the client's host forgot the connection")])
def syn_in_established(lab):
    """The client has forgotten the connection and comes back; the server has not."""
    client, server = lab.connect()
    lab.talk(client, server)
    forget(client)
    again(lab)


@scenario(events="incarnation_collision syn_in_established_challenged", unseen=[
    ("both", "client", "CLOSED", "FIN_WAIT_2", "the client's host forgot the connection")])
def syn_in_close_wait(lab):
    """The client has closed, forgotten, and comes back; the server is in CLOSE_WAIT."""
    client, server = lab.connect()
    lab.talk(client, server)
    client.shutdown(1)
    lab.until("client", "FIN_WAIT_2")
    forget(client)
    again(lab)


@scenario(events="incarnation_collision tw_reopen_accepted")
def time_wait_reopened_by_timestamps(lab):
    """The server is in TIME_WAIT; a SYN with a newer timestamp opens the connection anew."""
    leave_time_wait(lab)
    again(lab)


@scenario(events="incarnation_collision tw_reopen_accepted", sysctls=PLAIN)
def time_wait_reopened_by_sequence(lab):
    """The same without timestamps: the SYN is above what the server had received."""
    leave_time_wait(lab)
    again(lab, isn=(last_seq(lab, "client") + 100000) % (1 << 32))


@scenario(events="incarnation_collision tw_reopen_refused_ack", sysctls=PLAIN)
def time_wait_refuses_a_lower_sequence(lab):
    """No timestamps, and the SYN is below: an ACK of the old connection, a reset, and again."""
    leave_time_wait(lab)
    again(lab, isn=(last_seq(lab, "client") - 100000) % (1 << 32))


def find_older_clock(lab):
    """Two settings of tcp_timestamps, with an offset and without: which has the older clock?"""
    clocks = [timestamps_of(lab, mode) for mode in (1, 2)]
    lab.modes = (1, 2) if (clocks[1] - clocks[0]) % (1 << 32) < 1 << 31 else (2, 1)


def timestamps_of(lab, mode):
    """The TSval of the client's SYN in that mode; nobody gets the SYN."""
    lab.client.sysctls({"tcp_timestamps": mode})
    probe = lab.relay.hold(syn)
    sock = lab.client.socket(PORT)
    sock.setblocking(False)
    sock.connect_ex((lab.server.address, SERVICE))
    lab.until_taken(probe)
    sock.close()
    return struct.unpack_from("!I", probe.held[0].frame, 14 + 20 + 20 + 8)[0]  # after MSS and SACK


@scenario(events="incarnation_collision tw_reopen_refused_ack", prepare=find_older_clock)
def time_wait_refuses_an_older_timestamp(lab):
    """The SYN's timestamp is older than what the server has seen (PAWS), as behind a NAT."""
    older, newer = lab.modes
    lab.client.sysctls({"tcp_timestamps": newer})
    leave_time_wait(lab)
    lab.client.sysctls({"tcp_timestamps": older})
    again(lab)


@scenario(events="incarnation_collision challenge_loop", slow=3,
          sysctls={**PLAIN, "tcp_rfc1337": 1},
          unseen=[("both", "server", "TIME_WAIT", "CLOSED", "the reset is ignored in silence")])
def time_wait_refuses_for_good(lab):
    """tcp_rfc1337: the reset does not end TIME_WAIT, and the SYN is refused again and again."""
    leave_time_wait(lab)
    lab.begin_connect(isn=(last_seq(lab, "client") - 100000) % (1 << 32))
    lab.until_passed(every(from_client, syn), 4)
    lab.wait(0.05)


@scenario(events="incarnation_collision tw_reuse_client", client_sysctls=REUSE)
def client_reuses_its_time_wait(lab):
    """tcp_tw_reuse: the client leaves its TIME_WAIT for a new connection; the server is done."""
    leave_time_wait(lab, "client")
    lab.wait(1.1)
    again(lab)


@scenario(events="incarnation_collision tw_reopen_accepted")
def roles_are_swapped(lab):
    """The old server connects from its port to the client's, which is in TIME_WAIT."""
    leave_time_wait(lab, "client")
    lab.listeners.pop(SERVICE).close()
    listener = lab.keep(lab.client.listen(PORT))
    caller = lab.keep(lab.server.socket(SERVICE))
    caller.connect((lab.client.address, PORT))
    answerer = lab.keep(listener.accept()[0])
    answerer.settimeout(5)
    lab.talk(caller, answerer)
    caller.close()
    lab.until("client", "CLOSE_WAIT")
    answerer.close()
    lab.until("server", "TIME_WAIT")
    lab.until("client", "CLOSED")
    lab.wait(0.2)


def leave_orphan_in_fin_wait_2(lab):
    """The server has closed for good, the client forgotten."""
    client, server = lab.connect()
    lab.talk(client, server)
    server.close()
    lab.until("server", "FIN_WAIT_2")
    lab.wait(0.1)
    forget(client)
    return last_seq(lab, "client")


@scenario(events="incarnation_collision syn_in_established_challenged", sysctls=PLAIN, unseen=[
    ("both", "client", "CLOSED", "CLOSE_WAIT", "the client's host forgot the connection")])
def syn_out_of_window_in_orphaned_fin_wait_2(lab):
    """An orphaned FIN_WAIT_2 meets a SYN outside of its window: a challenge."""
    number = leave_orphan_in_fin_wait_2(lab)
    again(lab, isn=(number + 0x40000000) % (1 << 32))


@scenario(events="incarnation_collision syn_in_synchronized_rst", sysctls=PLAIN, unseen=[
    ("both", "client", "CLOSED", "CLOSE_WAIT", "the client's host forgot the connection")])
def syn_in_window_of_orphaned_fin_wait_2(lab):
    """An orphaned FIN_WAIT_2 meets a SYN inside of its window: a reset."""
    number = leave_orphan_in_fin_wait_2(lab)
    lab.begin_connect(isn=(number + 100) % (1 << 32))
    lab.until("client", "CLOSED")
    lab.until("server", "CLOSED")
    lab.wait(0.2)


@scenario(events="close_abortive_app incarnation_collision", sysctls=PLAIN)
def reuse_after_a_reset(lab):
    """The connection before was reset: ordinary reuse of its ports."""
    client, server = lab.connect()
    lab.talk(client, server)
    abort(client)
    lab.until("server", "CLOSED")
    again(lab)


@scenario(events="incarnation_collision syn_in_last_ack_rst", at_client="final_ack_lost",
          unseen=[("both", "client", "CLOSED", "TIME_WAIT", DESTROYED),
                  ("client", "server", "LAST_ACK", "CLOSED",
                   "the last ACK was lost beyond, the reset bears none of the old numbers")])
def textbook_resets_a_syn_in_last_ack(lab):
    """A user-space stack in LAST_ACK answers the SYN of a new connection with a reset."""
    stack = Textbook(lab, SERVICE)
    client = lab.begin_connect(server=stack.address)
    lab.until("server", "ESTABLISHED")
    client.sendall(b"request")
    lab.wait(0.05)
    stack.say(b"answer")
    assert client.recv(100) == b"answer"
    lab.wait(0.05)
    client.close()
    lab.until("server", "CLOSE_WAIT")
    lost = lab.relay.drop(every(from_client, pure_ack), FOREVER)
    stack.close()
    lab.until("client", "TIME_WAIT")
    lab.until_taken(lost, 3)
    lab.wait(0.1)
    lab.client.kernel.destroy(*lab.connections[0])
    lab.begin_connect(server=stack.address)
    lab.until("server", "CLOSED")
    lab.until("client", "CLOSED")
    lab.wait(0.2)
    stack.stop()
