#!/usr/bin/env python3
"""A child program whose own child holds much memory for 5 ms: how many MiB is what follows the
last `-` of the name under which it is started. Answers as a program started per request does."""

import os
import sys
import time

mib = int(sys.argv[0].rsplit("-", 1)[1])
pid = os.fork()
if pid == 0:
    held = bytearray(mib << 20)
    for page in range(0, len(held), 4096):
        held[page] = 1
    time.sleep(0.005)
    os._exit(0)
os.waitpid(pid, 0)
now = time.monotonic_ns()
print(f"fb1 {sys.argv[2]} ok 0 {now} {now} {now} 0")
