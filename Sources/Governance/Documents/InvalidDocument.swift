/// What is wrong with a document; the message names the member by its path, such as `spec.policies[0].permission`.
package struct InvalidDocument: Error, Hashable, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}
