"""Segments of an earlier connection that come when the ports are in use again."""
from frames import data, every, from_client, from_server, rst
from host import abort, next_number, read
from scenario import Unlucky, scenario

PLAIN = {"tcp_timestamps": 0}
COOKIES = {"tcp_timestamps": 0, "tcp_syncookies": 2}
NO_STATE = ("both", "server", "CLOSED", "SYN_RCVD", "a cookie keeps no state")
ISN = 0x10000000


def leave_old_segment(lab, isn=None, octets=512):
    """A connection that was reset, and a copy of a segment that is still under way."""
    return begin_old(lab, isn, octets)[0]


def begin_old(lab, isn, octets=512):
    """The same, and with it the number that the server's stream began with."""
    client, server = lab.connect(isn=isn)
    began = next_number(server)
    lab.talk(client, server)
    old = lab.relay.copy(every(from_client, data))
    client.sendall(b"old " * (octets // 4))
    assert len(read(server, octets)) == octets
    abort(client)
    lab.until("server", "CLOSED")
    lab.wait(0.1)
    return old, began


def leave_by_cookies(lab, ahead):
    """The same, and both ends of the next connection, whose ISNs are so far ahead of the old ones:
    a cookie follows the client's, but within one minute of the server's clock only."""
    old, began = begin_old(lab, ISN)
    client, server = lab.connect(isn=ISN + ahead)
    if next_number(server) != (began + ahead) & 0xFFFFFFFF:
        raise Unlucky("a minute of the cookies ended between the two connections")
    return old, client, server


@scenario(events="close_abortive_app incarnation_collision", at_server="stray_old_segment", sysctls=PLAIN)
def old_segment_outside_the_window(lab):
    """Its number is far from the window of the new connection: only acknowledged."""
    old = leave_old_segment(lab)
    client, server = lab.connect()
    lab.talk(client, server)
    lab.relay.release(old)
    lab.wait(0.2)
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(events="close_abortive_app incarnation_collision", at_server="stray_old_segment")
def old_segment_with_an_older_timestamp(lab):
    """Its number is in the window, but its timestamp is older: PAWS."""
    old = leave_old_segment(lab, ISN)
    client, server = lab.connect(isn=ISN - 200)
    lab.talk(client, server)
    lab.relay.release(old)
    lab.wait(0.2)
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(events="close_abortive_app incarnation_collision", at_server="stray_old_segment", sysctls=PLAIN)
def old_segment_with_an_unacceptable_ack(lab):
    """Its number is in the window, what it acknowledges is not: challenged, not taken."""
    old = leave_old_segment(lab, ISN)
    client, server = lab.connect(isn=ISN - 200)
    lab.talk(client, server)
    lab.relay.release(old)
    lab.wait(0.2)
    lab.close_in_order(client, server)
    lab.wait(0.2)


@scenario(events="close_abortive_app incarnation_collision", at_server="stray_accepted_hazard",
          client_sysctls=PLAIN, server_sysctls=COOKIES, unseen=[NO_STATE])
def old_segment_accepted(lab):
    """Both ISNs are little above the old ones (cookies follow the client's): taken as new data."""
    old, client, server = leave_by_cookies(lab, 2)
    lab.talk(client, server, b"again", b"answer" * 2)
    lab.relay.release(old)
    assert read(server, 512) == b"old " * 128
    lab.wait(0.2)
    abort(server)  # the client's reset would be below the server's window now
    lab.until("client", "CLOSED")
    lab.wait(0.2)


@scenario(events="close_abortive_app incarnation_collision", at_server="stray_accepted_hazard",
          client_sysctls=PLAIN, server_sysctls=COOKIES, unseen=[NO_STATE])
def old_segment_kept_for_later(lab):
    """The same six octets ahead of the stream: it waits in the queue until they are there."""
    old, client, server = leave_by_cookies(lab, -3)
    lab.talk(client, server, b"new ", b"answer" * 2)
    lab.relay.release(old)
    lab.wait(0.1)
    client.sendall(b"octets")
    assert read(server, 518) == b"octets" + b"old " * 128
    lab.wait(0.2)
    abort(server)
    lab.until("client", "CLOSED")
    lab.wait(0.2)


@scenario(sysctls=PLAIN, at_client="tw_assassination")
def time_wait_assassinated(lab):
    """An old segment meets TIME_WAIT, which answers; the answer draws the reset that ends it."""
    client, server = lab.connect()
    lab.talk(client, server)
    copy = lab.relay.double(every(from_server, data), 0.6)
    server.sendall(b"comes twice")
    assert client.recv(100) == b"comes twice"
    lab.until_taken(copy)
    lab.close_in_order(client, server)
    lab.until("client", "CLOSED")
    lab.wait(0.2)


@scenario(sysctls={**PLAIN, "tcp_rfc1337": 1}, at_client="tw_assassination",
          unseen=[("both", "client", "TIME_WAIT", "CLOSED", "the packets are the same")])
def time_wait_survives_by_rfc1337(lab):
    """The same with tcp_rfc1337: the reset does nothing, and the packets are the same."""
    client, server = lab.connect()
    lab.talk(client, server)
    copy = lab.relay.double(every(from_server, data), 0.6)
    server.sendall(b"comes twice")
    assert client.recv(100) == b"comes twice"
    lab.until_taken(copy)
    lab.close_in_order(client, server)
    lab.until_passed(every(from_server, rst))
