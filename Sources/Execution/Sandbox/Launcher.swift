/// The program that starts an agent's runtime in its sandbox and carries connections in and out, as Python text.
///
/// Its standard input is the listening socket that Sluice made, or its argument names the socket at which it gets that. The first
/// connection is Sluice's own: it brings the environment, which nobody else may read, and its end is the order to stop.
/// Every other one goes to the runtime. The agent's connections to the gate's port go to the gate's socket. Because
/// nothing has to be made inside, nothing of the sandbox is writable but memory of a fixed size.
enum Launcher {
    /// Where the gate is, from inside.
    static let gatePort = 8081
    /// Where the runtime listens, inside.
    static let agentPort = 8080

    static let source = #"""
        """Starts an agent's runtime and carries connections in and out of its sandbox."""
        import asyncio
        import ctypes
        import json
        import os
        import platform
        import signal
        import socket
        import struct
        import sys

        CHUNK_BYTES = 65536
        CONNECTIONS_MAX = 256
        CONTROL_SECONDS = 60
        # Numbers of unshare, setns, mount, clone and clone3: what a new user namespace is made and filled with.
        CALLS = {"x86_64": (0xC000003E, 272, 308, 165, 56), "aarch64": (0xC00000B7, 97, 268, 40, 220)}
        CLONE3 = 435
        CLONE_NEWUSER = 0x10000000


        def forbid_namespaces():
            """A new user namespace would give the agent rights over memory and mounts that its limits do not cover."""
            numbers = CALLS.get(platform.machine())
            if numbers is None:
                return
            architecture, *refused, clone = numbers
            allow, deny, absent = 0x7FFF0000, 0x00050001, 0x00050026
            load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
            rules = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, deny), (load, 0, 0, 0)]
            if platform.machine() == "x86_64":
                rules += [(0x35, 0, 1, 0x40000000), (answer, 0, 0, absent)]
            for number in refused:
                rules += [(equal, 0, 1, number), (answer, 0, 0, deny)]
            rules += [(equal, 0, 1, CLONE3), (answer, 0, 0, absent)]
            rules += [(equal, 0, 3, clone), (load, 0, 0, 16), (any_bit, 0, 1, CLONE_NEWUSER), (answer, 0, 0, deny)]
            rules += [(answer, 0, 0, allow)]
            code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *rule) for rule in rules))
            program = ctypes.create_string_buffer(struct.pack("@HP", len(rules), ctypes.addressof(code)))
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
                raise OSError(ctypes.get_errno(), "the filter of system calls cannot be set")


        def die_with_parent():
            """In a sandbox bubblewrap sees to it; without one, a launcher that is killed leaves no agent behind."""
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


        async def pump(reader, writer):
            while data := await reader.read(CHUNK_BYTES):
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()


        async def splice(reader, writer, connect):
            try:
                other_reader, other_writer = await connect()
            except OSError:
                writer.transport.abort()
                return
            try:
                await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))
            except OSError:
                writer.transport.abort()
                other_writer.transport.abort()
            finally:
                writer.close()
                other_writer.close()


        def forwarding(connect, connections_max=CONNECTIONS_MAX):
            places = asyncio.Semaphore(connections_max)

            async def accepted(reader, writer):
                async with places:
                    await splice(reader, writer, connect)

            return accepted


        def inherited():
            listener = socket.socket(fileno=os.dup(0))
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            return listener


        def received(path):
            """A container inherits no descriptor: it is sent the socket over another one."""
            with socket.socket(socket.AF_UNIX) as offer:
                offer.settimeout(CONTROL_SECONDS)
                offer.connect(path)
                _, control, _, _ = offer.recvmsg(1, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
            return socket.socket(fileno=struct.unpack("=i", control[0][2][:4])[0])


        async def main():
            listener = received(sys.argv[1]) if len(sys.argv) > 1 else inherited()
            listener.setblocking(False)
            loop = asyncio.get_running_loop()
            # A daemon that was killed before it connected will never come.
            control, _ = await asyncio.wait_for(loop.sock_accept(listener), CONTROL_SECONDS)
            control_reader, control_writer = await asyncio.open_connection(sock=control, limit=1 << 26)
            order = json.loads(await control_reader.readline())
            gate, port = order["gate_socket"], order["agent_port"]
            await asyncio.start_server(
                forwarding(lambda: asyncio.open_unix_connection(gate), order["gate_connections"]),
                "127.0.0.1", order["gate_port"])
            await asyncio.start_unix_server(
                forwarding(lambda: asyncio.open_connection("127.0.0.1", port)), sock=listener)
            if order["is_sandboxed"]:
                forbid_namespaces()
            agent = await asyncio.create_subprocess_exec(
                *order["command"], env=os.environ | order["environment"], stdin=asyncio.subprocess.DEVNULL,
                start_new_session=not order["is_sandboxed"], preexec_fn=None if order["is_sandboxed"] else die_with_parent)
            ended = asyncio.create_task(agent.wait())
            told = asyncio.create_task(control_reader.read())
            await asyncio.wait([ended, told], return_when=asyncio.FIRST_COMPLETED)
            control_writer.close()
            if not ended.done():
                stop(agent, order, signal.SIGTERM)
                try:
                    await asyncio.wait_for(asyncio.shield(ended), order["grace_seconds"])
                except asyncio.TimeoutError:
                    pass
            stop(agent, order, signal.SIGKILL)
            code = await ended
            sys.stderr.flush()
            os._exit(code if code >= 0 else 128 - code)


        def stop(agent, order, number):
            """Without a sandbox around them the agent's children are reached by their group."""
            try:
                if order["is_sandboxed"]:
                    agent.send_signal(number)
                else:
                    os.killpg(agent.pid, number)
            except ProcessLookupError:
                pass


        asyncio.run(main())

        """#
}
