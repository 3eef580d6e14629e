"""``start``: from the command to the first page, on an empty data folder and on one that was there, and the memory of the
whole product when it is idle."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.stage import Product, product, report

RUNS = 3


def started(data: Path) -> float:
    """Seconds from the command to the first page."""
    began = time.monotonic()
    with product(data):
        return time.monotonic() - began


IDLE_SECONDS = 75.0  # until connections that nobody uses are given back


def memory(found: Product) -> tuple[float, float]:
    """MB of all processes: what is theirs, with shared pages counted once (PSS), and the plain sum (RSS)."""
    root = psutil.Process(found.process.pid)
    whole = [root, *root.children(recursive=True)]
    infos = [one.memory_full_info() for one in whole]
    return sum(info.pss for info in infos) / 1024**2, sum(info.rss for info in infos) / 1024**2


def main() -> None:
    """Measure and report the median of the runs."""
    cold, warm = [], []
    for _ in range(RUNS):
        folder = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
        try:
            cold.append(started(folder))
            warm.append(started(folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    with product() as found:
        time.sleep(IDLE_SECONDS)
        pss, rss = memory(found)
    report(
        "start",
        {
            "cold_s": sorted(cold)[RUNS // 2],
            "warm_s": sorted(warm)[RUNS // 2],
            "memory_idle_mb": pss,
            "memory_idle_plain_sum_mb": rss,
        },
        {"cold_s": 10, "warm_s": 4, "memory_idle_mb": 450, "memory_idle_plain_sum_mb": 450},
    )


if __name__ == "__main__":
    main()
