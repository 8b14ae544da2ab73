package import Domain

/// What a deploy says of an agent that Sluice is to run itself, read from the stored document and checked.
package struct AgentDefinition: Hashable, Sendable {
    package struct SourceFile: Hashable, Sendable {
        /// Relative, with `/` between its parts.
        package let path: String
        package let content: String

        package init(path: String, content: String) {
            self.path = path
            self.content = content
        }
    }

    package struct Variable: Hashable, Sendable {
        package let name: String
        package let value: String
    }

    /// The model for one kind of work.
    struct ModelRole: Hashable, Sendable {
        let role: String
        let model: String?
        let provider: String?
    }

    static let sourceFilesMax = 1000
    static let sourceBytesMax = 4 * 1024 * 1024
    static let requirementsMax = 200

    /// The image to run; `nil` for an agent of sources.
    package let image: String?
    /// Sorted by path.
    package let sources: [SourceFile]
    package let requirements: [String]
    /// Imports whose packages among the requirements are guesses.
    let guessedImports: [String]
    /// The module that the runtime is to look into; `nil` leaves the runtime's own tool loop.
    package let entryPoint: String?
    package let systemPrompt: String?
    package let model: String?
    package let provider: String?
    let modelRoles: [ModelRole]
    package let requiredTools: [String]
    package let variables: [Variable]
    /// An address written in the agent's code, and the tool that stands for it.
    package let toolURLMappings: [Variable]
    /// True when an instance takes one run at a time, so that each of its requests is attributed to that run.
    package let isolatesRuns: Bool

    /// Whether the document has sources at all; an agent without runs elsewhere.
    package static func hasSources(_ document: JSONValue) -> Bool {
        if case .object(let files)? = document["source_files"] { !files.isEmpty } else { false }
    }

    /// The image of an agent that has no sources, and runs nowhere else.
    static func image(_ document: JSONValue) -> String? {
        guard !hasSources(document), document["invoke_url"]?.string == nil else { return nil }
        return document["spec"]?["image"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// - Throws: what is wrong with the document, for whoever deployed it.
    package init(document: JSONValue) throws(AgentRefusal) {
        image = Self.image(document)
        sources = image == nil ? try Self.sources(document) : []
        let found = FoundStart(document[FoundStart.member])
        let listed = found.map { JSONValue.array($0.requirements.map(JSONValue.string)) }
        let isNamed = document["requirements"].map { $0 != .null && $0 != .string("") } ?? false
        requirements = try Requirements.lines(isNamed ? document["requirements"] : listed)
        guessedImports = isNamed ? [] : found?.guessed ?? []
        let spec = document["spec"] ?? .null
        let entry = document["entry_point"]?.string
        entryPoint = image == nil ? try Self.entryPoint(entry, found, sources) : entry
        systemPrompt = spec["systemPrompt"]?.string
        model = spec["llmConfig"]?["model"]?.string
        provider = spec["llmConfig"]?["provider"]?.string
        modelRoles = document["llm_configs"].elements.compactMap { config in
            config["role"]?.string.map {
                ModelRole(role: $0, model: config["model"]?.string, provider: config["provider"]?.string)
            }
        }
        requiredTools = spec["requiredTools"].elements.compactMap { $0["name"]?.string ?? $0.string }
        variables = spec["env"].elements.compactMap { entry in
            guard let name = entry["name"]?.string else { return nil }
            return Variable(name: name, value: entry["value"]?.string ?? "")
        }
        isolatesRuns = try Self.isolatesRuns(spec["isolation"])
        if case .object(let mappings)? = document["tool_url_mappings"] {
            toolURLMappings = mappings.compactMap { mapping in
                mapping.value.string.map { Variable(name: mapping.name, value: $0) }
            }
        } else {
            toolURLMappings = []
        }
    }

    private static func isolatesRuns(_ isolation: JSONValue?) throws(AgentRefusal) -> Bool {
        switch isolation {
        case nil, .null?: return false
        case .string("run")?: return true
        case .string?, .bool?, .number?, .array?, .object?:
            throw AgentRefusal("spec.isolation must be \"run\", or absent for runs that share a process")
        }
    }

    private static func sources(_ document: JSONValue) throws(AgentRefusal) -> [SourceFile] {
        guard case .object(let members)? = document["source_files"], !members.isEmpty else {
            throw AgentRefusal("the agent has no source_files to run")
        }
        guard members.count <= sourceFilesMax else {
            throw AgentRefusal("source_files has more than \(sourceFilesMax) files")
        }
        var files: [SourceFile] = []
        var byteCount = 0
        for member in members {
            guard let content = member.value.string else {
                throw AgentRefusal("source_files: \(member.name.prefix(80)) must be a string")
            }
            byteCount += content.utf8.count
            files.append(SourceFile(path: try checkedPath(member.name), content: content))
        }
        guard byteCount <= sourceBytesMax else {
            throw AgentRefusal("source_files are larger than \(sourceBytesMax) bytes together")
        }
        files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        for (file, next) in zip(files, files.dropFirst()) {
            guard file.path != next.path, !next.path.hasPrefix(file.path + "/") else {
                throw AgentRefusal("source_files: \(file.path) and \(next.path) cannot both be there")
            }
        }
        return files
    }

    /// A path that stays inside the bundle on every file system.
    static func checkedPath(_ path: String) throws(AgentRefusal) -> String {
        guard SourcePath.isValid(path) else {
            throw AgentRefusal(
                "source_files: \"\(path.prefix(80))\" must be a relative path without empty parts, . and ..")
        }
        return path
    }
}

/// Why an agent cannot be run, and what to do about it.
package struct AgentRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
