/// One JSON value as text, checked and put in canonical form at the edge it came in by.
///
/// The rules here never look inside: what a client sent in `data` or `spec` goes into the log as it is.
package struct JSONText: Hashable, Sendable {
    package let text: String

    /// The caller vouches that `text` is one well-formed JSON value.
    package init(verified text: String) { self.text = text }
}
