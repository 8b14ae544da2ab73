import Domain

/// One sentence about calls, taken apart word by word; every word must be known or be one that says nothing.
struct PolicyStatement {
    let rules: [PolicyRule]
    private let toolIDs: [String]
    private let groups: [String]
    private let needsAll: Bool
    private let duration: Duration?

    init(_ text: String, tools: [String: String]) throws(NotUnderstood) {
        var words = StatementWords(text)
        var resources: [ResourcePattern] = []
        for url in words.takeURLs() {
            do throws(InvalidURL) {
                resources.append(try ResourcePattern(url))
            } catch {
                throw NotUnderstood("the URL \(url.excerpt) \(error.reason)")
            }
        }
        duration = words.takeDuration()
        (groups, needsAll) = words.takeGroups()
        let tags = RiskTags(words.takeTags())
        toolIDs = words.takeTools(Set(tools.keys))
        for name in toolIDs {
            let base = tools[name, default: ""]
            guard let pattern = try? ResourcePattern(base.hasSuffix("/") ? base + "*" : base + "/*") else {
                throw NotUnderstood("the tool \(name) has no URL that a rule can name")
            }
            resources.append(pattern)
        }
        let permission = try words.takePermission()
        let methods = words.takeMethods()
        let isAboutEverything = words.takeEverything()
        let rest = words.rest
        guard rest.isEmpty else {
            throw NotUnderstood(
                "not understood: \(rest.joined(separator: " ").excerpt); name a URL, a registered tool or a tag")
        }
        guard groups.allSatisfy(GroupName.isValid) else { throw NotUnderstood("a group is no valid name") }
        guard groups.isEmpty && duration == nil || permission == .approvalRequired else {
            throw NotUnderstood("approvers and durations are for what needs an approval")
        }
        if resources.isEmpty {
            guard isAboutEverything || !methods.isEmpty || !tags.isEmpty else {
                throw NotUnderstood("it does not say which calls: name a URL, a tool, a method or everything")
            }
            resources = [.everything]
        }
        guard let callMethods = CallMethods(methods) else { throw NotUnderstood("a method is none of HTTP") }
        rules = resources.map { PolicyRule(permission, $0, callMethods, tags: tags) }
    }

    /// The entry of `spec.approvals` that says who decides; `nil` when the statement does not say.
    func approval(name: String) -> JSONValue? {
        guard !groups.isEmpty || duration != nil, let rule = rules.first else { return nil }
        func texts(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
        var members: [JSONValue.Member] = [.init(name: "name", value: .string(name))]
        if !toolIDs.isEmpty {
            members.append(.init(name: "toolIds", value: texts(toolIDs)))
        } else if rules.count == 1, rule.resource != .everything {
            members.append(.init(name: "resource", value: .string(rule.resource.text)))
        }
        if !rule.methods.names.isEmpty { members.append(.init(name: "operations", value: texts(rule.methods.names))) }
        if !rule.tags.isEmpty { members.append(.init(name: "tags", value: texts(rule.tags.words.sorted()))) }
        members.append(
            .init(
                name: "approvers",
                value: .object([
                    .init(name: "groups", value: texts(groups)),
                    .init(name: "match", value: .string(needsAll ? "all" : "any")),
                ])))
        if let duration {
            members.append(.init(name: "defaultDuration", value: .string(DurationText.format(duration))))
        }
        return .object(members)
    }
}
