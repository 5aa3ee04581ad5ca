#!/usr/bin/env python3
"""Tunnels and VLANs that the running kernel makes, captured on the wire below them, are read as what
they carry.

Two network namespaces that this test makes and removes, joined by a pair of veth devices; tcpdump
captures there while one TCP connection runs through the device under test.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
NAMES = ("lastack-a%d" % os.getpid(), "lastack-b%d" % os.getpid())
OUTER = ("10.98.0.1", "10.98.0.2")
OUTER6 = ("fd98::1", "fd98::2")
INNER = ("10.99.0.1", "10.99.0.2")
PORT = 7777

# Device, how it is made at each end ({0} here, {1} there), what context says of it.
DEVICES = (
    ("vxlan", "type vxlan id 42 dstport 4789 local {0} remote {1}", "vxlan:42", []),
    ("vxlan over IPv6", "type vxlan id 43 dstport 4789 local {2} remote {3}", "vxlan:43", []),
    ("vxlan, fragmented", "mtu 3000 type vxlan id 44 dstport 4789 local {0} remote {1}", "vxlan:44",
     []),  # its packets do not fit the wire below
    ("geneve", "type geneve id 42 remote {1}", "geneve:42", []),
    ("gre", "type gre local {0} remote {1} key 7", "gre:7", []),
    ("gretap", "type gretap local {0} remote {1}", "gre", []),
    ("erspan", "type erspan local {0} remote {1} seq key 30 erspan_ver 1 erspan 123", "erspan:30", []),
    ("ipip", "type ipip local {0} remote {1}", "ipip", []),
    ("ip6tnl", "type ip6tnl mode any local {2} remote {3}", "ipip", []),
    ("vlan", "link wire type vlan id 100", None, [100]),
    ("802.1ad", "link wire type vlan proto 802.1ad id 200", None, [200]),
)

OCTETS = 60000  # that the client sends

TALK = """
import socket, sys, threading
role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
if role == "server":
    listener = socket.create_server((address, port))
    print("ready", flush=True)
    peer, _ = listener.accept()
    while peer.recv(4096):
        pass
    peer.close()
else:
    peer = socket.create_connection((address, port), timeout=5)
    peer.sendall(b"x" * int(sys.argv[4]))
    peer.shutdown(socket.SHUT_WR)
    peer.recv(1)
    peer.close()
"""


def ip(*words, check=True):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=check)


def make_wire():
    for name in NAMES:
        ip("netns", "add", name)
    ip("link", "add", "wire", "netns", NAMES[0], "type", "veth", "peer", "name", "wire", "netns",
       NAMES[1])
    for i, name in enumerate(NAMES):
        ip("-n", name, "address", "add", OUTER[i] + "/24", "dev", "wire")
        ip("-n", name, "address", "add", OUTER6[i] + "/64", "dev", "wire", "nodad")
        ip("-n", name, "link", "set", "wire", "up")


def remove_wire():
    for name in NAMES:
        ip("netns", "delete", name, check=False)


def make_device(how):
    """The device at both ends; the reason why not, or None."""
    for i, name in enumerate(NAMES):
        words = how.format(OUTER[i], OUTER[1 - i], OUTER6[i], OUTER6[1 - i]).split()
        link = [words[0], words[1]] if words[0] == "link" else []
        rest = words[2:] if link else words
        made = ip("-n", name, "link", "add", *link, "name", "under-test", *rest, check=False)
        if made.returncode != 0:
            ip("-n", NAMES[0], "link", "delete", "under-test", check=False)
            return made.stderr.strip() or "ip link add failed"
        ip("-n", name, "address", "add", INNER[i] + "/24", "dev", "under-test")
        ip("-n", name, "link", "set", "under-test", "up")
    return None


def within(name, *words, **options):
    return subprocess.Popen(["ip", "netns", "exec", name, *words], text=True, **options)


def read(path):
    """The connection under test, each time it was found, and what was read."""
    run = subprocess.run([LASTACK, "--ndjson", path], capture_output=True, check=False)
    records = [json.loads(line) for line in run.stdout.splitlines()]
    return [r for r in records if r["event"]["dataset"] == "lastack.flow" and
            r["destination"]["port"] == PORT], records[-1]["lastack"].get("capture", {})


def octets_of(flow):
    client = flow["lastack"]["client"]
    return client["payload_bytes"] - client["retransmissions"]["bytes"]


def wait_for_end(path):
    """Until tcpdump, which leaves what it has not read when it is told to end, wrote the last FIN."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        time.sleep(.2)
        if [f for f in read(path)[0] if f["lastack"]["close"]["kind"] == "orderly"]:
            return


def talk(path):
    """One connection through the device, captured on the wire; False when it did not come about."""
    capture = within(NAMES[0], "tcpdump", "-i", "wire", "--immediate-mode", "-B", "65536",
                     "-U", "-w", path, stderr=subprocess.PIPE)
    server = within(NAMES[1], sys.executable, "-c", TALK, "server", INNER[1], str(PORT),
                    stdout=subprocess.PIPE)
    try:
        capture.stderr.readline()  # it listens
        server.stdout.readline()
        client = within(NAMES[0], sys.executable, "-c", TALK, "client", INNER[1], str(PORT), str(OCTETS))
        done = client.wait(10) == 0 and server.wait(10) == 0
        wait_for_end(path)
        return done
    finally:
        for process in (capture, server):
            process.terminate()
            process.wait(5)
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()


def check_device(tap, folder, device, how, tunnel, vlans):
    reason = make_device(how)
    if reason:
        tap.skip(device, "this kernel makes none: " + reason.splitlines()[0])
        return
    path = os.path.join(folder, device + ".pcap")
    try:
        came = talk(path)
    finally:
        for name in NAMES:
            ip("-n", name, "link", "delete", "under-test", check=False)
    if not came:
        tap.skip(device, "no connection came about through it")
        return
    found, capture = read(path)
    context = found[0]["lastack"]["context"] if found else None
    right = (len(found) == 1 and
             (found[0]["source"]["ip"], found[0]["destination"]["ip"]) == INNER and
             context["vlan"] == vlans and
             (context["tunnel"] is None if tunnel is None else
              context["tunnel"].split()[-1] == tunnel) and
             found[0]["lastack"]["close"]["kind"] == "orderly" and
             found[0]["lastack"]["handshake"]["complete"])
    tap.ok(right, "%s: the connection inside, and what was around it" % device, found, context)
    fragments = {reason for reason in capture["skipped"] if reason.startswith("fragment")}
    tap.ok(found and octets_of(found[0]) == OCTETS and
           fragments <= {"fragment"} and (fragments or not device.endswith("fragmented")),
           "%s: every octet that was sent" % device, found and octets_of(found[0]), capture)


def missing():
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "tcpdump"):
        if not shutil.which(tool):
            return "no " + tool
    made = ip("netns", "add", NAMES[0], check=False)
    ip("netns", "delete", NAMES[0], check=False)
    return None if made.returncode == 0 else "no network namespaces: " + made.stderr.strip()


def main():
    tap = Tap()
    reason = missing()
    if reason:
        tap.skip("tunnels of the kernel", reason)
        return tap.end()
    try:
        make_wire()
    except subprocess.CalledProcessError as error:
        remove_wire()
        tap.skip("tunnels of the kernel", "no network of its own: " + error.stderr.strip())
        return tap.end()
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)  # tcpdump gives its rights up
            for row in DEVICES:
                check_device(tap, folder, *row)
    finally:
        remove_wire()
    return tap.end()


sys.exit(main())
