import ArgumentParser
import Daemon
import Dispatch
import Domain
import EventStreaming
import Metrics
import SystemPackage

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the daemon.",
        discussion: """
            Every setting can be a flag, an environment variable (SLUICE_DATA_DIR, …) or a member of the JSON file; \
            flags win, then the environment, then the file. SIGTERM drains and stops.
            """)

    @Option(name: .customLong("data-dir"), help: "Where the log and the read models are.") var dataDirectory: String?
    @Option(help: "HOST:PORT to listen on.") var listen: String?
    @Option(help: "A JSON file of settings.") var config: String?
    @Option(name: .customLong("set"), help: "Any other setting, as KEY=VALUE; see --print-config.") var settings:
        [String] = []
    @Flag(help: "Start although keys are lost that the log needs: what they sealed is given up for good.")
    var acceptKeyLoss = false
    @Flag(name: .customLong("print-config"), help: "Show the settings in force, and where each comes from.")
    var printsConfiguration = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reporting {
            let loaded = try await Settings.load(
                flags: try flags(), file: config, checksEnvironment: true)
            var configuration = try DaemonConfiguration(loaded)
            configuration.acceptsKeyLoss = acceptKeyLoss
            if printsConfiguration { return list(loaded) }
            try AddressSpaceLimit.check()
            let registry = PrometheusRegistry()
            MetricsSystem.bootstrap(registry)
            let log = DaemonLog(level: configuration.logLevel)
            let output = OutputQueue(descriptor: FileDescriptor.standardOutput.rawValue)
            let flush: @Sendable (DispatchTime) -> Void = { deadline in
                output.flush(by: deadline)
                log.flush(by: deadline)
            }
            defer {
                // The handlers of signals ended with the daemon.
                SignalDispositions.prepare(CommandLine.arguments)
                flush(OutputQueue.flushDeadline)
            }
            let fitted = try configuration.fitting(descriptors: DescriptorLimit.raised(), loaded, log.logger)
            let daemon = Daemon(
                fitted, metrics: registry, log: log, announce: { output.write($0 + "\n") }, flush: flush,
                reload: { try Reload(try await Settings.load(flags: try flags(), file: config), since: loaded) })
            try await daemon.run()
        }
    }

    private func flags() throws -> [SettingKey: String] {
        var flags: [SettingKey: String] = [:]
        func set(_ key: SettingKey, _ text: String) throws(DaemonError) {
            guard flags.updateValue(text, forKey: key) == nil else {
                throw DaemonError(
                    .configuration, "\(key.rawValue) is given twice on the command line: give it once")
            }
        }
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw DaemonError(.configuration, "--set \(setting): expected KEY=VALUE with a key of --print-config")
            }
            try set(try SettingKey.named(parts[0], in: "--set"), parts[1])
        }
        if let dataDirectory { try set(.dataDirectory, dataDirectory) }
        if let listen { try set(.listen, listen) }
        return flags
    }

    private func list(_ settings: Settings) {
        for entry in settings.entries {
            guard json else {
                show("\(entry.key.rawValue) = \(entry.shown)    (\(entry.source))")
                continue
            }
            var line = JSONObject()
            line.add("key", entry.key.rawValue)
            line.add("value", entry.shown)
            line.add("source", entry.source)
            show(line.finished().text)
        }
    }
}
