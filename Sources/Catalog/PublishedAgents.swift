package import Domain

/// The agents that come with Sluice. They are part of the binary, so that there is nothing to fetch.
package struct PublishedAgents: Sendable {
    package static let all = PublishedAgents()

    /// In the catalog's order, the versions of one agent newest first.
    package let versions: [PublishedAgent]

    private init() {
        guard case .array(let entries) = Self.value(PackageResources.catalog_json) else {
            preconditionFailure("the catalog is an array")
        }
        versions = entries.map(Self.agent)
    }

    /// The newest version of each.
    package var newest: [PublishedAgent] {
        var seen: Set<String> = []
        return versions.filter { seen.insert($0.id).inserted }
    }

    /// When the catalog last got something new.
    package var publishedAt: String { versions.map { $0.text("published_at") }.max() ?? "" }

    package func versions(of id: String) -> [PublishedAgent] { versions.filter { $0.id == id } }

    private static func agent(_ entry: JSONValue) -> PublishedAgent {
        guard let id = entry["id"]?.string, let version = entry["version"]?.string,
            case .object(let files)? = entry["source_files"]
        else { preconditionFailure("an agent of the catalog has an id, a version and sources") }
        let sources = files.map { file in
            guard let name = file.value.string, let content = contents[name] else {
                preconditionFailure("the catalog's file \(file.name) is in the binary")
            }
            return JSONValue.Member(name: file.name, value: .string(String(decoding: content, as: UTF8.self)))
        }
        return PublishedAgent(id: id, version: version, manifest: entry, sources: sources)
    }

    private static func value(_ bytes: [UInt8]) -> JSONValue {
        do { return try JSONValue(parsing: bytes) } catch { preconditionFailure("the catalog is JSON: \(error)") }
    }

    private static let contents: [String: [UInt8]] = [
        "payment_clerk.py": PackageResources.payment_clerk_py,
        "playground_assistant.py": PackageResources.playground_assistant_py,
        "text_digest_1_0.py": PackageResources.text_digest_1_0_py,
        "text_digest_1_1.py": PackageResources.text_digest_1_1_py,
        "tool_prober.py": PackageResources.tool_prober_py,
    ]
}
