package import Domain

/// One version of an agent that comes with Sluice.
package struct PublishedAgent: Hashable, Sendable {
    package let id: String
    package let version: String
    /// As the catalog has it: names, texts and lists, without the sources.
    package let manifest: JSONValue
    /// Its sources, by the path that they have in the agent's bundle.
    package let sources: [JSONValue.Member]

    package func text(_ name: String) -> String { manifest[name]?.string ?? "" }

    package func texts(_ name: String) -> [String] { manifest[name].strings }

    /// The policies that it is to be deployed with, by name.
    package var policies: [JSONValue.Member] {
        if case .object(let members)? = manifest["policies"] { members } else { [] }
    }
}
