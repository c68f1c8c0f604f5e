"""Where the processor time of one `musc score` goes: imports, decoding, network, products, maxima, writing, report.

    python benchmarks/run/seconds.py ../shared/data/mvtec_ad/bottle/test

The folder is scored by the command itself, inline, into an empty store, in this process. Every few milliseconds the
processor time that each thread has used since the last look is given to the first of `PARTS` whose functions are on
that thread's stack. The rest of the process's time is that of torch's threads, which run no Python, and of threads that
ended before the next look. Seconds are the processor's, not the clock's: two busy cores give two in one second, and
other work on the machine changes them little.
"""

import argparse
import sys
import threading
import time
from collections import Counter
from tempfile import TemporaryDirectory
from types import FrameType

import cli.main

LOOK_SECONDS = 0.005
# part: text on the stack, as `file:function`, that tells it; the first one that fits counts
PARTS: dict[str, tuple[str, ...]] = {
    "imports": ("importlib",),
    "decoding photographs": ("storage/images/decode.py", "storage/images/lots.py:read_image"),
    "resizing photographs": ("musc/backbones/pil_images.py",),
    "network": ("musc/backbones/",),
    "products": ("musc/kernels/precision.py:multiply", "musc/kernels/precision.py:product_dtype"),
    "maxima and means": ("musc/kernels/", "musc/mutual.py"),
    "LNAMD": ("musc/lnamd.py",),
    "groups": ("tasks/groups.py",),
    "report page": ("tasks/report.py", "reports/page/"),
    "brightness and sharpness": ("tasks/profile.py",),
    "maps and outlines": ("musc/maps.py", "musc/decisions/", "reports/decisions.py"),
    "stores and tables": ("storage/", "tasks/"),
}
OTHER, UNSEEN = "everything else", "threads of torch, and not seen"


def stack_of(frame: FrameType | None) -> str:
    """The functions a thread is in, the innermost first, as lines of `file:function`."""
    lines = []
    while frame is not None:
        lines.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")
        frame = frame.f_back
    return "\n".join(lines)


def part_of(stack: str) -> str:
    """The part a stack belongs to, or `OTHER`."""
    return next((part for part, texts in PARTS.items() if any(text in stack for text in texts)), OTHER)


class Sampler(threading.Thread):
    """Looks at all threads until told to stop; `seconds` holds processor time for each part."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds: Counter[str] = Counter()
        self.ended = threading.Event()

    def run(self) -> None:
        """Give each thread's processor time since the last look to the part it is in."""
        used: dict[int, float] = {}
        while not self.ended.wait(LOOK_SECONDS):
            for thread, frame in sys._current_frames().items():
                if thread == self.ident:
                    continue
                try:
                    now = time.clock_gettime(time.pthread_getcpuclockid(thread))
                except OSError:  # the thread has ended
                    continue
                self.seconds[part_of(stack_of(frame))] += max(0.0, now - used.get(thread, 0.0))
                used[thread] = now


def scored(folder: str, store: str) -> None:
    """Score a folder as the command does; its exit status is checked."""
    sys.argv = ["musc", "score", folder, "--engine", "inline", "--output", store]
    try:
        cli.main.main()
    except SystemExit as ended:
        if ended.code:
            raise


def main() -> None:
    """Measure and print a row for each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    folder = parser.parse_args().folder
    sampler = Sampler()
    started, used = time.perf_counter(), time.process_time()
    sampler.start()
    with TemporaryDirectory() as store:
        scored(folder, store)
    sampler.ended.set()
    sampler.join()
    wall, cpu = time.perf_counter() - started, time.process_time() - used
    sampler.seconds[UNSEEN] = max(0.0, cpu - sum(sampler.seconds.values()))
    print(f"{wall:.1f} s of the clock, {cpu:.1f} s of the processor\n")
    print("| part | s of the processor | share |")
    print("|---|---|---|")
    for part in (*PARTS, OTHER, UNSEEN):
        print(f"| {part} | {sampler.seconds[part]:.1f} | {100 * sampler.seconds[part] / cpu:.0f} % |")


if __name__ == "__main__":
    main()
