import Domain

/// The entry point and the packages of a version of an agent, for the answer to its deploy.
struct AgentStart: Hashable, Sendable {
    /// The file that is imported; `nil` for an agent that has none, or runs elsewhere.
    let entryPoint: String?
    /// The packages that are installed beside the runtime; `nil` for an agent without sources.
    let requirements: [String]?
    /// The reason for what was not named; `nil` when everything was.
    let reason: String?
    /// Sentences about the sources' own requirements that are not installed.
    let warnings: [String]

    /// - Parameter document: the agent as it is stored.
    init(_ document: JSONValue) {
        let named = document["entry_point"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let lines = document["requirements"]?.string.flatMap { $0.isEmpty ? nil : Self.lines($0) }
        guard case .object(let files)? = document["source_files"], !files.isEmpty else {
            (entryPoint, requirements, reason, warnings) = (named, nil, nil, [])
            return
        }
        let found = FoundStart(document[FoundStart.member])
        entryPoint = named ?? found?.entryPoint
        requirements = lines ?? found?.requirements ?? []
        warnings =
            lines != nil
            ? []
            : (found?.leftOut ?? []).map {
                "requirement \"\($0.excerpt)\" of the sources is left out: only packages of the index are installed"
            }
        reason = found.map { Self.reason($0, namesEntryPoint: named != nil, namesRequirements: lines != nil) }
    }

    private static func reason(_ found: FoundStart, namesEntryPoint: Bool, namesRequirements: Bool) -> String {
        var reasons: [String] = []
        if !namesEntryPoint {
            reasons.append(
                found.refusal ?? found.entryPoint.map { "entry_point \($0) was found in the sources" }
                    ?? "the sources have no code: the runtime's own loop of models and tools answers")
        }
        if !namesRequirements {
            let count = found.requirements.count
            reasons.append(
                count == 0
                    ? "the sources need no packages"
                    : "\(count) \(count == 1 ? "requirement was" : "requirements were") found in the sources")
        }
        return reasons.joined(separator: "; ")
    }

    private static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let bare = line.prefix { $0 != "#" }
            let words = bare.split(whereSeparator: \.isWhitespace)
            return words.isEmpty ? nil : words.joined(separator: " ")
        }
    }
}
