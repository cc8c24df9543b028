"""WHAT WE BELIEVE: pure maths, numbers in, numbers out, and the bundle that carries it."""

from __future__ import annotations

import os

# OpenMP's threads wait for each other by spinning. Where cores are shared (a container, a CI runner,
# a second job) they spin against the very thread they wait for: growing trees took six times as long
# on two busy cores. Read when LightGBM's library loads, so it is set here, before anything imports it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
