#!/usr/bin/env python3
"""page: how long a browser takes to open the HTML page of a large capture.

usage: page.py [--connections N] [CAPTURE]

Without a capture, one of a million connections is generated.  GENERATE and LASTACK name the programs
(default: those of the build in the current directory).  Needs node, chromium and playwright-core
(NODE_PATH).  The time runs from the address being given until two frames have been painted; the
exit status is 1 when the slowest of three took longer than 3 s.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

GENERATE = os.environ.get("GENERATE", "tests/bench/generate")
LASTACK = os.environ.get("LASTACK", "./lastack")
MOST = 3000  # milliseconds
OPENER = r"""
const {chromium} = require("playwright-core");
(async () => {
  const [program, url] = process.argv.slice(1);
  const browser = await chromium.launch({executablePath: program, args: ["--no-sandbox"]});
  const times = [];
  let said = "";
  for (let round = 0; round < 3; round++) {
    const page = await browser.newPage({offline: true});
    const begun = Date.now();
    await page.goto(url);
    await page.evaluate(() => new Promise((done) =>
      requestAnimationFrame(() => requestAnimationFrame(done))));
    times.push(Date.now() - begun);
    said = await page.textContent("#flows [role=status]");
    await page.close();
  }
  console.log(JSON.stringify({times, said}));
  await browser.close();
})().catch((error) => { console.error(error.message); process.exit(1); });
"""


def make_capture(connections, folder):
    capture = os.path.join(folder, "capture.pcap")
    subprocess.run([GENERATE, "--connections=%d" % connections, "--reuse=20", "short", capture],
                   check=True)
    return capture


def write_page(capture, folder):
    page = os.path.join(folder, "page.html")
    begun = time.monotonic()
    subprocess.run([LASTACK, "-q", "--html=" + page, capture], check=True)
    print("page of %.1f MB written in %.1f s" %
          (os.path.getsize(page) / 1e6, time.monotonic() - begun))
    return page


def open_page(page):
    done = subprocess.run(["node", "-e", OPENER, shutil.which("chromium"), "file://" + page],
                          check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("capture", nargs="?")
    parser.add_argument("--connections", type=int, default=1000000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        capture = options.capture or make_capture(options.connections, folder)
        opened = open_page(write_page(capture, folder))
    print(opened["said"])
    print("opened in " + ", ".join("%d ms" % each for each in opened["times"]))
    return 1 if max(opened["times"]) > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
