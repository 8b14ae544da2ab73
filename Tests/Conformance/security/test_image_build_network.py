"""The build of an image has one way out: packages come through the proxy from the configured index, nothing else does."""

import pytest

from deployed_agents import DeployedAgents
from package_index import Listener, PackageIndex
from sluice_process import SluiceProcess
from test_build_images import ImageBuilds, fill
from test_image_agents import podman

FILES = {"agent.py": "import fetched\n\ndef handler(request, context=None):\n    return 'with ' + fetched.__name__\n"}


@pytest.fixture(scope="module")
def index():
    index = PackageIndex()
    yield index
    index.stop()


@pytest.fixture(scope="module")
def sluice(tmp_path_factory, index):
    """A daemon that makes images with podman, and knows one index beside the default."""
    with podman(tmp_path_factory.mktemp("engine")) as engine:
        listed = engine.run("ps")
        if listed.returncode != 0:
            pytest.skip(f"podman does not work on this machine, so that it makes no images here: {listed.stderr[-500:]}")
        fill(engine)
        process = SluiceProcess(tmp_path_factory.mktemp("image-network"), {
            "SLUICE_CONTAINER_ENGINE": engine.program, "SLUICE_CONTAINER_ARGUMENTS": " ".join(engine.arguments),
            "SLUICE_BUILD_IMAGES": "podman", "SLUICE_BUILD_IMAGE_BASE": "localhost/base:1",
            "PIP_EXTRA_INDEX_URL": index.url}).start()
        yield process
        assert process.stop() == 0


def build(sluice, name, files, requirements):
    builds = ImageBuilds(sluice)
    answer = builds.api.post("/api/v1/builds", {"name": name, "files": files, "requirements": requirements})
    assert answer.status == 202, answer
    made = builds.ended(answer.json)
    return made, builds.api.get(f"/api/v1/builds/{made['id']}/logs").json["logs"]


def test_an_image_gets_its_packages_from_the_index_through_the_proxy(sluice, index):
    index.add("fetched", "pass")
    made, log = build(sluice, "fetching", FILES, "fetched")
    assert made["status"] == "SUCCEEDED" and "image_error" not in made, (made, log)
    # Once for the environment, once within the image's own build.
    assert index.requests.count("/files/fetched-1.0.tar.gz") == 2, index.requests
    answer = DeployedAgents(sluice).api.post(
        "/api/v1/deploy", {"agent_name": "fetching", "artifact_id": made["id"], "execution_mode": "image"})
    assert answer.status == 201, answer
    assert DeployedAgents(sluice).ask("fetching")["response"] == "with fetched"


def test_a_package_in_an_images_build_reaches_nothing_but_the_index(sluice, index):
    victim = Listener()
    index.add("prowls", f"""
import os, socket
if os.path.exists("/run/.containerenv"):
    for address in [("127.0.0.1", {victim.port}), ("127.0.0.1", {sluice.port}), ("127.0.0.1", {index.port}),
                    ("169.254.169.254", 80), ("10.0.0.1", 80), ("1.1.1.1", 443)]:
        try:
            socket.create_connection(address, timeout=2)
            print("REACHED", address)
        except OSError as error:
            print("CLOSED", address)
    proxy = os.environ["HTTP_PROXY"].removeprefix("http://").rstrip("/").rsplit(":", 1)
    for target in ("127.0.0.1:{victim.port}", "127.0.0.1:{sluice.port}", "169.254.169.254:80"):
        with socket.create_connection((proxy[0], int(proxy[1])), timeout=30) as connection:
            connection.sendall(f"CONNECT {{target}} HTTP/1.1\\r\\n\\r\\n".encode())
            print("TUNNEL", connection.recv(4096).split(b" ")[1].decode())
    raise SystemExit(1)
""")
    made, log = build(sluice, "prowling", {"agent.py": FILES["agent.py"].replace("fetched", "prowls")}, "prowls")
    assert made["status"] == "FAILED", (made, log)
    assert "REACHED" not in log and log.count("CLOSED") == 6, log
    tunnels = [line.split()[-1] for line in log.splitlines() if "TUNNEL" in line]
    assert tunnels == ["403"] * 3, log
    assert victim.connections == 0
    victim.stop()
