"""The vectors that our AWS signer is tested with (Tests/GatewaysTests) are what botocore signs.

`python Tests/Conformance/test_sigv4_vectors.py` writes them anew after a change of CASES.
"""

import datetime
import json
import pathlib
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

VECTORS = pathlib.Path(__file__).parent / "vectors" / "sigv4.json"
NOW = datetime.datetime(2026, 7, 23, 10, 11, 12, tzinfo=datetime.timezone.utc)
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
BEDROCK = "https://bedrock-runtime.eu-central-1.amazonaws.com"
CASES = [
    # name, method, URL, headers, body, service, session token
    ("get", "GET", "https://example.amazonaws.com/", {}, "", "service", None),
    ("no path", "GET", "https://example.amazonaws.com", {}, "", "service", None),
    ("query in order", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1&Param1=a&Empty", {}, "",
     "service", None),
    ("escaped query", "GET", "https://example.amazonaws.com/?a%20b=c%2Fd&%E1%88%B4=bar&e==", {}, "", "service", None),
    ("dots and slashes", "GET", "https://example.amazonaws.com/a/./b/../c//d/", {}, "", "service", None),
    ("above the root", "GET", "https://example.amazonaws.com/../..", {}, "", "service", None),
    ("escaped path", "GET", "https://example.amazonaws.com/a%20b/%E1%88%B4/x:y;z=1", {}, "", "service", None),
    ("json body", "POST", f"{BEDROCK}/model/anthropic.claude-3%3A0/invoke", {"Content-Type": "application/json"},
     '{"prompt":"grüße"}', "bedrock", None),
    ("session token", "POST", f"{BEDROCK}/model/m/converse", {"Content-Type": "application/json"}, "{}", "bedrock",
     "a/long+session==token"),
    ("spaces in headers", "POST", "https://example.amazonaws.com/x", {
        "Content-Type": "text/plain;   charset=utf-8", "X-Amz-Meta": "  a   b  "}, "x", "service", None),
    ("port", "PUT", "http://localhost:8000/Table", {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, "{}", "dynamodb", None),
    ("own port", "PUT", "https://example.amazonaws.com:443/Table", {}, "{}", "dynamodb", None),
    ("s3", "GET", "https://bucket.s3.amazonaws.com/a//b/../c%20d?list-type=2", {}, "", "s3", None),
    ("s3 put", "PUT", "https://bucket.s3.amazonaws.com/key", {"Content-Type": "text/plain"}, "body", "s3", "token"),
]


def signed(name, method, url, headers, body, service, token):
    signer = {"s3": botocore.auth.S3SigV4Auth}.get(service, botocore.auth.SigV4Auth)(
        Credentials(KEY, SECRET, token), service, "eu-central-1")
    request = AWSRequest(method, url, headers, body.encode())
    request.context["payload_signing_enabled"] = True
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW, create=True), \
            mock.patch("botocore.auth.datetime", create=True) as clock:
        clock.datetime.utcnow.return_value = NOW.replace(tzinfo=None)
        signer.add_auth(request)
    return {
        "name": name, "method": method, "url": url, "headers": headers, "body": body, "service": service, "token": token,
        "region": "eu-central-1", "key": KEY, "secret": SECRET, "time": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "signed": {key: value for key, value in sorted(request.headers.items()) if key not in headers}}


def vectors():
    return [signed(*case) for case in CASES]


def test_the_vectors_are_what_botocore_signs():
    assert json.loads(VECTORS.read_text()) == vectors()


if __name__ == "__main__":
    VECTORS.parent.mkdir(exist_ok=True)
    VECTORS.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
