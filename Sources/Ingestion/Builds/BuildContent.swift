import Crypto
package import Domain

/// What a build is made of, and the name of what comes of it.
package struct BuildContent: Hashable, Sendable {
    package let name: String
    package let files: SourceFiles
    /// The build's content as it is kept: what a deploy's body calls these things too.
    package let document: JSONText
    /// Follows from the content and the recipe alone: the same content has the same image.
    package let image: String

    private static let digestBytes = 16

    /// - Parameters:
    ///   - requirements: the lines of a requirements file.
    ///   - found: what an analysis found in the place of what is not named.
    ///   - recipe: how an image is made of what a build's document holds; it is a part of the content.
    package init(
        name: String, files: SourceFiles, entryPoint: String?, requirements: String?, framework: String?,
        found: FoundStart? = nil, recipe: (JSONValue) -> String? = { _ in nil }
    ) throws(InvalidSources) {
        let slug = Self.slug(name)
        guard !slug.isEmpty else { throw InvalidSources("name must have at least one letter or digit") }
        if let entryPoint { try Self.check(entryPoint, files) }
        self.name = name
        self.files = files
        var members: [JSONValue.Member] = [.init(name: "source_files", value: files.value)]
        if let requirements { members.append(.init(name: "requirements", value: .string(requirements))) }
        if let entryPoint { members.append(.init(name: "entry_point", value: .string(entryPoint))) }
        if let framework { members.append(.init(name: "framework", value: .string(framework))) }
        if let found { members.append(.init(name: FoundStart.member, value: found.value)) }
        let value = JSONValue.object(members)
        document = value.text
        var hasher = SHA256()
        let installed = requirements ?? found?.requirements.joined(separator: "\n") ?? ""
        let named = ["build-2", recipe(value) ?? "", installed, entryPoint ?? found?.entryPoint ?? ""]
        let parts = named + files.files.flatMap { [$0.path, $0.content] }
        for part in parts {
            // Each part goes in with its length before it, so that no two lists of parts read the same.
            hasher.update(data: Array("\(part.utf8.count):".utf8))
            hasher.update(data: Array(part.utf8))
        }
        let digest = hasher.finalize().prefix(Self.digestBytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        // With that host in its name no registry is ever asked for it.
        image = "localhost/sluice/\(slug):\(digest.joined())"
    }

    private static func check(_ entryPoint: String, _ files: SourceFiles) throws(InvalidSources) {
        let isPath = entryPoint.hasSuffix(".py")
        let path = isPath ? entryPoint : entryPoint.split(separator: ".").joined(separator: "/") + ".py"
        let package = path.dropLast(3) + "/__init__.py"
        guard files.files.contains(where: { $0.path == path || $0.path == package }) else {
            throw InvalidSources("entry_point \(entryPoint.excerpt) is not among the files")
        }
    }

    /// The part of an image's name that follows from a name: lower-case letters, digits, and single dashes.
    private static func slug(_ name: String) -> String {
        let plain = name.lowercased().unicodeScalars.map { scalar in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "-"
        }
        return String(plain).split(separator: "-").joined(separator: "-")
    }
}
