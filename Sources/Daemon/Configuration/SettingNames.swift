/// Names that an operator wrote for a setting, and the known ones that they may stand for.
enum SettingNames {
    static let environmentPrefix = "SLUICE_"

    /// Variables that other commands read.
    private static let otherVariables: Set<String> = ["SLUICE_NEW_MASTER_KEY", "SLUICE_BINARY"]
    /// Docker's links show the environment of a container of the name `sluice` under this prefix.
    private static let linkedPrefix = "SLUICE_ENV_"

    /// The variables of an environment that look like settings and are none, sorted.
    static func unknown(in environment: [String: String]) -> [String] {
        let known = Set(SettingKey.allCases.map(\.variable)).union(otherVariables)
        return environment.filter { name, value in
            name.hasPrefix(environmentPrefix) && !known.contains(name) && !name.hasPrefix(linkedPrefix)
                && !isOfService(name, value)
        }.keys.sorted()
    }

    /// True for a variable by which Kubernetes, or Docker for a link, describes a service of the name `sluice` or
    /// `sluice-…`.
    ///
    /// The value counts too: `SLUICE_PORT=8092` is an operator's, and no setting. (kubernetes.io, "Accessing the Service")
    private static func isOfService(_ name: String, _ value: String) -> Bool {
        // A name may have several of these forms: a service may be named as a part of them is.
        let (port, url) = (/[0-9]+/, /(tcp|udp|sctp):\/\/.+:[0-9]+/)
        let ofPort = /SLUICE(_[A-Z0-9_]+)?_(SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)_PORT)/
        let ofURL = /SLUICE(_[A-Z0-9_]+)?_PORT(_[0-9]+_(TCP|UDP|SCTP))?/
        let ofHost = /SLUICE(_[A-Z0-9_]+)?_(SERVICE_HOST|PORT_[0-9]+_(TCP|UDP|SCTP)_(ADDR|PROTO))/
        return name.wholeMatch(of: ofPort) != nil && value.wholeMatch(of: port) != nil
            || name.wholeMatch(of: ofURL) != nil && value.wholeMatch(of: url) != nil
            || name.wholeMatch(of: ofHost) != nil
    }

    /// A hint at the known name that is nearest; at the list of all settings when none is near.
    static func hint(_ name: String, among known: [String]) -> String {
        if name == "SLUICE_PORT" { return "the port is a part of SLUICE_LISTEN, which is HOST:PORT" }
        let nearest = known.map { (name: $0, distance: distance(name, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(2, name.utf8.count / 3) else {
            return "`sluice serve --print-config` lists all settings"
        }
        return "did you mean \(nearest.name)?"
    }

    /// The number of bytes to insert, remove or replace to make one text of the other (Levenshtein).
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (index, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let replaced = diagonal + (byte == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[right.count]
    }
}

extension SettingKey {
    /// The setting's environment variable.
    package var variable: String {
        SettingNames.environmentPrefix + rawValue.uppercased().split(separator: "-").joined(separator: "_")
    }

    /// Reads a setting's name.
    ///
    /// - Parameter place: the place where it was given, such as `--set` or a file, for the error.
    package static func named(_ name: String, in place: String) throws(DaemonError) -> SettingKey {
        guard let key = SettingKey(rawValue: name) else {
            let hint = SettingNames.hint(name, among: allCases.map(\.rawValue))
            throw DaemonError(.configuration, "\(place) has \"\(name)\", which is no setting: \(hint)")
        }
        return key
    }
}
