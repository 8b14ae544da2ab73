/// The part that the programs inside sandboxes share, as Python text: the filter of system calls, and the forwarding of
/// connections between the sandbox's loopback and Unix sockets.
enum SandboxPrelude {
    /// Each architecture's filter, in base 16.
    private static var filters: String {
        let entries = SystemCallFilter.Architecture.allCases.map { architecture in
            #""\#(architecture.rawValue)": "\#(SystemCallFilter(architecture).bytes.hexText)""#
        }
        return "{" + entries.joined(separator: ", ") + "}"
    }

    static let source = #"""
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
        FILTERS = \#(filters)
        INSTRUCTION_BYTES = 8


        def close_system_calls():
            """Sets the filter, for this process and all that it starts, for good."""
            filter_of_machine = FILTERS.get(platform.machine())
            if filter_of_machine is None:
                return
            code = bytes.fromhex(filter_of_machine)
            instructions = ctypes.create_string_buffer(code, len(code))
            program = ctypes.create_string_buffer(
                struct.pack("@HP", len(code) // INSTRUCTION_BYTES, ctypes.addressof(instructions)))
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
                raise OSError(ctypes.get_errno(), "the filter of system calls cannot be set")


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

        """#
}
