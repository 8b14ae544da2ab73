import NIOEmbedded
import Outbound

/// Any bytes of a peer give a response in order, or an error of that one call, however they are cut into reads.
enum ResponseFuzzing {
    private static let bodyBytesMax = 512

    /// The first byte says what was asked and how the rest is cut.
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let choices = reader.byte()
        let method = ["GET", "HEAD", "POST", "DELETE"][Int(choices & 3)]
        let whole = try connection(method, Array(reader.rest), readBytesMax: Int.max)
        let cut = try connection(method, Array(reader.rest), readBytesMax: 1 + Int(choices >> 2))
        for connection in [whole, cut] {
            try promise(connection.isInOrder, "parts that the client library traps on")
            try promise(connection.body.count <= bodyBytesMax, "a body beyond its limit")
            try promise(
                connection.isWhole || connection.failure != nil || !connection.channel.isActive,
                "a response without end or failure")
        }
        try promise(whole.status == cut.status, "another status when the bytes are cut")
        try promise(whole.isWhole == cut.isWhole, "another end when the bytes are cut")
        if whole.isWhole { try promise(whole.body == cut.body, "another body when the bytes are cut") }
    }

    private static func connection(
        _ method: String, _ bytes: [UInt8], readBytesMax: Int
    ) throws -> GuardedConnection {
        let connection = try GuardedConnection()
        connection.send(
            try OutboundRequest(
                method, "http://example.com/", limits: OutboundLimits(bodyBytesMax: Self.bodyBytesMax)))
        var rest = bytes[...]
        while !rest.isEmpty {
            connection.receive(rest.prefix(readBytesMax))
            rest = rest.dropFirst(readBytesMax)
        }
        connection.end()
        return connection
    }
}
