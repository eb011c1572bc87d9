"""The study notes' memory isolation example in Python: main sets its count to 100, the child sets
the count that it was given to 999. As a process, as a thread, and as a thread that takes main's own
variable. A thread's argument is main's object as well: nothing is copied between threads here."""

import multiprocessing
import threading

from say import say

# A copy of this process, which has no threads yet; what is shown does not depend on it.
context = multiprocessing.get_context("fork")

shared = {"count": 0}


def child(conn) -> None:
    data = conn.recv()
    data["count"] = 999
    conn.send(data)


def with_process() -> None:
    main_data = {"count": 0}
    conn, theirs = context.Pipe()
    process = context.Process(target=child, args=(theirs,))
    process.start()
    conn.send(main_data)
    main_data["count"] = 100
    tell("process", main_data["count"], conn.recv()["count"])
    process.join()


def with_thread(of: str, main_data: dict, args: tuple) -> None:
    may_write = threading.Event()

    def work(*given: dict) -> None:
        [data] = given or (shared,)
        # Without waiting, who writes last would be chance.
        may_write.wait()
        data["count"] = 999
        seen.append(data["count"])

    seen: list[int] = []
    thread = threading.Thread(target=work, args=args)
    thread.start()
    main_data["count"] = 100
    may_write.set()
    thread.join()
    tell(of, main_data["count"], seen[0])


def tell(of: str, main: int, child: int) -> None:
    say(of, "main_count", main)
    say(of, "child_count", child)


with_process()
data = {"count": 0}
with_thread("thread", data, (data,))
with_thread("thread-shared", shared, ())
