"""``signalling``: new calls a second answered over SIP, from SIPp: how long an answer takes, the processor, and what is left after many.

Fifty calls a second for ``EVERYLINE_BENCH_CALLS`` calls (10,000), each answered, acknowledged and hung up after a second. The
exchange is a process of its own. Objects and memory are counted after a first thousand and after all, each time when the
answers that are kept for repetition (a minute's worth) are gone.
"""

from __future__ import annotations

import asyncio
import csv
import gc
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.stage import cpu, percentile, report
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.trunks import Trunk

CALLS = int(os.environ.get("EVERYLINE_BENCH_CALLS", "10000"))
WARM = min(1000, CALLS)
RATE = 50
REST = 70.0 if CALLS >= 1000 else 2.0  # seconds; sippy keeps answers for repetition for up to 64
PEER = "127.0.0.2"
BODY = b"v=0\r\no=house 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n"
SCENARIO = """<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="bench">
  <send retrans="500" start_rtd="1"><![CDATA[
      INVITE sip:+12025550100@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
      From: "Ada" <sip:+12025550123@[local_ip]>;tag=[call_number]x
      To: <sip:+12025550100@[remote_ip]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:peer@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=peer 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [local_ip]
      t=0 0
      m=audio 40000 RTP/AVP 0
  ]]></send>
  <recv response="100" optional="true" />
  <recv response="180" optional="true" />
  <recv response="200" rtd="1" />
  <send><![CDATA[
      ACK sip:+12025550100@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
      From: "Ada" <sip:+12025550123@[local_ip]>;tag=[call_number]x
      To: <sip:+12025550100@[remote_ip]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>
  <pause milliseconds="1000" />
  <send retrans="500"><![CDATA[
      BYE sip:+12025550100@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
      From: "Ada" <sip:+12025550123@[local_ip]>;tag=[call_number]x
      To: <sip:+12025550100@[remote_ip]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 2 BYE
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>
  <recv response="200" />
</scenario>
"""


async def serve() -> None:
    """The exchange: answers every call; for each line on standard input, one line of what there is."""
    answered = 0

    async def on_call(call: IncomingCall) -> None:
        nonlocal answered
        call.ring()
        call.answer(BODY)
        answered += 1
        async for _ in call.events():
            pass

    trunk = Trunk("north", PEER, calls_in_per_minute=1e9, most_calls=10_000)
    async with SipExchange(Listening(), [trunk], on_call) as exchange:
        print(exchange.port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            gc.collect()
            figures = {
                "objects": len(gc.get_objects()),
                "memory": psutil.Process().memory_info().rss,
                "transactions": await exchange.wire.standing(),
                "calls": len(exchange.calls),
                "answered": answered,
            }
            print(json.dumps(figures), flush=True)


def look(server: subprocess.Popen[str]) -> dict[str, int]:
    """What the exchange holds at present."""
    assert server.stdin
    assert server.stdout
    server.stdin.write("\n")
    server.stdin.flush()
    found: dict[str, int] = json.loads(server.stdout.readline())
    return found


def call(folder: Path, port: int, calls: int) -> list[float]:
    """So many calls; returns the milliseconds until each was answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((PEER, 0))
        own = probe.getsockname()[1]
    for old in folder.glob("*_rtt.csv"):
        old.unlink()
    command = [
        "sipp",
        "-sf",
        "bench.xml",
        "-m",
        str(calls),
        "-r",
        str(RATE),
        "-l",
        "2000",
        "-i",
        PEER,
        "-p",
        str(own),
        "-nostdin",
    ]
    command += ["-trace_rtt", "-rtt_freq", "1", f"127.0.0.1:{port}"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"SIPp ended with {done.returncode}: calls failed")
    with next(folder.glob("*_rtt.csv")).open(encoding="ascii") as lines:
        return [
            float(row[1])
            for row in csv.reader(lines, delimiter=";")
            if len(row) > 2 and row[1].replace(".", "").isdecimal()
        ]


def main() -> None:
    """Measure and report."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
        return
    if shutil.which("sipp") is None:
        sys.exit("SIPp is not here; run: make test, or install the Debian package sip-tester")
    folder = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    (folder / "bench.xml").write_text(SCENARIO, "utf-8")
    command = [sys.executable, "-m", "benchmarks.bench_signalling", "serve"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        port = int(server.stdout.readline())
        call(folder, port, WARM)
        time.sleep(REST)
        first = look(server)
        process = psutil.Process(server.pid)
        before, began = cpu(process), time.monotonic()
        times = call(folder, port, CALLS)
        seconds, used = time.monotonic() - began, cpu(process) - before
        time.sleep(REST)
        last = look(server)
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
    report(
        "signalling",
        {
            "calls": last["answered"] - first["answered"],
            "calls_per_second": CALLS / max(seconds - 1.0, 0.001),
            "answered_p50_ms": percentile(times, 0.5),
            "answered_p99_ms": percentile(times, 0.99),
            "cpu_percent_of_a_core": used / seconds * 100,
            "cpu_per_call_ms": used / CALLS * 1000,
            "objects_after_warm_up": first["objects"],
            "objects_grown": last["objects"] - first["objects"],
            "memory_mb": last["memory"] / 1e6,
            "memory_grown_mb": (last["memory"] - first["memory"]) / 1e6,
            "transactions_left": last["transactions"],
            "calls_left": last["calls"],
        },
        {"answered_p99_ms": 100, "objects_grown": 1000, "memory_grown_mb": 10, "transactions_left": 0, "calls_left": 0},
    )


if __name__ == "__main__":
    main()
