"""Runs the jobs of all nouns."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import pkgutil

import procrastinate
import psycopg_pool
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

import everyline
from everyline.ground.installation import Ground
from everyline.ground.jobs import PERIODIC

log = logging.getLogger(__name__)

STALLED_SECONDS = 30  # a process that has not said for so long that it lives is gone; it says so every ten seconds
LOOK_SECONDS = 10


def load_tasks() -> None:
    """Import every noun's ``tasks`` module, which registers its jobs."""
    for module in pkgutil.iter_modules(everyline.__path__):
        if module.ispkg and importlib.util.find_spec(f"everyline.{module.name}.tasks"):
            importlib.import_module(f"everyline.{module.name}.tasks")


async def take_up(app: procrastinate.App) -> None:
    """For ever: have done again what processes that are gone left undone."""
    jobs = app.job_manager
    while True:
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            try:
                await jobs.retry_job(job)
                log.warning("%s was left undone and is done again", job.task_name)
            except UniqueViolation:  # the same waits already to be done
                await jobs.finish_job(job, Status.FAILED, delete_job=True)
            except ConnectorException as error:
                log.info("another process was first to take up %s: %s", job.task_name, error)
        await asyncio.sleep(LOOK_SECONDS)


async def run_jobs(ground: Ground) -> None:
    """For ever; a lost database is waited for."""
    load_tasks()
    while True:
        connector = procrastinate.PsycopgConnector(conninfo=ground.database.url, min_size=0, max_size=3, max_idle=30.0)
        app = procrastinate.App(connector=connector)
        for name, (cron, job) in PERIODIC.items():

            async def run(timestamp: int, *, job: object = job) -> None:  # noqa: ARG001 -- the job runner gives it
                await job(ground)  # type: ignore[operator]  # -- a registered job

            app.periodic(cron=cron)(app.task(name=name, queueing_lock=name, pass_context=False)(run))
        try:
            async with app.open_async(), asyncio.TaskGroup() as together:
                taking_up = together.create_task(take_up(app))
                await app.run_worker_async(
                    install_signal_handlers=False, delete_jobs="successful", shutdown_graceful_timeout=5
                )
                taking_up.cancel()
        except* (ConnectorException, psycopg_pool.PoolTimeout, OSError) as lost:
            log.warning("jobs wait for the database: %s", lost.exceptions[0])
        await asyncio.sleep(2)
