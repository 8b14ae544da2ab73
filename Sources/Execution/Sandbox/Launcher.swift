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
        \#(SandboxPrelude.source)
        CONTROL_SECONDS = 60
        AT_ONCE = b"!"


        def be_first_to_die():
            """When memory runs out, the kernel ends the agent before others. A sandbox has that from outside."""
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("1000")


        def die_with_parent():
            """In a sandbox bubblewrap sees to it; without one, a launcher that is killed leaves no agent behind."""
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


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
                close_system_calls()
            else:
                be_first_to_die()
                adopt_orphans()
            agent = await asyncio.create_subprocess_exec(
                *order["command"], env=os.environ | order["environment"], stdin=asyncio.subprocess.DEVNULL,
                start_new_session=not order["is_sandboxed"], preexec_fn=None if order["is_sandboxed"] else die_with_parent)
            if not order["is_sandboxed"]:
                loop.add_signal_handler(signal.SIGCHLD, reap_orphans, agent.pid)
            ended = asyncio.create_task(agent.wait())
            told = asyncio.create_task(control_reader.read())
            await asyncio.wait([ended, told], return_when=asyncio.FIRST_COMPLETED)
            control_writer.close()
            if not ended.done():
                stop(agent, order, signal.SIGTERM)
                grace = 1 if told.done() and told.result() == AT_ONCE else order["grace_seconds"]
                try:
                    await asyncio.wait_for(asyncio.shield(ended), grace)
                except asyncio.TimeoutError:
                    pass
            stop(agent, order, signal.SIGKILL)
            if not order["is_sandboxed"]:
                kill_descendants()
            code = await ended
            sys.stderr.flush()
            os._exit(code if code >= 0 else 128 - code)


        def adopt_orphans():
            """What the agent's children start, and leave behind, becomes a child of this process, which finds it so."""
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


        def kill_descendants():
            """A sandbox ends with its first process. Without one, each process that is left is killed, until none is."""
            while children := [int(name) for name in os.listdir("/proc") if name.isdigit() and descends(int(name))]:
                for child in children:
                    try:
                        os.kill(child, signal.SIGKILL)
                    except ProcessLookupError:
                        pass


        def descends(process):
            while process > 1:
                try:
                    with open(f"/proc/{process}/stat", "rb") as file:
                        state, parent = file.read().rpartition(b")")[2].split()[:2]
                except OSError:
                    return False
                if state == b"Z":
                    return False
                process = int(parent)
                if process == os.getpid():
                    return True
            return False


        def reap_orphans(agent):
            while True:
                try:
                    child = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                    if child is None or child.si_pid == agent:
                        return
                    os.waitpid(child.si_pid, os.WNOHANG)
                except ChildProcessError:
                    return


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
