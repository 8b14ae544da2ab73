/// The program that runs a step of a build in its sandbox, as Python text.
///
/// Its arguments are the package proxy's socket, or `-` for a step without network, and the step's command. It forwards
/// `proxyPort` of the sandbox's own loopback to that socket, closes the system calls that a build must not make, and
/// ends with the command's exit code.
///
/// With `--builder` before them the command is a builder of images in a network namespace alone: its loopback is still
/// down, and the system calls stay open, because what the builder starts is confined by the builder.
enum BuildLauncher {
    /// The port of the package proxy, inside.
    static let proxyPort = 8081
    static let proxyURL = "http://127.0.0.1:\(proxyPort)"

    static let source = #"""
        """Runs a step of a build, with the package proxy as its only network."""
        import fcntl
        \#(SandboxPrelude.source)

        def raise_loopback():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                request = struct.pack("16sH22x", b"lo", 0)
                flags = struct.unpack("16sH22x", fcntl.ioctl(any_socket, 0x8913, request))[1]
                fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", flags | 1))


        async def main():
            arguments = sys.argv[1:]
            is_builder = arguments[0] == "--builder"
            proxy, *command = arguments[is_builder:]
            if is_builder:
                raise_loopback()
            if proxy != "-":
                await asyncio.start_server(
                    forwarding(lambda: asyncio.open_unix_connection(proxy)), "127.0.0.1", \#(proxyPort))
            if not is_builder:
                close_system_calls()
            step = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
            code = await step.wait()
            sys.stderr.flush()
            os._exit(code if code >= 0 else 128 - code)


        asyncio.run(main())

        """#
}
