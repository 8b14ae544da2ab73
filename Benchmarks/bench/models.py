"""Calls of models through the gateway, beside the same calls through LiteLLM's proxy and without anything between."""

import json
import secrets
from pathlib import Path

import wrk
from context import LOADS, Bench, NotMeasured
from daemon import KEY, Daemon
from processes import Server, free_port, is_listening, needed
from rounds import alternate
from table import Figure

CONNECTIONS = 16
CHUNKS = 500
LITELLM_KEY = "sk-" + secrets.token_hex(24)
LITELLM = LOADS.parent / ".venv" / "litellm" / "bin" / "litellm"

_NGINX = """
worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 10000000;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{whole}; location / {{ default_type application/json; return 200 '{answer}'; }} }}
  server {{
    listen 127.0.0.1:{streamed}; root {directory}; error_page 405 =200 /stream;
    location / {{ default_type text/event-stream; try_files /stream =404; }}
  }}
}}
"""


class Model(Server):
    """A model that answers at once: one port whole, one as a stream."""

    def __init__(self, bench: Bench) -> None:
        self.whole, self.streamed = free_port(), free_port()
        directory = bench.path("model")
        directory.mkdir()
        answer = {
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}}
        (directory / "stream").write_text(_stream())
        configuration = directory / "nginx.conf"
        configuration.write_text(_NGINX.format(
            directory=directory, whole=self.whole, streamed=self.streamed, answer=json.dumps(answer)))
        super().__init__([needed("nginx"), "-c", configuration, "-p", directory], bench.path("model.log"))
        self.await_ready(lambda: is_listening(self.whole))

    def url(self, model: str) -> str:
        return f"http://127.0.0.1:{self.streamed if model == 'streamed' else self.whole}/v1"


def _stream() -> str:
    def chunk(delta: dict, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        document = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return f"data: {json.dumps(document)}\n\n"

    return "".join(chunk({"content": "word "}) for _ in range(CHUNKS)) + chunk({}, "stop") + "data: [DONE]\n\n"


class LiteLLM(Server):
    """Its proxy with one worker, as it comes; without a database, so that it records nothing."""

    def __init__(self, bench: Bench, model: Model) -> None:
        if not LITELLM.exists():
            raise NotMeasured("LiteLLM is not installed: `make bench` installs it")
        self.port = free_port()
        configuration = bench.path("litellm.yaml")
        configuration.write_text(json.dumps({"model_list": [
            {"model_name": name, "litellm_params": {"model": "openai/m", "api_base": model.url(name), "api_key": "sk-x"}}
            for name in ("whole", "streamed")]}))
        super().__init__(
            [LITELLM, "--config", configuration, "--host", "127.0.0.1", "--port", self.port, "--num_workers", "1"],
            bench.path("litellm.log"),
            environment={
                "LITELLM_MASTER_KEY": LITELLM_KEY, "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"})
        self.await_ready(lambda: is_listening(self.port))


def beside_litellm(bench: Bench) -> list[Figure]:
    """Throughput, the time added to a call, the time added to a streamed chunk, and memory."""
    with Model(bench) as model, Daemon(bench) as daemon, LiteLLM(bench, model) as litellm:
        for name in ("whole", "streamed"):
            daemon.ask("POST", "/api/v1/model-providers", {
                "name": name, "credentials": {"api_key": "sk-of-the-model"},
                "spec": {"provider": "openai", "endpoint": model.url(name), "models": [name], "auth": {"type": "APIKey"}}})
        ours, theirs = (f"{daemon.url}/v1", KEY), (f"http://127.0.0.1:{litellm.port}/v1", LITELLM_KEY)

        def rate(server: tuple[str, str]) -> float:
            return _measured(bench, server, "whole", CONNECTIONS)[0]

        def added(server: tuple[str, str], name: str) -> float:
            return _measured(bench, server, name, 1)[1] - _measured(bench, (model.url(name), KEY), name, 1)[1]

        throughput = alternate(bench.rounds, lambda: rate(ours), lambda: rate(theirs))
        call = alternate(bench.rounds, lambda: added(ours, "whole"), lambda: added(theirs, "whole"))
        chunks = alternate(bench.rounds, lambda: added(ours, "streamed"), lambda: added(theirs, "streamed"))
        memory = (daemon.peak_mib, litellm.peak_mib)
    peer = "LiteLLM's proxy"
    return [
        Figure.of(throughput, peer),
        Figure(f"{call.median:.2f} ms", call.ratio, f"{peer} {call.median_beside:.2f} ms", f"{call.ratio:.2f}"),
        Figure(
            f"{chunks.median * 1000 / CHUNKS:.1f} µs", chunks.ratio,
            f"{peer} {chunks.median_beside * 1000 / CHUNKS:.1f} µs", f"{chunks.ratio:.3f}"),
        Figure(f"{memory[0]:.0f} MiB", memory[0] / memory[1], f"{peer} {memory[1]:.0f} MiB", f"{memory[0] / memory[1]:.2f}"),
    ]


def _measured(bench: Bench, server: tuple[str, str], name: str, connections: int) -> tuple[float, float]:
    base, key = server
    body = Path(bench.directory / f"ask-{name}.json")
    body.write_text(json.dumps(
        {"model": name, "messages": [{"role": "user", "content": "a question"}], "stream": name == "streamed"}))
    return wrk.timed(
        bench, connections, ["--timeout", "30s", "-s", LOADS / "post.lua", f"{base}/chat/completions"],
        {"SLUICE_API_KEY": key, "BENCH_BODY_FILE": str(body), "BENCH_CONTENT_TYPE": "application/json"})
