"""Starts the published runtime with what Sluice adds to an agent's interpreter."""

import io
import urllib.error
import urllib.request

from sluice_agent import attempts, clients, imports, package_repairs, rewrites, runtime_changes, threads


class TwiceReadable(io.BytesIO):
    """The body of an error. The runtime reads it for its trace, and once more to see that a call waits for approval."""

    is_rewound = False

    def read(self, size=-1):
        data = super().read(size)
        if (size is None or size < 0) and not self.is_rewound:
            self.is_rewound = True
            self.seek(0)
        return data


def make_errors_readable():
    urlopen = urllib.request.urlopen

    def urlopen_with_readable_errors(*arguments, **options):
        try:
            return urlopen(*arguments, **options)
        except urllib.error.HTTPError as error:
            body = TwiceReadable(error.read())
            raise urllib.error.HTTPError(error.filename, error.code, error.msg, error.headers, body) from None

    urllib.request.urlopen = urlopen_with_readable_errors


def main():
    gate, tools = attempts.Gate(), rewrites.Rewrites()
    make_errors_readable()
    threads.install()
    clients.install_http_client(gate)
    imports.ImportHook({
        "httpcore": lambda module: clients.install_httpcore(gate, tools, module),
        "httpcore2": lambda module: clients.install_httpcore(gate, tools, module),
        "aiohttp.client": lambda module: rewrites.install_aiohttp(tools, module),
        "aiohttp.client_reqrep": lambda module: clients.install_aiohttp(gate, module),
        "multiprocessing.pool": threads.install_pools,
    }).install()

    # The runtime is imported, not run by name: run by name there are two of it, and an agent that asks for one of its
    # exceptions gets the other's.
    import runagents
    from runagents import runtime

    runtime_changes.install(runtime)
    package_repairs.install(runtime, getattr(runagents, "Agent", None))
    runtime.main()
