#!/usr/bin/env python3
"""VLANs and tunnels: the same packet on two of them counts once; where they are part of the
identity, equal addresses are kept apart."""
import json
import os
import struct
import subprocess
import sys
import tempfile

TOP = os.environ.get("TOP_SRCDIR", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))

import segread
import segtunnel
import segwire
from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
CASE = os.path.join(TOP, "tests", "cases", "close", "half-close-with-data.seg")
MACS = bytes.fromhex("020000000001020000000002")


def packets():
    """[(time, IP packet)] of the case, IP IDs not 0, as a host between two routers sends them."""
    case = segread.read_case(CASE, "half-close-with-data")
    wire = segwire.Wire(case, segwire.Variation(link="raw"))
    found = []
    for number, (time, ip, _) in enumerate(wire.frames(), 1):
        head = ip[:4] + struct.pack("!H", number) + ip[6:10] + b"\0\0" + ip[12:20]
        found.append((time, head[:10] + struct.pack("!H", segwire.checksum(head)) + head[12:] +
                      ip[20:]))
    return found


def plain(ip):
    return MACS + b"\x08\x00" + ip


def tagged(*identifiers):
    tags = b"".join(struct.pack("!HH", 0x8100, identifier) for identifier in identifiers)
    return lambda ip: MACS + tags + b"\x08\x00" + ip


def vxlan(network, number=1):
    def wrapped(ip):
        inner = struct.pack("!II", 0x08000000, network << 8) + plain(ip)
        return plain(segtunnel.udp(4789, inner, number))
    return wrapped


def gtp(endpoint, source):
    def wrapped(ip):
        inner = struct.pack("!BBHI", 0x30, 255, len(ip), endpoint) + ip
        datagram = struct.pack("!HHHH", 2152, 2152, 8 + len(inner), 0) + inner
        ends = [bytes([10, 9, 0, 1]), bytes([10, 9, 0, source])]
        if ip[12:16] > ip[16:20]:
            ends.reverse()
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0)
        return plain(head + ends[0] + ends[1] + datagram)
    return wrapped


def capture(*dresses, apart=20000):
    """Every packet in every dress, one after the other, so many ns apart."""
    out = [struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1)]
    for time, ip in packets():
        for index, dress in enumerate(dresses):
            frame = dress(ip)
            seconds, rest = divmod(time + index * apart, 10**9)
            out.append(struct.pack("<IIII", seconds, rest, len(frame), len(frame)) + frame)
    return b"".join(out)


def run(folder, data, *words):
    path = os.path.join(folder, "context.pcap")
    with open(path, "wb") as file:
        file.write(data)
    done = subprocess.run([LASTACK, "--ndjson", *words, path], stdout=subprocess.PIPE, check=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    flows = [record for record in records if record["event"]["dataset"] == "lastack.flow"]
    return flows, records[-1]["lastack"]


def shape(flow):
    """What of a flow does not name the place of its packets."""
    ours = flow["lastack"]
    return (flow["source"], flow["destination"], flow["network"], ours["close"]["kind"],
            [[entry["state"] for entry in ours[side]["history"]] for side in ("client", "server")],
            [ours[side]["retransmissions"]["packets"] for side in ("client", "server")])


def check_copies(tap, folder):
    alone, _ = run(folder, capture(plain))
    count = len(packets())
    for name, dresses, note in (
            ("inside and outside a tunnel", (plain, vxlan(42)), "tunnel_duplicate"),
            ("outside and inside a tunnel", (vxlan(42), plain), "tunnel_duplicate"),
            ("on two VLANs", (tagged(100), tagged(200)), "vlan_split"),
            ("with a tag and without", (plain, tagged(200)), "vlan_split"),
            ("on one VLAN and on two", (tagged(100), tagged(100, 7)), "vlan_split")):
        flows, summary = run(folder, capture(*dresses))
        tap.ok(len(flows) == 1 and shape(flows[0]) == shape(alone[0]), name + ": one connection",
               [shape(flow) for flow in flows], shape(alone[0]))
        tap.ok(note in flows[0]["lastack"]["caveats"], name + ": " + note,
               flows[0]["lastack"]["caveats"])
        tap.ok(summary["capture"]["copies"] == count, name + ": every packet counts once",
               summary["capture"])
    tap.ok("vlan_split" not in alone[0]["lastack"]["caveats"] and
           "tunnel_duplicate" not in alone[0]["lastack"]["caveats"], "neither, without copies")


def check_keys(tap, folder):
    alone, _ = run(folder, capture(plain))
    for name, word, dresses in (
            ("--vlan-key", "--vlan-key", (tagged(100), tagged(200))),
            ("--vlan-key, stacked tags", "--vlan-key", (tagged(100, 7), tagged(100, 8))),
            ("--vlan-key, a tag and none", "--vlan-key", (plain, tagged(1))),
            ("--vlan-key, three tags", "--vlan-key", (tagged(1, 2, 3), tagged(1, 2, 4))),
            ("--tunnel-key, VXLAN", "--tunnel-key", (vxlan(1), vxlan(2))),
            ("--tunnel-key, a tunnel and none", "--tunnel-key", (plain, vxlan(2))),
            ("--tunnel-key, GTP by its ends", "--tunnel-key", (gtp(5, 7), gtp(5, 8)))):
        flows, _ = run(folder, capture(*dresses), word)
        tap.ok(len(flows) == 2 and all(shape(flow) == shape(alone[0]) for flow in flows),
               name + ": two connections, each whole", [shape(flow) for flow in flows])
        contexts = [json.dumps(flow["lastack"]["context"]) for flow in flows]
        tap.ok(len(set(contexts)) == 2 and len({flow["lastack"]["flow_uid"] for flow in flows}) == 2
               and len({flow["network"]["community_id"] for flow in flows}) == 1,
               name + ": told apart by context and flow_uid, not by Community ID", contexts)
        several, _ = run(folder, capture(*dresses), word, "--threads=3")
        tap.ok(several == flows, name + ": the same with three threads")
    one, _ = run(folder, capture(gtp(5, 7)), "--tunnel-key")
    tap.ok(len(one) == 1 and shape(one[0]) == shape(alone[0]), "both directions of a tunnel are one")
    path = one[0]["lastack"]["context"]["tunnel"]
    tap.ok(path == "10.9.0.1-10.9.0.7 gtp:5", "the path names the client's end first", path)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        check_copies(tap, folder)
        check_keys(tap, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
