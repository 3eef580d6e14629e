"""``kill``: ``kill -9`` of each process and of the database at random moments while 2,000 mails arrive by SMTP and HTTP and
an agent takes what is offered; then everything is counted. ``EVERYLINE_BENCH_SEED`` chooses other moments."""

from __future__ import annotations

import os
import sys
import time

from benchmarks.stage import report
from tests.kill.soak import soak

MAILS = 2000
SECONDS = 60.0


def main() -> int:
    """Run it and report; what is not as it must be is told on standard error."""
    seed = int(os.environ.pop("EVERYLINE_BENCH_SEED", "0")) or time.time_ns() % 100_000
    outcome = soak(MAILS, seed=seed, seconds=SECONDS, hasten=False)
    for fault in (*outcome.refused[:10], *outcome.faults):
        sys.stderr.write(f"{fault}\n")
    report(
        "kill",
        {
            "mails_count": outcome.mails,
            "kills_count": outcome.kills.total(),
            **{f"kills_of_{victim.replace(' ', '_')}_count": n for victim, n in sorted(outcome.kills.items())},
            "handed_in_again_count": outcome.sent_again,
            "refused_count": len(outcome.refused),
            "faults_count": len(outcome.faults),
            "settled_by_agent_count": outcome.settled_by_agent,
            "deliveries_unknown_count": outcome.deliveries.get("unknown", 0),
            "at_rest_after_seconds": outcome.settled_seconds,
            "seed": seed,
        },
        {"refused_count": 0, "faults_count": 0},
    )
    return 1 if outcome.refused or outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
