#!/usr/bin/env python3
"""Live capture as a service: what the manager is told, what the unit asks for, the interfaces."""
import ctypes
import ctypes.util
import errno
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from livelab import LASTACK, Live, enter, listen, talk, until
from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
UNIT = os.path.join(TOP, "contrib", "systemd", "lastack@.service")


def receive(manager, seconds):
    """The messages that come within so many seconds."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        manager.settimeout(max(0.01, end - time.monotonic()))
        try:
            found.append(manager.recv(4096).decode())
        except socket.timeout:
            break
    return found


def check_notify(tap, folder, abstract):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = "@lastack-test-%d" % os.getpid() if abstract else os.path.join(folder, "notify")
    manager.bind("\0" + name[1:] if abstract else name)
    if not abstract:
        os.chmod(name, 0o666)
    what = "an abstract socket" if abstract else "a socket in the file system"
    live = Live("-i", "lo", env=dict(os.environ, NOTIFY_SOCKET=name, WATCHDOG_USEC="1000000"))
    first = receive(manager, 1)
    tap.ok(first and "READY=1" in first[0].splitlines(),
           "%s: it says when it captures" % what, first)
    talk(listen())
    signs = receive(manager, 2)
    tap.ok(sum("WATCHDOG=1" in s.splitlines() for s in signs) >= 3 and
           any("8 packets" in s for s in signs),
           "%s: and gives signs of life, twice as often as asked" % what, signs)
    status = live.end()
    tap.ok(status == 0 and any("STOPPING=1" in s for s in receive(manager, 0.2)),
           "%s: and says when it ends" % what, live.said)
    manager.close()
    shutil.rmtree(live.folder)


def check_unit(tap):
    with open(UNIT) as file:
        text = file.read()
    command = re.search(r"^ExecStart=/usr/bin/lastack (.*) \$LASTACK_OPTIONS$", text, re.M)
    words = command.group(1).replace("%I", "no-such-interface").replace("%i", "x").split()
    words = [w.replace("/var/log/lastack/", "/tmp/") for w in words]
    result = subprocess.run([LASTACK, *words], capture_output=True, text=True, timeout=20,
                            check=False)
    tap.ok(result.returncode == 3 and "no such interface" in result.stderr,
           "lastack takes the unit's command line", result.stderr)
    if shutil.which("systemd-analyze") is None:
        tap.skip("the unit is well formed", "systemd-analyze is not installed")
        return
    folder = tempfile.mkdtemp()
    copy = os.path.join(folder, "lastack@lo.service")
    with open(copy, "w") as file:
        file.write(text.replace("/usr/bin/lastack", LASTACK))
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True,
                            text=True, timeout=60, check=False)
    tap.ok("lastack@lo.service" not in result.stderr, "the unit is well formed", result.stderr)
    shutil.rmtree(folder)


def system_calls(words):
    """What a unit's SystemCallFilter allows, with its groups taken apart; None: nobody knows."""
    if shutil.which("systemd-analyze") is None:
        return None
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"],
                            capture_output=True, text=True, check=False).stdout
    groups, name = {}, None
    for line in listed.splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = []
        elif name is not None and line.startswith(" ") and "#" not in line:
            groups[name].append(line.strip())
    found, waiting = set(), ["@default", *words]
    while waiting:
        word = waiting.pop()
        waiting += groups.get(word, [])
        if not word.startswith("@"):
            found.add(word)
    return found if groups else None


def allow_only(names):
    """Has the kernel refuse all other system calls to this process, as a service manager does."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(0x00050000 | errno.EPERM)))
    for name in names:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            library.seccomp_rule_add(rules, ctypes.c_uint32(0x7fff0000), number, 0)
    if library.seccomp_load(rules) != 0:
        raise OSError("no filter")


def rights_said(before):
    """The exit status, and what -v says of the rights, of a capture of one packet."""
    env = dict(os.environ)
    if os.environ.get("LASTACK_SANITIZED"): # looking for leaks takes rights that are given up
        env["ASAN_OPTIONS"] = "detect_leaks=0"
    process = subprocess.Popen([LASTACK, "-i", "lo", "-v", "-c", "1", "--ndjson=/dev/null"],
                               preexec_fn=before, stderr=subprocess.PIPE, text=True, env=env)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    until(lambda: sender.sendto(b"x", ("127.0.0.1", 9)) and process.poll() is not None)
    said = process.communicate(timeout=20)[1]
    sender.close()
    return process.returncode, said.splitlines()[:1]


def check_system_calls(tap):
    with open(UNIT) as file:
        words = re.search(r"^SystemCallFilter=(.*)$", file.read(), re.M).group(1).split()
    allowed = system_calls(words)
    if allowed is None or ctypes.util.find_library("seccomp") is None:
        tap.skip("the unit's filter of system calls", "systemd-analyze or libseccomp is missing")
        return
    free, filtered = rights_said(None), rights_said(lambda: allow_only(allowed))
    tap.ok(free == filtered and free[0] == 0,
           "the unit's filter of system calls leaves lastack all it protects itself with", free,
           filtered)


def check_interfaces(tap):
    subprocess.run(["ip", "link", "add", "pair0", "type", "veth", "peer", "name", "pair1"],
                   check=False)
    result = subprocess.run([LASTACK, "-D"], capture_output=True, text=True, timeout=20, check=False)
    tap.ok(result.returncode == 0 and re.search(r"^lo .*\[up\] \[loopback\]$", result.stdout, re.M),
           "-D lists the interfaces", result.stdout, result.stderr)
    for option in ("-Djson", "--list-interfaces=json"):
        result = subprocess.run([LASTACK, option], capture_output=True, text=True, timeout=20,
                                check=False)
        found = {i["name"]: i for i in json.loads(result.stdout)["interfaces"]}
        lo = found.get("lo", {})
        tap.ok(lo.get("loopback") and lo.get("up") and "127.0.0.1" in lo.get("addresses", []) and
               "any" in found, "%s does as JSON" % option, result.stdout)
    result = subprocess.run([LASTACK, "-Dxml"], capture_output=True, text=True, check=False)
    tap.ok(result.returncode == 2, "another form is refused", result.stderr)


def main():
    enter()
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-service-")
    os.chmod(folder, 0o777)
    check_notify(tap, folder, False)
    check_notify(tap, folder, True)
    shutil.rmtree(folder)
    check_unit(tap)
    check_system_calls(tap)
    check_interfaces(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
