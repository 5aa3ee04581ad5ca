#!/usr/bin/env python3
"""The Debian packages: built, looked at by lintian, installed in a root of its own, used, and removed."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
sys.path.insert(0, os.path.join(TOP, "tests", "checks"))
from tap import Tap  # noqa: E402

INSIDE = "LASTACK_DEBIAN_INSIDE"
SKIPPED = {".git", "autom4te.cache", "build-aux"}
WANTED = ("usr/bin/lastack", "usr/libexec/lastack/lastack-kafka", "usr/share/man/man1/lastack.1.gz",
          "usr/share/bash-completion/completions/lastack", "usr/share/lastack/lastack.schema.json",
          "usr/share/doc/lastack/copyright", "usr/share/lastack/contrib/prometheus/lastack.rules.yml",
          "usr/share/lastack/contrib/grafana/lastack.json", "usr/share/lastack/contrib/sql/questions.sql", "usr/share/lastack/contrib/pieces/piece.sh",
          "usr/share/lastack/contrib/kafka/README.md", "usr/share/doc/lastack/pieces.md.gz")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          **options)


def copy_tree(folder):
    """The tree without what builds leave there."""
    tree = os.path.join(folder, "lastack-0.1.0")

    def left_out(_, names):
        return [n for n in names if n in SKIPPED or n.startswith("build") or n.endswith((".o", ".a", ".log"))]
    shutil.copytree(TOP, tree, ignore=left_out, symlinks=True)
    for name in ("configure", "config.log", "config.status", "Makefile", "Makefile.in", "aclocal.m4"):
        if os.path.exists(os.path.join(tree, name)):
            os.unlink(os.path.join(tree, name))
    return tree


def build(tap, folder):
    tree = copy_tree(folder)
    result = run("dpkg-buildpackage", "-b", "-us", "-uc", "-j2", cwd=tree, timeout=280,
                 env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck noautodbgsym"))
    packages = sorted(name for name in os.listdir(folder) if name.endswith(".deb"))
    tap.ok(result.returncode == 0 and len(packages) == 2, "the packages are built", packages,
           result.stdout[-1500:], result.stderr[-1500:])
    shutil.rmtree(tree)
    return [os.path.join(folder, name) for name in packages]


def check_lintian(tap, packages):
    if shutil.which("lintian") is None:
        tap.skip("lintian", "it is not installed")
        return
    result = run("lintian", "--fail-on", "error", "--allow-root", "--suppress-tags", "initial-upload-closes-no-bugs",
                 *packages, timeout=200)
    errors = [line for line in result.stdout.splitlines() if line.startswith("E:")]
    tap.ok(result.returncode == 0 and not errors, "lintian finds no error", *errors, result.stderr[-500:])


def mount_root(folder):
    """This system's files with a layer of its own above; what is written stays in the layer."""
    for name in ("layer", "work", "root"):
        os.mkdir(os.path.join(folder, name))
    root = os.path.join(folder, "root")
    options = "lowerdir=/,upperdir=%s/layer,workdir=%s/work" % (folder, folder)
    return root, run("mount", "-t", "overlay", "overlay", "-o", options, root)


def check_installed(tap, root, packages):
    os.mkdir(os.path.join(root, "packages"))
    for package in packages:
        shutil.copy(package, os.path.join(root, "packages"))
    shutil.copy(os.path.join(TOP, "samples", "syn-reset-in-last-ack.pcap"), os.path.join(root, "packages"))
    inside = ["/packages/" + os.path.basename(package) for package in packages]
    result = run("chroot", root, "dpkg", "-i", *inside, timeout=100)
    found = [path for path in WANTED if os.path.exists(os.path.join(root, path))]
    unit = [path for path in ("lib/systemd/system", "usr/lib/systemd/system")
            if os.path.exists(os.path.join(root, path, "lastack@.service"))]
    tap.ok(result.returncode == 0 and len(found) == len(WANTED) and unit, "they can be installed, with all in its place",
           result.stderr, set(WANTED) - set(found), unit)
    used = run("chroot", root, "/usr/bin/lastack", "--json", "/packages/syn-reset-in-last-ack.pcap", timeout=60)
    tap.ok(used.returncode == 0 and "syn_in_last_ack_rst" in
           [problem["id"] for problem in json.loads(used.stdout)["problems"]], "the program works", used.stderr)
    sent = run("chroot", root, "/usr/bin/lastack", "--set", "kafka_wait=1s", "--kafka", "127.0.0.1:9", "--topic", "t",
               "/packages/syn-reset-in-last-ack.pcap", timeout=60)
    tap.ok(sent.returncode == 5 and "0 records delivered to t" in sent.stderr, "and finds what sends to Kafka",
           sent.returncode, sent.stderr)
    result = run("chroot", root, "dpkg", "--purge", "lastack-kafka", "lastack", timeout=100)
    left = [path for path in WANTED if os.path.exists(os.path.join(root, path))]
    tap.ok(result.returncode == 0 and not left, "they can be removed, and nothing stays", result.stderr, left)


def main():
    if shutil.which("dpkg-buildpackage") is None or shutil.which("dh") is None:
        print("1..0 # SKIP dpkg-dev and debhelper are not installed")
        return 0
    if os.geteuid() == 0 and not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="lastack-debian-")
    if os.geteuid() == 0:  # the layer must not lie on one itself
        run("mount", "-t", "tmpfs", "-o", "size=2g", "none", folder)
    packages = build(tap, folder)
    if packages:
        check_lintian(tap, packages)
        root, mounted = mount_root(folder)
        if mounted.returncode != 0:
            tap.skip("installing", "no overlay can be mounted: %s" % mounted.stderr.strip())
        else:
            check_installed(tap, root, packages)
            run("umount", root)
    run("umount", folder)
    shutil.rmtree(folder, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
