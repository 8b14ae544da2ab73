/// A tool as approvals are bound to it: a name can be given to another tool, or to another server, later.
package struct ToolIdentity: Hashable, Sendable {
    /// The tool's resource id, which a tool that is deleted and created again does not keep.
    package let id: ResourceID
    /// Scheme, host, and the port where it is not the scheme's own, normalized.
    package let origin: String

    package init(id: ResourceID, origin: String) {
        self.id = id
        self.origin = origin
    }
}
