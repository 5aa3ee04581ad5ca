"""Segments that another host sends in the client's name: they appear on the server's wire only."""
from frames import ACK, RST, SYN, every, from_client, from_server, pure_ack
from lab import PORT, SERVICE
from scenario import scenario
from textbook import frame_of
from wires import MACS


def forge(lab, flags, ahead):
    """A segment so far ahead of what the client has sent; it passes the tap of the server alone."""
    last = [s for s in lab.relay.passed if from_client(s)][-1]
    number = (last.seq + last.length + ahead) % (1 << 32)
    acknowledged = last.ack if flags & ACK else 0
    lab.relay.inject("client", frame_of(
        (lab.client.address, lab.server.address), (PORT, SERVICE), (number, acknowledged), flags,
        macs=(MACS["client"], MACS["server"])))


def go_on_and_close(lab, client, server):
    lab.wait(0.05)
    lab.talk(client, server)
    lab.close_in_order(client, server)
    lab.wait(0.1)


@scenario(at_server="rst_ignored", unseen=[
    ("server", "client", "ESTABLISHED", "CLOSED", "who sent the reset shows when the client goes on")])
def forged_reset_outside_the_window(lab):
    """A reset with a number far from the window: dropped without a word."""
    client, server = lab.connect()
    lab.talk(client, server)
    forge(lab, RST, 0x40000000)
    go_on_and_close(lab, client, server)


@scenario(at_server="rst_ignored", unseen=[
    ("server", "client", "ESTABLISHED", "CLOSED", "who sent the reset shows when the client goes on")])
def forged_reset_inside_the_window(lab):
    """A reset inside of the window, but not exact: a challenge ACK, which the client does not mind."""
    client, server = lab.connect()
    lab.talk(client, server)
    answered = sum(1 for s in lab.relay.passed if from_server(s) and pure_ack(s))
    forge(lab, RST, 100)
    lab.until_passed(every(from_server, pure_ack), answered + 1)
    go_on_and_close(lab, client, server)


@scenario(at_server="incarnation_collision")
def forged_syn_into_established(lab):
    """A SYN in a connection that lives: a challenge ACK, and both go on."""
    client, server = lab.connect()
    lab.talk(client, server)
    forge(lab, SYN, 0x20000000)
    go_on_and_close(lab, client, server)
