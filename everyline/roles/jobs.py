"""Runs the jobs of all nouns."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import pkgutil

import procrastinate
import psycopg_pool

import everyline
from everyline.ground.installation import Ground
from everyline.ground.jobs import PERIODIC

log = logging.getLogger(__name__)


def load_tasks() -> None:
    """Import every noun's ``tasks`` module, which registers its jobs."""
    for module in pkgutil.iter_modules(everyline.__path__):
        if module.ispkg and importlib.util.find_spec(f"everyline.{module.name}.tasks"):
            importlib.import_module(f"everyline.{module.name}.tasks")


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
            async with app.open_async():
                await app.run_worker_async(
                    install_signal_handlers=False, delete_jobs="successful", shutdown_graceful_timeout=5
                )
        except (procrastinate.exceptions.ConnectorException, psycopg_pool.PoolTimeout, OSError) as error:
            log.warning("jobs wait for the database: %s", error)
        await asyncio.sleep(2)
