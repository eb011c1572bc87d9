"""The Python subject: the server that a trial measures. It is started by forkbench, not by hand:
without arguments it serves the socket that is its standard input, `task` and `answer` run one
task or request, `calibrate` measures a workload's unit, `versions` says what it is."""

import time

started = time.monotonic_ns()

import sys  # noqa: E402


def main() -> int:
    match sys.argv[1:]:
        case []:
            from host import serve

            return serve()
        case ["task", *args]:
            from task import run_task

            run_task(args, started)
        case ["answer", *args]:
            from task import answer

            print(answer(args))
        case ["calibrate", *args]:
            from task import calibrate

            print(calibrate(args))
        case ["versions"]:
            import json

            from versions import libjpeg_version, package_version, versions

            pillow = {"pillow": package_version("pillow"), "libjpeg_turbo": libjpeg_version()}
            print(json.dumps({**versions(), **pillow}))
        case [mode, *_]:
            raise SystemExit(f"unknown mode `{mode}`; this is started by forkbench, not by hand")
    return 0


# Children of multiprocessing import this module again.
if __name__ == "__main__":
    sys.exit(main())
