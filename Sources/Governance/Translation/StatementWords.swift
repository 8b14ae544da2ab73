import Domain

/// The words of a statement that nothing has taken yet.
struct StatementWords {
    private var words: [String]

    init(_ text: String) {
        let marks: Set<Character> = ["\"", "'", "`", "(", ")", ",", ":", "!"]
        words = text.split(separator: " ").map { word in
            String(word.drop { marks.contains($0) }.reversed().drop { marks.contains($0) }.reversed())
        }
        words.removeAll { $0.isEmpty }
    }

    /// What is left without the words that say nothing.
    var rest: [String] { words.filter { !Self.fillers.contains($0.lowercased()) } }

    /// URLs, and hosts without a scheme; one without a path is the whole host.
    mutating func takeURLs() -> [String] {
        take { word in
            let lowered = word.lowercased()
            if lowered.hasPrefix("http://") || lowered.hasPrefix("https://") { return word }
            let host = lowered.prefix { $0 != "/" && $0 != ":" }
            let labels = host.split(separator: ".", omittingEmptySubsequences: false)
            guard labels.count > 1, labels.allSatisfy({ !$0.isEmpty }), let last = labels.last,
                last.utf8.allSatisfy(\.isLetter)
            else { return nil }
            return "https://" + word
        }
    }

    /// `for 4h`, `within 30 minutes`.
    mutating func takeDuration() -> Duration? {
        for index in words.indices.dropLast() where ["for", "within"].contains(words[index].lowercased()) {
            if let duration = DurationText.parse(words[index + 1].lowercased()) {
                words.removeSubrange(index...(index + 1))
                return duration
            }
            guard index + 2 < words.count, let unit = Self.units[words[index + 2].lowercased()],
                let duration = DurationText.parse(words[index + 1] + unit)
            else { continue }
            words.removeSubrange(index...(index + 2))
            return duration
        }
        return nil
    }

    /// `by finance`, `by the finance or legal group`, `by both finance and legal`.
    mutating func takeGroups() -> (names: [String], needsAll: Bool) {
        guard let by = words.firstIndex(where: { $0.lowercased() == "by" }) else { return ([], false) }
        let end = words[(by + 1)...].firstIndex { Self.prepositions.contains($0.lowercased()) } ?? words.endIndex
        var (names, current, needsAll) = ([String](), [String](), false)
        for word in words[(by + 1)..<end] {
            let lowered = word.lowercased()
            if Self.conjunctions.contains(lowered) {
                if lowered == "and" { needsAll = true }
                if !current.isEmpty { names.append(current.joined(separator: " ")) }
                current = []
            } else if Self.quorums.contains(lowered) {
                needsAll = true
            } else if !Self.groupFillers.contains(lowered) {
                current.append(word)
            }
        }
        if !current.isEmpty { names.append(current.joined(separator: " ")) }
        guard !names.isEmpty else { return ([], false) }
        words.removeSubrange(by..<end)
        return (Set(names).sorted(), needsAll && names.count > 1)
    }

    /// `tagged money`, `with tag money`.
    mutating func takeTags() -> [String] {
        var tags: [String] = []
        while let index = words.firstIndex(where: { ["tagged", "tag", "tags"].contains($0.lowercased()) }),
            index + 1 < words.count
        {
            tags.append(words[index + 1])
            words.removeSubrange(index...(index + 1))
            while index + 1 < words.count, words[index].lowercased() == "or" {
                tags.append(words[index + 1])
                words.removeSubrange(index...(index + 1))
            }
        }
        return tags
    }

    /// Names of registered tools, in any case.
    mutating func takeTools(_ names: Set<String>) -> [String] {
        // Of names that differ in case alone the first is meant, so that the same text gives the same rules.
        let byLowered = Dictionary(
            names.sorted().map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        return Array(Set(take { byLowered[$0.lowercased()] })).sorted()
    }

    mutating func takePermission() throws(NotUnderstood) -> PolicyPermission {
        let approves = !take { $0.lowercased().hasPrefix("approv") ? $0 : nil }.isEmpty
        let denies = !take(Self.denials).isEmpty
        let allows = !take(Self.permissions).isEmpty
        let isWithout = !take(["without"]).isEmpty
        _ = take(Self.requirements)
        if approves && isWithout && denies { return .approvalRequired }
        if approves && isWithout && allows { return .allow }
        guard !(approves && denies), !isWithout else {
            throw NotUnderstood("it can be read in two ways; say it shorter")
        }
        if approves { return .approvalRequired }
        if denies { return .deny }
        guard allows else { throw NotUnderstood("it says neither allow, nor deny, nor require approval") }
        return .allow
    }

    mutating func takeMethods() -> [String] {
        var methods: [String] = []
        for method in take({ Self.methods[$0.lowercased()] }).joined() where !methods.contains(method) {
            methods.append(method)
        }
        return methods
    }

    mutating func takeEverything() -> Bool {
        !take(["everything", "anything", "all", "any", "every", "*"]).isEmpty
    }

    private mutating func take(_ known: Set<String>) -> [String] { take { known.contains($0.lowercased()) ? $0 : nil } }

    private mutating func take<Meaning>(_ meaning: (String) -> Meaning?) -> [Meaning] {
        let found = words.compactMap(meaning)
        words.removeAll { meaning($0) != nil }
        return found
    }

    private static let units = [
        "second": "s", "seconds": "s", "minute": "m", "minutes": "m", "hour": "h", "hours": "h", "day": "d",
        "days": "d",
    ]
    private static let prepositions: Set<String> = [
        "on", "to", "for", "at", "within", "when", "before", "if", "unless",
    ]
    private static let conjunctions: Set<String> = ["and", "or"]
    private static let quorums: Set<String> = ["both", "all", "each"]
    private static let groupFillers: Set<String> = [
        "the", "a", "an", "of", "any", "one", "someone", "from", "in", "group", "groups", "team", "teams", "member",
        "members",
    ]
    private static let denials: Set<String> = [
        "deny", "denied", "block", "blocked", "forbid", "forbidden", "refuse", "reject", "prohibit", "disallow",
        "never",
        "not", "don't", "cannot", "can't", "no",
    ]
    private static let permissions: Set<String> = [
        "allow", "allowed", "permit", "permitted", "let", "may", "can", "grant",
    ]
    private static let requirements: Set<String> = [
        "require", "requires", "required", "need", "needs", "must", "ask", "want",
    ]
    private static let methods: [String: [String]] = [
        "get": ["GET"], "head": ["HEAD"], "post": ["POST"], "put": ["PUT"], "patch": ["PATCH"], "delete": ["DELETE"],
        "options": ["OPTIONS"], "read": ["GET", "HEAD"], "reads": ["GET", "HEAD"], "reading": ["GET", "HEAD"],
        "write": ["POST", "PUT", "PATCH", "DELETE"], "writes": ["POST", "PUT", "PATCH", "DELETE"],
        "writing": ["POST", "PUT", "PATCH", "DELETE"], "create": ["POST"], "creating": ["POST"],
        "update": ["PUT", "PATCH"], "updating": ["PUT", "PATCH"], "deleting": ["DELETE"], "deletes": ["DELETE"],
    ]
    private static let fillers: Set<String> = [
        "the", "a", "an", "and", "or", "to", "on", "of", "for", "at", "from", "with", "in", "is", "are", "be", "do",
        "does",
        "it", "call", "calls", "request", "requests", "tool", "tools", "agent", "agents", "method", "methods", "access",
        "please", "always", "should", "we", "you", "they", "them",
    ]
}
