"""Runs one benchmark or all, each in a process of its own; prints one JSON line each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    """Exit code 1 when one of them could not be run; a figure over its limit is printed, not judged."""
    wanted = [f"bench_{name}" for name in sys.argv[1:]] or NAMES
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        sys.stderr.write(
            f"there is no benchmark {unknown[0][6:]}; there are: {', '.join(name[6:] for name in NAMES)}\n"
        )
        return 2
    return max(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode for name in wanted)


if __name__ == "__main__":
    sys.exit(main())
