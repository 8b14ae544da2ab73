"""A setting that is unknown, given twice or out of range stops the start, with its name, its place and what to write."""

import json

import pytest

from sluice_process import SluiceProcess


@pytest.fixture
def sluice(tmp_path):
    return SluiceProcess(tmp_path)


def started(sluice, *arguments, **settings):
    return sluice.run("serve", "--print-config", "--data-dir", sluice.data, *arguments, **settings)


def refused(ended, *said):
    assert ended.returncode == 78, ended
    assert all(each in ended.stderr for each in said), ended.stderr


@pytest.mark.parametrize("name, near", [
    ("SLUICE_RATE_LIMITS", "SLUICE_RATE_LIMIT"), ("SLUICE_DATADIR", "SLUICE_DATA_DIR"), ("SLUICE_LISTN", "SLUICE_LISTEN"),
    ("SLUICE_RUN_TIME_OUT", "SLUICE_RUN_TIMEOUT"), ("SLUICE_NOTHING_LIKE_IT_AT_ALL", "--print-config")])
def test_a_variable_that_is_no_setting_is_refused(sluice, name, near):
    refused(started(sluice, **{name: "1"}), "environment", name, near)


def test_all_unknown_variables_are_named(sluice):
    refused(started(sluice, SLUICE_ONE="1", SLUICE_TWO="2"), "SLUICE_ONE", "SLUICE_TWO")


def service(name):
    """The variables by which Kubernetes describes a service of the namespace, in every container of it."""
    port = "tcp://10.0.0.1:9090"
    return {
        f"{name}_SERVICE_HOST": "10.0.0.1", f"{name}_SERVICE_PORT": "9090", f"{name}_SERVICE_PORT_WEB_UI": "9090",
        f"{name}_PORT": port, f"{name}_PORT_9090_TCP": port, f"{name}_PORT_9090_TCP_PROTO": "tcp",
        f"{name}_PORT_9090_TCP_PORT": "9090", f"{name}_PORT_9090_TCP_ADDR": "10.0.0.1",
        f"{name}_PORT_53_UDP": "udp://[fd00::1]:53"}


@pytest.mark.parametrize("name", ["SLUICE", "SLUICE_X", "SLUICE_METRICS_2", "SLUICE_PORT", "SLUICE_SERVICE", "SLUICE_LISTEN"])
def test_variables_of_others_are_let_be(sluice, name):
    others = {"SLUICE_NEW_MASTER_KEY": "x", "OTHER_SLUICE_THING": "1", "SLUICE_ENV_PATH": "/bin"}
    assert started(sluice, **others, **service(name)).returncode == 0


@pytest.mark.parametrize("name, value", [
    ("SLUICE_PORT", "8092"), ("SLUICE_X_PORT", "8092"), ("SLUICE_X_SERVICE_PORT", "web"), ("SLUICE_PORTS", "1"),
    ("SLUICE_PORT_9090", "tcp://10.0.0.1:9090"), ("SLUICE_SERVICE", "10.0.0.1"), ("SLUICE_X_PORT_9090_HTTP", "tcp://10.0.0.1:9090"),
    ("SLUICE_X_PORT_9090_TCP_PORT", "no"), ("SLUICE_SERVICE_HOSTS", "10.0.0.1"), ("SLUICE_LISTEN_PORT", "tcp")])
def test_a_variable_that_only_resembles_those_of_a_service_is_refused(sluice, name, value):
    refused(started(sluice, **{name: value}), "environment", name)


def test_a_port_alone_is_refused_with_the_setting_that_has_it(sluice):
    refused(started(sluice, SLUICE_PORT="8092"), "SLUICE_PORT", "SLUICE_LISTEN, which is HOST:PORT")


@pytest.mark.parametrize("name, near", [("rate_limit", "rate-limit"), ("run-timout", "run-timeout"), ("Listen", "listen")])
def test_an_unknown_name_in_the_file_or_a_flag_is_refused_with_the_nearest(sluice, tmp_path, name, near):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({name: "5"}))
    refused(started(sluice, "--config", file), str(file), name, f"did you mean {near}?")
    refused(started(sluice, "--set", f"{name}=5"), "--set", name, f"did you mean {near}?")


@pytest.mark.parametrize("arguments, said", [
    (("--set", "rate-limit=1", "--set", "rate-limit=2"), "rate-limit is given twice"),
    (("--set", "listen=127.0.0.1:1", "--listen", "127.0.0.1:2"), "listen is given twice"),
    (("--set", "rate-limit"), "KEY=VALUE"), (("--set", "=5"), "no setting")])
def test_a_flag_that_would_be_ignored_is_refused(sluice, arguments, said):
    refused(started(sluice, *arguments), said)


@pytest.mark.parametrize("name, value", [
    ("rate-limit", "-1"), ("rate-limit", "1.5"), ("rate-limit", ""), ("connections-max", "0"), ("heartbeat", "0s"),
    ("heartbeat", "5"), ("run-timeout", "4000d"), ("run-timeout", "9223372036854775807d"), ("self-approval", "yes"),
    ("log-level", "loud"), ("listen", "8092"), ("principal-share", "101"), ("invoke-backoff-min", "2m")])
def test_a_value_out_of_range_is_refused_with_its_name_and_place(sluice, tmp_path, name, value):
    refused(started(sluice, "--set", f"{name}={value}"), name, "from the flag")
    refused(started(sluice, **{"SLUICE_" + name.upper().replace("-", "_"): value}), name, "from the environment")
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({name: value}))
    refused(started(sluice, "--config", file), name, "from the file")


@pytest.mark.parametrize("text, said", [
    ('{"rate-limit": true}', "rate-limit"), ('{"self-approval": 1}', "self-approval"), ('{"listen": 8092}', "listen"),
    ('{"rate-limit": 5, "rate-limit": 6}', "same name"), ('{"rate-limit": null}', "rate-limit"), ("[]", "one JSON object")])
def test_a_file_with_a_value_of_another_type_is_refused(sluice, tmp_path, text, said):
    file = tmp_path / "settings.json"
    file.write_text(text)
    refused(started(sluice, "--config", file), str(file), said)


def test_values_of_natural_types_are_taken(sluice, tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"rate-limit": 5, "self-approval": True, "run-timeout": "3d"}))
    shown = {each["key"]: each for each in map(json.loads, started(sluice, "--config", file, "--json").stdout.splitlines())}
    for key, value in (("rate-limit", "5"), ("self-approval", "true"), ("run-timeout", "3d")):
        assert shown[key] == {"key": key, "value": value, "source": "file"}
