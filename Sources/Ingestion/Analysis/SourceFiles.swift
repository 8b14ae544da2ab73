package import Domain

/// Sources that somebody sent, checked: the same that a deploy takes.
package struct SourceFiles: Hashable, Sendable {
    private static let countMax = 1000
    private static let bytesMax = 4 * 1024 * 1024

    /// An object of paths and their texts.
    package let value: JSONValue
    /// Sorted by path.
    let files: [(path: String, content: String)]

    /// - Parameters:
    ///   - value: what was sent.
    ///   - field: how the sender calls it.
    package init(_ value: JSONValue?, field: String) throws(InvalidSources) {
        guard let value, value != .null else { throw InvalidSources("\(field) is required") }
        guard case .object(let members) = value else {
            throw InvalidSources("\(field) must be an object of paths and texts")
        }
        guard !members.isEmpty else { throw InvalidSources("\(field) must have at least one file") }
        guard members.count <= Self.countMax else {
            throw InvalidSources("\(field) has more than \(Self.countMax) files")
        }
        var files: [(path: String, content: String)] = []
        var byteCount = 0
        for member in members {
            guard SourcePath.isValid(member.name) else {
                throw InvalidSources(
                    "\(field): \"\(member.name.excerpt)\" must be a relative path without empty parts, . and ..")
            }
            guard let content = member.value.string else {
                throw InvalidSources("\(field): \(member.name.excerpt) must be a string")
            }
            byteCount += content.utf8.count
            files.append((member.name, content))
        }
        guard byteCount <= Self.bytesMax else {
            throw InvalidSources("\(field): the files are larger than \(Self.bytesMax) bytes together")
        }
        files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        for (file, next) in zip(files, files.dropFirst()) where file.path == next.path {
            throw InvalidSources("\(field): \(file.path.excerpt) is named twice")
        }
        self.value = value
        self.files = files
    }

    package static func == (left: Self, right: Self) -> Bool { left.value == right.value }

    package func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

/// What is wrong with sources that were sent, naming the field.
package struct InvalidSources: Error, Hashable, Sendable {
    package let message: String

    init(_ message: String) { self.message = message }
}
