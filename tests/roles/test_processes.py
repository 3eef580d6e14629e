"""The processes of a running product: one loads, the others come from it, and each may die."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.product import RunningProduct

pytestmark = pytest.mark.req("P1", "P2")
ROLES = ("web", "worker", "media")


@pytest.fixture(scope="module")
def product() -> Iterator[RunningProduct]:
    found = RunningProduct()
    found.start()
    yield found
    found.stop()
    shutil.rmtree(found.data, ignore_errors=True)


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pids(product: RunningProduct, *kinds: str) -> dict[str, int]:
    """The one process of each kind that runs."""
    found = {kind: [one.pid for one in product.children(kind) if one.is_running()] for kind in kinds}
    return {kind: running[0] for kind, running in found.items() if len(running) == 1}


def answers(product: RunningProduct) -> bool:
    with urllib.request.urlopen(f"{product.address}/sign-in", timeout=30) as answer:
        return bool(answer.status == 200)


def test_a_role_that_was_killed_is_there_again_and_the_others_go_on(product: RunningProduct) -> None:
    until(lambda: len(pids(product, *ROLES)) == 3)
    before = pids(product, *ROLES)
    product.kill("web")
    assert answers(product), "who asks meanwhile waits, and is answered"
    until(lambda: len(pids(product, *ROLES)) == 3)
    after = pids(product, *ROLES)
    assert after["web"] != before["web"]
    assert (after["worker"], after["media"]) == (before["worker"], before["media"])


def test_the_nursery_may_die_alone_and_is_there_when_it_is_needed(product: RunningProduct) -> None:
    until(lambda: len(pids(product, *ROLES, "nursery")) == 4)
    before = pids(product, *ROLES, "nursery")
    product.kill("nursery")
    product.kill("worker")
    until(lambda: pids(product, "worker").get("worker", before["worker"]) != before["worker"])
    after = pids(product, *ROLES, "nursery")
    assert (after["web"], after["media"]) == (before["web"], before["media"])
    assert after["nursery"] != before["nursery"]
    assert answers(product)


def _is_zombie(process: psutil.Process) -> bool:
    """One that has been buried meanwhile is none."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_what_is_left_by_a_process_that_died_is_buried(product: RunningProduct) -> None:
    assert product.process
    supervisor = psutil.Process(product.process.pid)
    product.kill("postgres")
    until(lambda: any(not _is_zombie(one) for one in product.children("postgres")))
    until(lambda: not any(_is_zombie(one) for one in supervisor.children()))
    until(lambda: answers(product))


def test_none_is_left_when_the_supervisor_is_killed() -> None:
    product = RunningProduct()
    product.start()
    try:
        assert product.process
        until(lambda: len(pids(product, *ROLES, "nursery")) == 4)
        whole = psutil.Process(product.process.pid).children(recursive=True)
        product.kill("supervisor")
        _gone, left = psutil.wait_procs(whole, timeout=60)
        assert left == []
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


def test_what_the_nursery_loads_starts_no_thread() -> None:
    code = (
        "import os; from everyline.roles.__main__ import load\n"
        "for role in ('post_office', 'network', 'worker', 'media', 'web'): load(role)\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
