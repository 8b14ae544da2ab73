"""Files: what Sluice writes can be read by its user alone, and it starts nowhere else."""

import os
import stat
import subprocess

import pytest

from sluice_process import BINARY, SluiceProcess

UNUSABLE = 73
# The sandbox's user connects to the one and reads the others, through mounts; the directory above lets nobody else in.
SHARED = {"gate.sock": 0o666, "launch.py": 0o644, "build.py": 0o644, "modules": 0o755, "sluice_agent": 0o755}


def modes(directory):
    """The mode of everything below a directory that is no link."""
    found = {}
    for root, directories, files in os.walk(directory):
        for name in directories + files:
            path = os.path.join(root, name)
            status = os.lstat(path)
            if not stat.S_ISLNK(status.st_mode):
                found[path] = stat.S_IMODE(status.st_mode)
    return found


def opened(directory):
    """What others than the owner have any access to, by its mode."""
    return {path: oct(mode) for path, mode in modes(directory).items()
            if mode & 0o077 and SHARED.get(os.path.basename(path)) != mode
            and not ("/modules/sluice_agent/" in path and mode == 0o644)
            and "/bundles/" not in path and "/environments/" not in path}


@pytest.fixture(autouse=True)
def loose_umask():
    """Commands run under the loosest mask that an operator may have."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_serve_backup_restore_and_rotate_write_for_their_user_alone(tmp_path):
    sluice = SluiceProcess(tmp_path / "one")
    sluice.directory.mkdir()
    sluice.start()
    api = sluice.client()
    assert api.post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
    assert api.post("/api/v1/tools", {
        "name": "bank", "base_url": "https://bank.test", "credentials": {"api_key": "s3cr3t"}}).status == 201
    assert api.get("/runs?as_of=1").status == 200
    assert stat.S_IMODE(os.stat(sluice.data).st_mode) == 0o700
    for name in ("read-model.sqlite", "read-model.sqlite-wal", "keyring", "master.key"):
        assert stat.S_IMODE(os.stat(sluice.data / name).st_mode) == 0o600, name
    assert opened(sluice.data) == {}
    assert sluice.run("backup", tmp_path / "backup", "--data-dir", sluice.data).returncode == 0
    assert opened(tmp_path / "backup") == {} and stat.S_IMODE(os.stat(tmp_path / "backup").st_mode) == 0o700
    assert sluice.stop() == 0
    assert sluice.run("secrets", "rotate-master-key", "--data-dir", sluice.data).returncode == 0
    assert opened(sluice.data) == {}
    restored = tmp_path / "restored"
    assert sluice.run("restore", tmp_path / "backup", "--data-dir", restored).returncode == 0
    assert opened(restored) == {} and stat.S_IMODE(os.stat(restored).st_mode) == 0o700
    assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
    assert opened(sluice.data) == {}


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o770, 0o777])
def test_a_data_directory_that_others_have_access_to_is_refused(tmp_path, mode):
    sluice = SluiceProcess(tmp_path)
    sluice.data.mkdir(mode=mode)
    ended = subprocess.run(
        [BINARY, "serve", "--data-dir", sluice.data, "--listen", "127.0.0.1:0"], env=sluice.environment(),
        capture_output=True, text=True, timeout=60)
    assert ended.returncode == UNUSABLE and f"chmod 700 {sluice.data}" in ended.stderr, ended
    assert os.listdir(sluice.data) == []
    sluice.data.chmod(0o700)
    sluice.start()
    assert sluice.stop() == 0


def test_the_read_models_of_an_older_sluice_are_closed_at_the_start(tmp_path):
    sluice = SluiceProcess(tmp_path).start()
    assert sluice.stop() == 0
    database = sluice.data / "read-model.sqlite"
    database.chmod(0o644)
    sluice.start()
    assert {stat.S_IMODE(path.stat().st_mode) for path in sluice.data.glob("read-model.sqlite*")} == {0o600}
    assert sluice.stop() == 0


COMMANDS = {
    "backup": lambda directory: ("backup", directory / "backup"), "rotate": lambda _: ("secrets", "rotate-master-key"),
    "rebuild": lambda _: ("projections", "rebuild"),
}


@pytest.fixture
def stopped(tmp_path):
    sluice = SluiceProcess(tmp_path).start()
    assert sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
    assert sluice.stop() == 0
    return sluice


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_opens_keys_refuses_a_directory_that_others_have_access_to(stopped, command):
    arguments = COMMANDS[command](stopped.directory)
    stopped.data.chmod(0o755)
    refused = stopped.run(*arguments, "--data-dir", stopped.data)
    assert refused.returncode == UNUSABLE and f"chmod 700 {stopped.data}" in refused.stderr, refused
    stopped.data.chmod(0o700)
    assert stopped.run(*arguments, "--data-dir", stopped.data).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory to another user")
@pytest.mark.parametrize("command", [*COMMANDS, "serve"])
def test_a_command_that_opens_keys_refuses_another_users_directory(stopped, command):
    os.chown(stopped.data, 65534, 65534)
    arguments = COMMANDS.get(command, lambda _: ("serve", "--listen", "127.0.0.1:0"))(stopped.directory)
    refused = stopped.run(*arguments, "--data-dir", stopped.data)
    assert refused.returncode == UNUSABLE and "belongs to user 65534" in refused.stderr, refused
    assert "run the command as its owner" in refused.stderr


def test_an_auditor_verifies_a_copy_that_others_can_read(stopped):
    stopped.data.chmod(0o755)
    assert stopped.run("log", "verify", "--data-dir", stopped.data).returncode == 0
    shown = stopped.run("log", "cat", "--data-dir", stopped.data)
    assert shown.returncode == 0 and shown.stdout, shown
