"""Revoking a key stops what runs away with it, wherever that runs: nothing reaches a tool or a model any more."""

import contextlib
import threading
import time

from governed_agent import GovernedAgent, store_tool
from scripted_model import ScriptedModel
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from waiting import eventually

STOP_SECONDS = 2
GONE_SECONDS = 15


@contextlib.contextmanager
def outside_runaway(sluice, token, run, workers=8):
    """An agent outside of Sluice that calls tool and model from many threads with its key, whatever it is answered."""
    ended = threading.Event()
    body = {"model": "m", "messages": [{"role": "user", "content": "on"}]}

    def work():
        client = sluice.client(token, **{"X-Run-ID": run})
        while not ended.is_set():
            for path, sent in ((f"/as/{token}/egress/pay/loop", {}), ("/v1/chat/completions", body)):
                with contextlib.suppress(OSError):
                    client.post(path, sent)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_revoking_its_key_ends_all_calls_of_an_agent_that_runs_outside(tmp_path):
    sluice, tool, model = SluiceProcess(tmp_path).start(), ScriptedTool(), ScriptedModel()
    api, arrivals, closed = sluice.client(), [], threading.Event()

    def held():
        try:
            while True:
                yield b"."
                time.sleep(0.05)
        finally:
            closed.set()

    def answer(call):
        arrivals.append(time.monotonic())
        streamed = 200, [("Content-Type", "text/event-stream")], held()
        return streamed if call.target == "/held" else (200, [], b"done")

    tool.answer = answer
    model.say = lambda body: arrivals.append(time.monotonic()) or {"role": "assistant", "content": "on"}
    store_tool(sluice, "pay", tool.url)
    assert api.post("/api/v1/model-providers", {"name": "m", "spec": {
        "provider": "vllm", "endpoint": model.url, "models": ["m"]}}).status == 201
    agent = GovernedAgent(sluice, "outside", [("allow", ["*"], tool.url + "/*")])
    run = agent.start()
    made = api.post("/api/v1/auth/api-keys", {"name": "runaway", "role": "agent", "agent": "outside"}).json
    response, connection = agent.open(run, "GET", "pay", "/held", token=made["token"])
    assert response.status == 200, response.read(300)
    assert response.read(1) == b"."
    with outside_runaway(sluice, made["token"], run):
        asked = model.calls.qsize
        eventually(lambda: (len(arrivals), asked()), lambda counts: counts[0] > 40 and counts[1] > 10)
        assert api.delete(f"/api/v1/auth/api-keys/{made['key']['id']}").status < 300
        answered = time.monotonic()
        assert closed.wait(GONE_SECONDS), "the response that was being streamed has not ended"
        eventually(lambda: time.monotonic() - answered, lambda seconds: seconds > 2 * STOP_SECONDS)
    late = [arrival - answered for arrival in arrivals if arrival > answered + STOP_SECONDS]
    assert not late, late
    connection.close()
    # Its other key still calls.
    assert agent.call(run, "POST", "pay", "/loop", b"x").status == 200
    assert sluice.stop() == 0
    tool.close()
    model.close()
