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
}
