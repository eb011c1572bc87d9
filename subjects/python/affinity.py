"""On which core children run."""

import os


def move_child() -> None:
    """Moves the calling thread to the core that children are told to run on, if they are told
    any."""
    if cpu := os.environ.get("FORKBENCH_CHILD_CPU"):
        os.sched_setaffinity(0, {int(cpu)})
