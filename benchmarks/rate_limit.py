"""How exactly the client keeps to its rate: sixteen threads against a server that would take more.

python benchmarks/rate_limit.py
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from registry import write_registry
from rounds import serving

from pipelines.settings import read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport

RATES = (5, 20, 200)
_SECONDS = 10
_THREADS = 16


def main() -> None:
    """Print the rate reached for each that is asked for."""
    print("| asked, requests/s | sent in 10 s | reached | off |\n|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as temporary:
        write_registry(Path(temporary), 10, 10)
        with serving(Path(temporary)) as url:
            for rate in RATES:
                sent = requests_sent(url, rate)
                reached = sent / _SECONDS
                print(
                    f"| {rate} | {sent} | {reached:.1f} | {reached / rate - 1:+.1%} |", flush=True
                )


def requests_sent(url: str, rate: float) -> int:
    """Send as many requests as the client lets through in ten seconds."""
    settings = read_settings(
        endpoint_setting=url,
        auth_token="any",  # noqa: S106 - the benchmark's server takes any
        requests_per_second=rate,
        concurrency=_THREADS,
    )
    with Transport(settings) as transport, ThreadPoolExecutor(_THREADS) as pool:
        client = client_from(settings, transport)
        end = time.monotonic() + _SECONDS

        def ask(_: int) -> int:
            answered = 0
            while time.monotonic() < end:
                client.namespaces()
                answered += time.monotonic() < end
            return answered

        return sum(pool.map(ask, range(_THREADS)))


if __name__ == "__main__":
    main()
