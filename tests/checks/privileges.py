#!/usr/bin/env python3
"""After its start a live capture has no rights but those it needs: as the kernel says, and as tried."""
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from livelab import BUILD, LASTACK, Live, enter, listen, talk, until
from tap import Tap

TRY = os.path.join(BUILD, "tests", "tools", "rights-try")
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
DENIED = "Operation not permitted"


def account():
    for name in ("lastack", "tcpdump", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def built_in(word):
    """Whether lastack was built with it, as --version says."""
    return word in subprocess.run([LASTACK, "--version"], capture_output=True, text=True,
                                  check=True).stdout


def has_landlock():
    with open("/proc/kallsyms") as symbols:
        if "landlock" not in symbols.read():
            return False
    import ctypes
    return ctypes.CDLL(None).syscall(444, 0, 0, 1) > 0


def check_root(tap):
    user = account()
    live = Live("-i", "lo", "-v", "--threads", "3", "--stats-interval", "1")
    listener = listen()
    talk(listener)
    until(lambda: live.records("stats"), 4)
    threads = os.listdir("/proc/%d/task" % live.process.pid)
    every = [live.status(thread) for thread in threads]
    tap.ok(len(threads) >= 5 and all(
        s["Uid"].split() == [str(user.pw_uid)] * 4 and s["Gid"].split() == [str(user.pw_gid)] * 4
        for s in every), "started as root it is %s, in every thread" % user.pw_name,
        [(s["Name"], s["Uid"], s["Gid"]) for s in every])
    tap.ok(all("0" not in s["Groups"].split() for s in every), "not in root's groups",
           every[0]["Groups"])
    sets = [name for name in SETS if name != "CapBnd" or built_in("libcap-ng")]
    tap.ok(all(int(s[name], 16) == 0 for s in every for name in sets),
           "no capability is left in any set", every[0])
    tap.ok(all(s["NoNewPrivs"] == "1" for s in every), "nor can one come back (no_new_privs)")
    if built_in("libseccomp"):
        tap.ok(all(s["Seccomp"] == "2" for s in every), "a seccomp filter is in force in each",
               [s["Seccomp"] for s in every])
    talk(listener)
    status = live.end()
    tap.ok(status == 0 and live.records("summary")[0]["lastack"]["capture"]["packets"] == 16,
           "it captured before and after", live.said)
    tap.ok("rights: user %s, no capabilities" % user.pw_name in live.said, "-v says so", live.said)
    drops = live.records("summary")[0]["lastack"]["capture"]["drops"]
    tap.ok(drops["interface"] < 1 << 20, "libpcap's third counter can still be read", drops)
    tap.ok(os.stat(live.path).st_uid == user.pw_uid, "the file that it made is that user's")
    shutil.rmtree(live.folder)


def check_outputs(tap):
    """The folder is the user's: files are renamed and begun anew without root's rights."""
    user = account()
    folder = tempfile.mkdtemp(prefix="lastack-live-")
    os.chmod(folder, 0o700)
    os.chown(folder, user.pw_uid, user.pw_gid)
    live = Live("-i", "lo", "--segments", "all", "-C", "8K", "-W", "2", folder=folder)
    listener = listen()
    for _ in range(5):
        talk(listener, 10)
        time.sleep(0.25)
    live.send(signal.SIGHUP)
    time.sleep(0.3)
    status = live.end()
    tap.ok(status == 0 and len(os.listdir(folder)) == 3 and "cannot" not in live.said,
           "outputs survive the end of rights", os.listdir(folder), live.said)
    shutil.rmtree(folder)

    live = Live("-i", "lo", "-C", "8K", folder=tempfile.mkdtemp(prefix="lastack-live-"))
    live.end()
    tap.ok("may not rename it" in live.said and "chown" in live.said,
           "where that cannot be, it is said at the start", live.said)
    shutil.rmtree(live.folder)
    live = Live("-i", "lo", "-C", "8K", "-Z", "root", "--segments", "all",
                folder=tempfile.mkdtemp(prefix="lastack-live-"))
    talk(listener, 40)
    until(lambda: len(os.listdir(live.folder)) > 1, 3)
    status = live.status()
    live.end()
    tap.ok(status["Uid"].split()[0] == "0" and int(status["CapEff"], 16) == 0 and
           len(os.listdir(live.folder)) > 1,
           "-Z root stays root, without capabilities, and may rename", status, live.said)
    shutil.rmtree(live.folder)


def check_refusals(tap):
    result = subprocess.run([LASTACK, "-i", "lo", "-Z", "no-such-user"], capture_output=True,
                            text=True, timeout=20, check=False)
    tap.ok(result.returncode == 2 and "there is no such user" in result.stderr,
           "an unknown user is refused", result.stderr)


def plain(*command):
    """A command run by an account without any right."""
    user = account()
    return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups",
            "--inh-caps=-all", "--bounding-set=-all", *command]


def check_plain_user(tap):
    folder = tempfile.mkdtemp(prefix="lastack-live-")
    os.chmod(folder, 0o755)
    copy = os.path.join(folder, "lastack")
    shutil.copy(LASTACK, copy)
    os.chmod(copy, 0o755)
    result = subprocess.run(plain(copy, "-i", "lo"), capture_output=True, text=True, timeout=20,
                            check=False)
    line = "sudo setcap cap_net_raw,cap_net_admin=eip " + copy
    tap.ok(result.returncode == 3 and line in result.stderr,
           "without rights it says the line to type", result.stderr)
    if os.environ.get("LASTACK_SANITIZED"):
        tap.skip("a plain user", "a program with capabilities takes no options for its sanitizer")
        shutil.rmtree(folder)
        return
    typed = subprocess.run(line.split()[1:], capture_output=True, text=True, check=False)
    if typed.returncode != 0:
        tap.skip("a plain user", "setcap does not work here: %s" % typed.stderr.strip())
        shutil.rmtree(folder)
        return
    user = account()
    wrapper = ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid),
               "--clear-groups"]
    live = Live("-i", "lo", "--ndjson", ndjson=False, wrapper=[*wrapper, "env"], program=copy)
    talk(listen())
    status = live.status()
    code = live.end()
    tap.ok(code == 0 and b'"packets":8' in live.output and
           status["Uid"].split()[0] == str(user.pw_uid),
           "after that line a plain user can capture", live.said)
    tap.ok(all(int(status[name], 16) == 0 for name in SETS if name != "CapBnd"),
           "and keeps no capability", status)
    tap.ok(status["NoNewPrivs"] == "1", "nor a way to one")
    shutil.rmtree(folder)


def attempts(*arguments):
    folder = tempfile.mkdtemp(prefix="lastack-try-")
    user = account()
    os.chown(folder, user.pw_uid, user.pw_gid)
    result = subprocess.run([TRY, folder, *arguments], capture_output=True, text=True, timeout=20,
                            check=False)
    shutil.rmtree(folder)
    return dict(line.split(" ", 1) for line in result.stdout.splitlines()), result.stderr


def check_attempts(tap):
    found, said = attempts()
    tap.ok(found.get("give-up") == "went", "rights can be given up", found, said)
    if not built_in("libseccomp"):
        tap.skip("forbidden system calls", "built without libseccomp")
    else:
        for name in ("execve", "execveat", "fork", "ptrace", "kill", "setuid", "exec-memory", "socket-inet",
                     "socket-unix", "socket-packet", "socket-netlink", "terminal-modes",
                     "terminal-input", "accept", "bind", "connect", "sendmsg", "frame-write",
                     "frame-writev", "frame-send", "frame-high-bits", "frame-dup", "frame-fcntl",
                     "signal-owner"):
            tap.ok(found.get(name) == DENIED, "%s is refused" % name, found)
        tap.ok(found.get("thread") == "went", "a thread can be made", found)
    if not has_landlock():
        tap.skip("confined files", "this kernel has no Landlock")
    else:
        for name in ("read-passwd", "write-tmp", "above"):
            tap.ok(found.get(name) == "Permission denied", "%s is refused" % name, found)
        for name in ("make", "rename", "list", "remove", "read-sys"):
            tap.ok(found.get(name) == "went", "%s goes" % name, found)
    if not built_in("libseccomp"):
        return
    found, said = attempts("screen")
    tap.ok(found.get("terminal-modes") == "went" and found.get("terminal-input") == DENIED,
           "who draws on a terminal may set its modes, and no more", found, said)
    found, said = attempts("answers")
    tap.ok(found.get("accept") == "went", "where connections are answered, they are taken", found,
           said)
    tap.ok(all(found.get(name) == DENIED for name in ("bind", "connect", "sendmsg", "socket-inet",
                                                      "execve", "fork")),
           "and nothing else is allowed by it", found)
    found, said = attempts("no-landlock")
    tap.ok(all(found.get(name) == DENIED for name in ("read-passwd", "write-tmp", "read-sys")),
           "without Landlock no file is opened but below an open directory", found, said)
    tap.ok(all(found.get(name) == "went" for name in ("make", "rename", "list", "remove")),
           "and there it is", found)


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP rights can be given up by root only")
        return 0
    enter()
    tap = Tap()
    check_root(tap)
    check_outputs(tap)
    check_refusals(tap)
    check_plain_user(tap)
    check_attempts(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
