import Domain

/// Every bound of the HTTP side.
package struct HTTPAPIConfiguration: Hashable, Sendable {
    package var host = "127.0.0.1"
    package var port = 8092
    /// The largest body of a request; a deploy with its sources may have four times as much.
    package var bodyBytesMax = 1024 * 1024
    /// What all bodies together may take while they are being read.
    package var allBodiesBytesMax = 256 * 1024 * 1024
    /// The largest body of an agent's call to a tool.
    package var egressBodyBytesMax = 4 * 1024 * 1024
    /// The largest body of a call to a model; a conversation with pictures is large.
    package var modelBodyBytesMax = 8 * 1024 * 1024
    /// Maximum bytes of a body that are read and discarded after its request was answered.
    package var bytesDiscardedMax = 64 * 1024 * 1024
    package var connectionsMax = 4096
    /// Maximum connections of one agent instance at the gate.
    package var agentConnectionsMax = 64
    /// Deadline for the first request head of a connection.
    package var headTimeout: Duration = .seconds(10)
    /// How long a connection may be open without a whole header, or silent while a request is read.
    package var idleTimeout: Duration = .seconds(60)
    /// How long a client may take to send a request's body.
    package var bodyTimeout: Duration = .seconds(60)
    /// How long a client may leave what waits in its connection's buffer unread; event streams are no exception.
    package var answerTimeout: Duration = .seconds(60)
    package var streamsMax = 1024
    /// Maximum concurrent whole lists, histories and exports.
    package var listsMax = 256
    /// Maximum bytes of responses that wait for their clients, of all together.
    package var responseBytesMax = 128 * 1024 * 1024
    /// The part of a bound that one principal may use, in percent.
    package var principalSharePercent = ShareRule.percentDefault
    /// How long the answer to an invoke waits for the agent's.
    package var invokeTimeout: Duration = .seconds(300)
    /// Requests a second for one key that is not an admin's; 0 means no limit.
    package var rateLimitPerSecond = 0
    package var rateLimitBurst = 100
    /// The path under which a proxy serves the API, such as `/sluice`; empty for the root.
    package var basePath = ""
    /// Origins whose pages may read the API's responses; empty turns CORS off.
    package var corsOrigins: Set<String> = []
    package var version = ""
    /// The time from which a write of the log is stalled, and the daemon not ready.
    package var appendStallTimeout: Duration = .seconds(10)

    package init() {}
}
