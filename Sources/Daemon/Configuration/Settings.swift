import Configuration
import Domain
import Foundation

/// The settings in force, and where each comes from: flag, environment, file or default, in this order.
package struct Settings: Sendable {
    package struct Entry: Hashable, Sendable {
        package let key: SettingKey
        package let text: String
        package let source: String

        /// The text as it may be shown.
        package var shown: String { key.isSecret && !text.isEmpty ? "(set)" : text }
    }

    package let entries: [Entry]

    /// - Parameters:
    ///   - flags: what was given on the command line.
    ///   - file: a JSON file whose values have their natural types.
    ///   - checksEnvironment: true to refuse variables that look like settings and are none, as the daemon does. Other
    ///     commands read few settings, and may run beside variables that are for a later version.
    package static func load(
        flags: [SettingKey: String], file: String?, checksEnvironment: Bool = false
    ) async throws(DaemonError) -> Settings {
        if checksEnvironment { try checkEnvironment() }
        let environment = ConfigReader(provider: EnvironmentVariablesProvider().prefixKeys(with: "sluice"))
        let inFile = try file.map { (path) throws(DaemonError) in try SettingsFile(path).texts } ?? [:]
        let entries = SettingKey.allCases.map { key in
            if let text = flags[key] { return Entry(key: key, text: text, source: "flag") }
            if let text = environment.string(forKey: ConfigKey(key.rawValue)) {
                return Entry(key: key, text: text, source: "environment")
            }
            if let text = inFile[key] { return Entry(key: key, text: text, source: "file") }
            return Entry(key: key, text: key.defaultText, source: "default")
        }
        return Settings(entries: entries)
    }

    private static func checkEnvironment() throws(DaemonError) {
        let unknown = SettingNames.unknown(in: ProcessInfo.processInfo.environment)
        guard let first = unknown.first else { return }
        let hint = SettingNames.hint(first, among: SettingKey.allCases.map(\.variable))
        let others = unknown.dropFirst()
        throw DaemonError(
            .configuration,
            "the environment has \(first), which is no setting: \(hint)"
                + (others.isEmpty ? "" : "; no settings either: \(others.joined(separator: ", "))"))
    }

    package func text(_ key: SettingKey) -> String { entries.first { $0.key == key }?.text ?? key.defaultText }

    /// True when the operator has not given the setting.
    func isDefault(_ key: SettingKey) -> Bool { entries.first { $0.key == key }.map { $0.source == "default" } ?? true }

    func duration(_ key: SettingKey) throws(DaemonError) -> Duration {
        guard let duration = DurationText.parse(text(key)) else {
            throw invalid(key, "a duration such as 500ms, 30s, 4h or 1d, of more than 0 and at most 3650d")
        }
        return duration
    }

    func integer(_ key: SettingKey, in range: ClosedRange<Int>) throws(DaemonError) -> Int {
        guard let value = Int(text(key)), range.contains(value) else {
            throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func flag(_ key: SettingKey) throws(DaemonError) -> Bool {
        switch text(key) {
        case "true": true
        case "false": false
        default: throw invalid(key, "true or false")
        }
    }

    func invalid(_ key: SettingKey, _ expected: String) -> DaemonError {
        let entry = entries.first { $0.key == key }
        return DaemonError(
            .configuration,
            "\(key.rawValue) must be \(expected); it is \"\(entry?.shown ?? "")\" (from the \(entry?.source ?? "default"))"
        )
    }
}
