"""Calls of models through the gateway, beside the same calls through LiteLLM's proxy and without anything between."""

import json
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import wrk
from context import LOADS, Bench, NotMeasured
from daemon import KEY, Daemon
from processes import Server, free_port, is_listening, needed
from rounds import Pair, alternate
from table import Figure

CONNECTIONS = 16
CHUNKS = 500
PEER = "LiteLLM's proxy"
LITELLM_KEY = "sk-" + secrets.token_hex(24)
LITELLM = LOADS.parent / ".venv" / "litellm" / "bin" / "litellm"

_NGINX = """
worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 10000000;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{whole}; default_type application/json;
    location / {{ return 200 '{completion}'; }}
    location = /v1/responses {{ return 200 '{response}'; }}
  }}
  server {{
    listen 127.0.0.1:{streamed}; root {directory}; error_page 405 =200 /stream;
    location / {{ default_type text/event-stream; try_files /stream =404; }}
  }}
}}
"""


_COMPLETION = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}}
_RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m",
    "output": [{
        "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "hello", "annotations": []}]}],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    "usage": {
        "input_tokens": 7, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 12}}


@dataclass(frozen=True)
class Dialect:
    """A path below `/v1`, and the body that asks the model of that name a question there."""

    path: str
    question: Callable[[str], dict]


_MESSAGES = [{"role": "user", "content": "a question"}]
CHAT = Dialect(
    "chat/completions", lambda name: {"model": name, "messages": _MESSAGES, "stream": name == "streamed"})
MESSAGES = Dialect("messages", lambda name: {"model": name, "messages": _MESSAGES, "max_tokens": 100})
RESPONSES = Dialect("responses", lambda name: {"model": name, "input": "a question"})


class Model(Server):
    """A model that answers at once: one port whole, one as a stream of chat completions."""

    def __init__(self, bench: Bench) -> None:
        self.whole, self.streamed = free_port(), free_port()
        directory = bench.path("model")
        directory.mkdir()
        (directory / "stream").write_text(_stream())
        configuration = directory / "nginx.conf"
        configuration.write_text(_NGINX.format(
            directory=directory, whole=self.whole, streamed=self.streamed, completion=json.dumps(_COMPLETION),
            response=json.dumps(_RESPONSE)))
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


class Proxies:
    """A model, and both proxies before it."""

    def __init__(self, bench: Bench, stack: ExitStack) -> None:
        self.bench = bench
        self.model = stack.enter_context(Model(bench))
        self.daemon = stack.enter_context(Daemon(bench))
        self.litellm = stack.enter_context(LiteLLM(bench, self.model))
        for name in ("whole", "streamed"):
            self.daemon.ask("POST", "/api/v1/model-providers", {
                "name": name, "credentials": {"api_key": "sk-of-the-model"},
                "spec": {
                    "provider": "openai", "endpoint": self.model.url(name), "models": [name],
                    "auth": {"type": "APIKey"}}})
        self.ours = (f"{self.daemon.url}/v1", KEY)
        self.theirs = (f"http://127.0.0.1:{self.litellm.port}/v1", LITELLM_KEY)

    def throughput(self, dialect: Dialect) -> Figure:
        def rate(server: tuple[str, str]) -> float:
            return self._measured(server, dialect, "whole", CONNECTIONS)[0]

        return Figure.of(alternate(self.bench.rounds, lambda: rate(self.ours), lambda: rate(self.theirs)), PEER)

    def added_time(self, dialect: Dialect, name: str) -> Pair:
        """Milliseconds beyond those of the model itself."""
        def added(server: tuple[str, str]) -> float:
            alone = self._measured((self.model.url(name), KEY), dialect, name, 1)[1]
            return self._measured(server, dialect, name, 1)[1] - alone

        return alternate(self.bench.rounds, lambda: added(self.ours), lambda: added(self.theirs))

    def memory(self) -> Figure:
        ours, theirs = self.daemon.peak_mib, self.litellm.peak_mib
        return Figure(f"{ours:.0f} MiB", ours / theirs, f"{PEER} {theirs:.0f} MiB", f"{ours / theirs:.2f}")

    def _measured(
        self, server: tuple[str, str], dialect: Dialect, name: str, connections: int
    ) -> tuple[float, float]:
        base, key = server
        body = Path(self.bench.directory / f"ask-{name}.json")
        body.write_text(json.dumps(dialect.question(name)))
        return wrk.timed(
            self.bench, connections, ["--timeout", "30s", "-s", LOADS / "post.lua", f"{base}/{dialect.path}"],
            {"SLUICE_API_KEY": key, "BENCH_BODY_FILE": str(body), "BENCH_CONTENT_TYPE": "application/json"})


def _of_call(call: Pair) -> Figure:
    return Figure(f"{call.median:.2f} ms", call.ratio, f"{PEER} {call.median_beside:.2f} ms", f"{call.ratio:.2f}")


def chats_beside_litellm(bench: Bench) -> list[Figure]:
    """Throughput, the time added to a call, the time added to a streamed chunk, and memory."""
    with ExitStack() as stack:
        proxies = Proxies(bench, stack)
        throughput, call = proxies.throughput(CHAT), proxies.added_time(CHAT, "whole")
        chunks = proxies.added_time(CHAT, "streamed")
        chunk = Figure(
            f"{chunks.median * 1000 / CHUNKS:.1f} µs", chunks.ratio,
            f"{PEER} {chunks.median_beside * 1000 / CHUNKS:.1f} µs", f"{chunks.ratio:.3f}")
        return [throughput, _of_call(call), chunk, proxies.memory()]


def _calls(bench: Bench, dialect: Dialect) -> list[Figure]:
    """Throughput, the time added to a call, and memory."""
    with ExitStack() as stack:
        proxies = Proxies(bench, stack)
        return [proxies.throughput(dialect), _of_call(proxies.added_time(dialect, "whole")), proxies.memory()]


def responses_beside_litellm(bench: Bench) -> list[Figure]:
    """The model serves both the responses and the completions that a proxy may ask it for."""
    return _calls(bench, RESPONSES)


def messages_beside_litellm(bench: Bench) -> list[Figure]:
    """As `responses_beside_litellm`, for messages in Anthropic's words."""
    return _calls(bench, MESSAGES)
