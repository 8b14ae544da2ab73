import Domain
import HTTPTypes
import Hummingbird

#if DEBUG
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Darwin)
        import Darwin
    #endif
    import Synchronization
#endif

/// A record of the query parameters and the body members that handlers look up, for the test that compares them with the
/// API's document. There is none in release builds.
struct RequestReads: Sendable {
    let method: HTTPRequest.Method
    let path: String

    #if DEBUG
        /// The file that a test names in the environment, opened for appending; -1 without one.
        private static let file: Int32 =
            getenv("RECORDED_READS").map {
                open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            } ?? -1
        private static let recorded = Mutex<Set<String>>([])
    #endif

    func record(query name: String) { record("query", name) }

    /// Runs the handler, and records the members that it looks up.
    func ofBody<Answer>(_ handler: () async throws -> Answer) async rethrows -> Answer {
        #if DEBUG
            if Self.file >= 0 {
                return try await JSONValue.$lookupObserver.withValue({ record("body", $0) }) { try await handler() }
            }
        #endif
        return try await handler()
    }

    private func record(_ place: String, _ name: String) {
        #if DEBUG
            guard Self.file >= 0 else { return }
            let line = "\(method.rawValue) \(path) \(place) \(name)\n"
            guard Self.recorded.withLock({ $0.insert(line).inserted }) else { return }
            let bytes = Array(line.utf8)
            _ = bytes.withUnsafeBytes { write(Self.file, $0.baseAddress, $0.count) }
        #endif
    }
}

extension Request {
    /// A query parameter, decoded, of a route that reads the request itself.
    func query(_ name: String, _ context: APIContext) -> String? {
        RequestReads(method: method, path: context.endpointPath ?? uri.path).record(query: name)
        return uri.queryParameters.get(name)
    }
}
