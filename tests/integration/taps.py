#!/usr/bin/env python3
"""Ten thousand connections between two real kernels over a path with random weather: what lastack
says of both captures is what the path did, packet for packet (tests/lab/crowd.py)."""
import os
import sys

CROWD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lab", "crowd.py")

os.execv(sys.executable, [sys.executable, CROWD, "--connections", "10000", "--rate", "250"])
