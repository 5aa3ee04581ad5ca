"""segtunnel: the dresses of a case that have more than a plain link header: other links, tunnels,
fragments."""
import struct

MACS = {"A": bytes.fromhex("020000000001"), "B": bytes.fromhex("020000000002")}
OUTER = (bytes([192, 0, 2, 77]), bytes([192, 0, 2, 78]))
BRIDGE = bytes.fromhex("020000000a01020000000a02")
TUNNELS = ("gre", "gre-key", "erspan", "erspan3", "ipip", "6in", "vxlan", "geneve", "gtp", "teredo",
           "l2tp3", "vxlan-in-gre")


def ethertype(ip):
    return struct.pack("!H", 0x0800 if ip[0] >> 4 == 4 else 0x86DD)


def link_header(link, ip, sender):
    """The header of a link that only this module knows, or None."""
    macs = MACS["B" if sender == "A" else "A"] + MACS[sender]
    kind = ethertype(ip)
    ppp = b"\x00\x21" if ip[0] >> 4 == 4 else b"\x00\x57"
    snap = b"\xaa\xaa\x03\0\0\0" + kind
    if link == "snap":
        return macs + struct.pack("!H", len(snap) + len(ip)) + snap
    if link == "mpls":
        return macs + b"\x88\x47" + struct.pack("!II", 17 << 12 | 64, 18 << 12 | 0x100 | 64)
    if link == "pseudowire":
        return macs + b"\x88\x47" + struct.pack("!II", 17 << 12 | 0x100 | 64, 0) + BRIDGE + kind
    if link == "pppoe":
        return macs + b"\x88\x64" + struct.pack("!BBHH", 0x11, 0, 9, 2 + len(ip)) + ppp
    if link == "pbb":
        return macs + b"\x88\xe7" + struct.pack("!I", 4711) + BRIDGE + kind
    if link == "ppp":
        return b"\xff\x03" + ppp
    if link == "hdlc":
        return b"\x0f\x00" + kind
    if link in ("wifi", "radiotap"):
        header = b"\x88\x01\0\0" + macs + BRIDGE[:6] + b"\x10\0" + b"\0\0" + snap
        return (struct.pack("<BBHIB", 0, 0, 9, 2, 0) if link == "radiotap" else b"") + header
    if link == "nflog":
        family = 2 if ip[0] >> 4 == 4 else 10
        return struct.pack("!BBH", family, 0, 5) + struct.pack("<HH", 4 + len(ip), 9)
    if link == "pktap":
        return struct.pack("<III", 108, 1, 1) + b"\0" * 96 + macs + kind
    return None


def ip4(protocol, body, number):
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number % 65536, 0, 64, protocol, 0)
    return header + OUTER[0] + OUTER[1] + body


def udp(port, body, number):
    return ip4(17, struct.pack("!HHHH", 40000, port, 8 + len(body), 0) + body, number)


def wrap(tunnel, ip, number):
    """The packet in a tunnel between two hosts that are none of its own."""
    frame = BRIDGE + ethertype(ip) + ip
    if tunnel == "gre":
        return ip4(47, b"\0\0" + ethertype(ip) + ip, number)
    if tunnel == "gre-key":
        return ip4(47, b"\xb0\0" + ethertype(ip) + struct.pack("!III", 0, 7, number) + ip, number)
    if tunnel == "erspan":
        return ip4(47, b"\x10\0\x88\xbe" + struct.pack("!III", number, 0x10000005, 0) + frame,
                   number)
    if tunnel == "erspan3":
        return ip4(47, b"\x10\0\x22\xeb" + struct.pack("!IIII", number, 0x20000005, 0, 0) + frame,
                   number)
    if tunnel == "ipip":
        return ip4(4 if ip[0] >> 4 == 4 else 41, ip, number)
    if tunnel == "6in":
        return ip4(41, ip, number)
    if tunnel == "vxlan":
        return udp(4789, struct.pack("!II", 0x08000000, 42 << 8) + frame, number)
    if tunnel == "geneve":
        option = bytes.fromhex("0102800100000001")
        return udp(6081, struct.pack("!BBHI", 2, 0, 0x6558, 42 << 8) + option + frame, number)
    if tunnel == "gtp":
        extension = struct.pack("!HBBBBBB", 0, 0, 0x85, 1, 0x10, 1, 0)
        return udp(2152, struct.pack("!BBHI", 0x34, 255, 8 + len(ip), 5) + extension + ip, number)
    if tunnel == "teredo":
        return udp(3544, b"\0\0\x12\x34\1\2\3\4" + ip, number)
    if tunnel == "l2tp3":
        return ip4(115, struct.pack("!I", 9) + b"cook" + frame, number)
    if tunnel == "vxlan-in-gre":
        return ip4(47, b"\0\0\x08\0" + wrap("vxlan", ip, number), number)
    raise ValueError(tunnel)


def fragments(ip, most, number):
    """The packet in fragments of at most so many octets, as a router makes them."""
    version = ip[0] >> 4
    header = 20 if version == 4 else 40
    most = max(most, header + 32)
    if len(ip) <= most:
        return [ip]
    room = (most - header - (0 if version == 4 else 8)) // 8 * 8
    body, pieces = ip[header:], []
    for at in range(0, len(body), room):
        part, more = body[at:at + room], at + room < len(body)
        if version == 4:
            flags = at // 8 | (0x2000 if more else 0)
            pieces.append(ip[:2] + struct.pack("!H", 20 + len(part)) +
                          struct.pack("!HH", number % 65536, flags) + ip[8:20] + part)
        else:
            extension = struct.pack("!BBHI", ip[6], 0, at | more, number)
            pieces.append(ip[:4] + struct.pack("!HBB", 8 + len(part), 44, ip[7]) + ip[8:40] +
                          extension + part)
    return pieces
