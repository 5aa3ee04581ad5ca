#!/usr/bin/env python3
"""Manual and completion say what --help says, and both are well formed."""
import os
import re
import shutil
import subprocess
import sys

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))
MANUAL = os.path.join(BUILD, "doc", "lastack.1")
COMPLETION = os.path.join(BUILD, "doc", "lastack.bash")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def options_of_help():
    text = subprocess.run([LASTACK, "--help"], capture_output=True, text=True, check=True).stdout
    spellings = []
    for line in text.splitlines():
        match = re.match(r"  (-\w)?,? *(--[a-z-]+)?", line)
        if line.startswith("  -") or line.startswith("      --"):
            spellings += [word for word in match.groups() if word]
    return spellings


def complete(*words):
    """What bash offers for the last of words."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lastack; ' \
        'printf "%s\\n" "${COMPREPLY[@]}"'
    result = subprocess.run(["bash", "-c", script, "bash", COMPLETION, *words],
                            capture_output=True, text=True, check=False)
    return result.stdout.split()


def check_manual(tap, options):
    manual = read(MANUAL).replace("\\", "")
    missing = [option for option in options if not re.search("fB%sfR" % option, manual)]
    tap.ok(not missing, "the manual has every option of --help", missing)
    tap.ok(not re.search("@[A-Z]+@", manual), "nothing was left to fill in in the manual")
    if shutil.which("groff") is None:
        tap.skip("the manual is well formed", "groff is not installed")
        return
    result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", MANUAL], capture_output=True,
                            text=True, check=False)
    tap.ok(result.returncode == 0 and not result.stderr, "the manual is well formed", result.stderr)


def check_completion(tap, options):
    if shutil.which("bash") is None:
        tap.skip("completion", "bash is not installed")
        return
    offered = complete("lastack", "-")
    tap.ok(sorted(offered) == sorted(options), "bash completes every option of --help",
           set(options) ^ set(offered))
    tap.ok(complete("lastack", "--flo") == ["--flow", "--flows"], "an option by its beginning")
    tap.ok(complete("lastack", "--flows", "p") == ["problems"], "a value after a space")
    tap.ok(complete("lastack", "--flows", "=", "p") == ["problems"], "a value after =")
    tap.ok(complete("lastack", "--flows", "=") == ["all", "problems", "none"], "all values after =")
    tap.ok(complete("lastack", "--explain", "tw_as") == ["tw_assassination"], "an event")
    tap.ok("warning" in complete("lastack", "--fail-on", "w"), "a level")
    tap.ok(complete("lastack", "--event", "C3") == ["C3"], "a family of events")
    tap.ok(complete("lastack", "--segments", "p") == ["problems"], "a word before a value")
    tap.ok(complete("lastack", "--json", "=", COMPLETION[:-3]) == [COMPLETION], "a file after =")
    tap.ok(complete("lastack", "--json", "--nd") == ["--ndjson"], "an option after one alone")


def main():
    tap = Tap()
    options = options_of_help()
    tap.ok(len(options) > 20 and "--msl" in options and "-r" in options, "--help lists the options",
           options)
    check_manual(tap, options)
    check_completion(tap, options)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
