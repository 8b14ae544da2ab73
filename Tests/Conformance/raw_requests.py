"""Requests and answers as bytes, for tests that have many connections of their own."""

import json

from sluice_process import ADMIN_KEY

AUTHORIZED = f"Host: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\n".encode()


def event_request(run, message):
    body = json.dumps({"type": "USER_MESSAGE", "data": {"message": message}}).encode()
    return b"POST /runs/%s/events HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (
        run.encode(), AUTHORIZED, len(body), body)


async def read_answer(reader):
    """The status, the headers and the body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
    body = await reader.readexactly(int(headers["content-length"]))
    return int(head.split()[1]), headers, json.loads(body)
