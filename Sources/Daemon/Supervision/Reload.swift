import Logging

/// The settings as a SIGHUP finds them.
package struct Reload: Sendable {
    let configuration: DaemonConfiguration
    /// Settings with another value than at the start.
    let changed: [SettingKey]

    /// - Parameter first: the settings of the start.
    package init(_ settings: Settings, since first: Settings) throws(DaemonError) {
        configuration = try DaemonConfiguration(settings)
        changed = SettingKey.allCases.filter { settings.text($0) != first.text($0) }
    }

    /// Settings that only a restart takes over.
    var awaitingRestart: [SettingKey] { changed.filter { ![.logLevel, .apiKey].contains($0) } }
}

/// Reads the settings again and hands on those that a running daemon takes over.
struct Reloading: Sendable {
    let read: @Sendable () async throws -> Reload
    let setLevel: @Sendable (Logger.Level) -> Void
    let logger: Logger
    /// Admin keys that were configured since the start; the newest is enough.
    let adminKeys: AsyncStream<String>
    private let adminKey: AsyncStream<String>.Continuation

    init(
        logger: Logger, read: @escaping @Sendable () async throws -> Reload,
        setLevel: @escaping @Sendable (Logger.Level) -> Void
    ) {
        self.read = read
        self.setLevel = setLevel
        self.logger = logger
        (adminKeys, adminKey) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Settings that cannot be read change nothing.
    func run() async {
        do {
            let reload = try await read()
            setLevel(reload.configuration.logLevel)
            if let key = reload.configuration.adminKey { adminKey.yield(key) }
            let waiting = reload.awaitingRestart.map(\.rawValue).joined(separator: ", ")
            logger.notice(
                "settings reloaded",
                metadata: ["log_level": "\(reload.configuration.logLevel)", "awaiting_restart": "\(waiting)"])
        } catch {
            logger.error("settings not reloaded", metadata: ["error": "\(error)"])
        }
    }
}
