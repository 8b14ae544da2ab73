"""A person's browser: it keeps the cookies of each site, and follows a redirect when it is told to."""

import dataclasses
import http.client
import http.cookies
import urllib.parse


@dataclasses.dataclass
class Page:
    status: int
    location: str | None
    text: str
    headers: list

    def header(self, name):
        """Every value of a header."""
        return [value for each, value in self.headers if each.lower() == name.lower()]


class Browser:
    def __init__(self):
        self.cookies = {}

    def open(self, url, method="GET", headers=None):
        """The page at the URL; a redirect is not followed."""
        parts = urllib.parse.urlsplit(url)
        jar = self.cookies.setdefault(parts.netloc, {})
        sent = dict(headers or {})
        if jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), headers=sent)
            response = connection.getresponse()
            page = Page(
                response.status, response.getheader("Location"), response.read().decode(), response.getheaders())
        finally:
            connection.close()
        for text in page.header("Set-Cookie"):
            for name, morsel in http.cookies.SimpleCookie(text).items():
                if morsel["max-age"] == "0":
                    jar.pop(name, None)
                else:
                    jar[name] = morsel.value
        return page

    def visit(self, url):
        """The page at which all redirects end."""
        page = self.open(url)
        for _ in range(10):
            if page.status not in (301, 302, 303, 307, 308):
                return page
            page = self.open(page.location)
        raise AssertionError("redirects without end")
