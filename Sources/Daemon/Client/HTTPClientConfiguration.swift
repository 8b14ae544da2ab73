import AsyncHTTPClient
import NIOCore

extension HTTPClient.Configuration {
    /// How Sluice calls others: no redirects, and a refused connection is told at once. Whoever calls decides whether
    /// to try again, and records it.
    static var sluice: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(10)
        return configuration
    }

    /// The same for many calls to one host at the same time.
    static func sluice(callsMax: Int) -> HTTPClient.Configuration {
        var configuration = Self.sluice
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = callsMax
        return configuration
    }

    /// The same, giving up on an answer that does not go on for so long.
    static func sluice(callsMax: Int, silenceMax: Duration) -> HTTPClient.Configuration {
        var configuration = Self.sluice(callsMax: callsMax)
        configuration.timeout.read = .milliseconds(Int64(silenceMax / .milliseconds(1)))
        return configuration
    }
}
