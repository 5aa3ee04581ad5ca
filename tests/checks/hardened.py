#!/usr/bin/env python3
"""The built program has what the compiler and the linker give against damage: as readelf says."""
import os
import re
import shutil
import subprocess
import sys

from tap import Tap

BUILD = os.environ.get("TOP_BUILDDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(BUILD, "lastack"))


def readelf(*arguments):
    return subprocess.run(["readelf", "-W"] + list(arguments) + [LASTACK], capture_output=True,
                          text=True, check=True).stdout


def flags_of_build():
    """The values of LASTACK_CFLAGS and of its fellows in the Makefile."""
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as file:
        return dict(re.findall(r"^((?:LASTACK_)?(?:CPP|C|LD)FLAGS) = (.*)$", file.read(), re.M))


def main():
    tap = Tap()
    if not shutil.which("readelf"):
        tap.skip("hardening", "no readelf")
        return tap.end()
    header, segments, dynamic = readelf("-h"), readelf("-l"), readelf("-d")
    symbols, built = readelf("-s"), flags_of_build()
    tap.ok("DYN (" in header, "it may be loaded anywhere (PIE)", header)
    tap.ok("GNU_RELRO" in segments, "what the loader wrote is read-only afterwards (relro)", segments)
    tap.ok("BIND_NOW" in dynamic or re.search(r"FLAGS_1.*\bNOW\b", dynamic),
           "all of it, since nothing is bound late (now)", dynamic)
    stack = re.search(r"GNU_STACK.* (R\S*) +0x", segments)
    tap.ok(stack and "E" not in stack.group(1), "no code on the stack", segments)
    tap.ok(not re.search(r"LOAD .* RWE ", segments), "no memory that is written and run", segments)
    tap.ok("TEXTREL" not in dynamic, "no relocation in code", dynamic)
    tap.ok("__stack_chk_fail" in symbols, "stacks are guarded")
    tap.ok("-fstack-protector-strong" in built.get("LASTACK_CFLAGS", ""),
           "in every function that has an array", built)
    if "_FORTIFY_SOURCE" in built.get("LASTACK_CPPFLAGS", ""):
        tap.ok(re.search(r"__(sn|vsn|f)printf_chk|__mem\w+_chk", symbols),
               "copies of known size are checked (fortify)")
    else:
        tap.skip("copies of known size are checked (fortify)",
                 "built with a sanitizer, for coverage, or without optimising")
    return tap.end()


sys.exit(main())
