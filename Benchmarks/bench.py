"""Prints the figures of docs/benchmarks.md: each row measured side by side in one run, medians of alternating rounds.

Run by `make bench`, which builds the release configuration. Needs wrk.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).parent
KEY = "benchmark-admin-key-0123456789"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def await_port(port, process):
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            time.sleep(0.02)
    raise SystemExit(f"nothing listens on {port}")


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, json.dumps(body), {"Authorization": f"Bearer {KEY}"})
    return json.loads(connection.getresponse().read())


def wrk(url, seconds):
    """Requests a second over 64 keep-alive connections; every answer must be a success."""
    ended = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", HERE / "post.lua", url], capture_output=True, text=True,
        env=os.environ | {"SLUICE_API_KEY": KEY}, check=True)
    assert "Non-2xx" not in ended.stdout, ended.stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", ended.stdout)[1])


def seconds_of(command):
    start = time.monotonic()
    ended = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=True)
    return time.monotonic() - start, ended.stdout


def json_lines_bytes(binary, data):
    """The same events as JSON lines: what somebody would have written without a log of their own."""
    listing = subprocess.Popen([binary, "log", "cat", "--data-dir", data], stdout=subprocess.PIPE)
    return sum(len(line) for line in listing.stdout)


def main(products, rounds, seconds):
    sluice, echo = products / "sluice", products / "EchoServer"
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=os.environ.get("BENCH_DIR")) as directory:
        data = pathlib.Path(directory) / "data"
        ports = free_port(), free_port()
        with open(pathlib.Path(directory) / "sluice.log", "wb") as log:
            daemon = subprocess.Popen(
                [sluice, "serve", "--data-dir", data, "--listen", f"127.0.0.1:{ports[0]}"], stdout=log, stderr=log,
                env=os.environ | {"SLUICE_API_KEY": KEY})
        ceiling = subprocess.Popen([echo, str(ports[1])])
        try:
            await_port(ports[0], daemon), await_port(ports[1], ceiling)
            run = ask(ports[0], "POST", "/runs", {"agent_id": "billing", "user_id": "u"})["id"]
            durable, bare = [], []
            for _ in range(rounds):
                durable.append(wrk(f"http://127.0.0.1:{ports[0]}/runs/{run}/events", seconds))
                bare.append(wrk(f"http://127.0.0.1:{ports[1]}/echo", seconds))
            resident = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{daemon.pid}/status").read_text())[1])
        finally:
            ceiling.terminate()
            daemon.terminate()
            assert daemon.wait() == 0
            ceiling.wait()
        stats = json.loads(seconds_of([sluice, "log", "stats", "--data-dir", data, "--json"])[1])
        verify = statistics.median(
            seconds_of([sluice, "log", "verify", "--data-dir", data])[0] for _ in range(rounds))
        rebuild = seconds_of([sluice, "projections", "rebuild", "--data-dir", data])[0]
        lines = json_lines_bytes(sluice, data)
    count = stats["records"]
    durable, bare = statistics.median(durable), statistics.median(bare)
    print("| what | figure | beside | ratio |")
    print("|---|--:|--:|--:|")
    print(f"| durable `POST /runs/{{id}}/events`, 64 connections | {durable:,.0f}/s | bare Hummingbird echo {bare:,.0f}/s "
          f"| {durable / bare:.2f} |")
    print(f"| log bytes an event | {stats['stored_bytes'] / count:.0f} | as JSON lines {lines / count:.0f} "
          f"| {stats['stored_bytes'] / lines:.2f} |")
    print(f"| `sluice log verify`, decoding every event | {count / verify:,.0f}/s | | |")
    print(f"| `sluice projections rebuild` | {count / rebuild:,.0f}/s | | |")
    print(f"\n{count:,} events; the daemon's resident memory was {resident / 1024:.0f} MiB at most")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=pathlib.Path, required=True, help="where the release binaries are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.products, arguments.rounds, arguments.seconds)
