/// The HTTP methods that a rule is about; none named is all of them.
package struct CallMethods: Hashable, Sendable, CustomStringConvertible {
    /// Upper case, in the order they were written.
    package let names: [String]

    package static let all = CallMethods(upperCase: [])

    private init(upperCase names: [String]) { self.names = names }

    /// Takes tokens (RFC 9110, 5.6.2) in any case; `*` is all. `nil` when one is no token.
    package init?(_ names: [String]) {
        guard !names.contains("*") else {
            self = .all
            return
        }
        guard names.allSatisfy(Self.isToken) else { return nil }
        self.init(upperCase: names.map { $0.uppercased() })
    }

    package func contains(_ method: String) -> Bool {
        names.isEmpty || names.contains(method) || names.contains(method.uppercased())
    }

    package var description: String { names.isEmpty ? "any method" : names.joined(separator: ", ") }

    private static func isToken(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count) && name.utf8.allSatisfy { $0.isLetter || $0.isDigit || marks.contains($0) }
    }

    private static let marks = Array("!#$%&'*+-.^_`|~".utf8)
}
