/// The kinds of things that an operator stops and starts.
package enum ControlKind: String, Hashable, Sendable, CaseIterable {
    case agent, tool, workspace
}

/// A thing that can be stopped; of a workspace the name is its own.
package struct ControlKey: Hashable, Sendable {
    package let workspace: WorkspaceName
    package let kind: ControlKind
    package let name: String

    package init(workspace: WorkspaceName, kind: ControlKind, name: String) {
        self.workspace = workspace
        self.kind = kind
        self.name = name
    }

    package static func agent(_ name: String, in workspace: WorkspaceName) -> ControlKey {
        ControlKey(workspace: workspace, kind: .agent, name: name)
    }

    package static func tool(_ name: String, in workspace: WorkspaceName) -> ControlKey {
        ControlKey(workspace: workspace, kind: .tool, name: name)
    }

    package static func all(of workspace: WorkspaceName) -> ControlKey {
        ControlKey(workspace: workspace, kind: .workspace, name: workspace.text)
    }

    /// True when a stop of this keeps that agent from all effects, or from calling that tool.
    package func covers(agent: String?, tool: String? = nil, in workspace: WorkspaceName) -> Bool {
        guard self.workspace == workspace else { return false }
        return switch kind {
        case .workspace: true
        case .agent: agent == name
        case .tool: tool == name
        }
    }

    /// The thing in words, for messages: `agent x`.
    package var description: String { kind == .tool ? "tool \"\(name)\"" : "\(kind.rawValue) \(name)" }
}

/// A stop that is in force. It outlives the agent or tool that it names, until it is lifted.
package struct ControlState: Hashable, Sendable {
    package let id: ControlID
    package let key: ControlKey
    package let streamSequence: UInt64
    /// True when unfinished runs wait for the start; they are cancelled otherwise.
    package let holdsRuns: Bool
    package let reason: String?

    package init(id: ControlID, key: ControlKey, streamSequence: UInt64, holdsRuns: Bool, reason: String?) {
        self.id = id
        self.key = key
        self.streamSequence = streamSequence
        self.holdsRuns = holdsRuns
        self.reason = reason
    }

    /// - Parameter event: the one that has the stop.
    package init(_ stopped: ControlStopped, _ event: Event) {
        self.init(
            id: ControlID(event.stream.id), key: stopped.key(in: event.workspace),
            streamSequence: event.streamSequence, holdsRuns: stopped.holdsRuns, reason: stopped.reason)
    }

    /// One clause for messages: `agent x is stopped: reason`.
    package var description: String { "\(key.description) is stopped" + (reason.map { ": \($0)" } ?? "") }
}

/// An agent, a tool or a workspace was stopped.
package struct ControlStopped: Hashable, Sendable {
    package let kind: ControlKind
    package let name: String
    package let reason: String?
    package let holdsRuns: Bool

    package init(kind: ControlKind, name: String, reason: String?, holdsRuns: Bool) {
        self.kind = kind
        self.name = name
        self.reason = reason
        self.holdsRuns = holdsRuns
    }

    package func key(in workspace: WorkspaceName) -> ControlKey {
        ControlKey(workspace: workspace, kind: kind, name: name)
    }
}

/// A stop was lifted.
package struct ControlStarted: Hashable, Sendable {
    package let kind: ControlKind
    package let name: String
    package let reason: String?

    package init(kind: ControlKind, name: String, reason: String?) {
        self.kind = kind
        self.name = name
        self.reason = reason
    }

    package func key(in workspace: WorkspaceName) -> ControlKey {
        ControlKey(workspace: workspace, kind: kind, name: name)
    }
}

/// Stops an agent, a tool or a workspace.
package struct StopControl: Hashable, Sendable {
    /// The id of the stop, unless one is in force.
    package let id: ControlID
    package let stopped: ControlStopped

    package init(id: ControlID, _ stopped: ControlStopped) {
        self.id = id
        self.stopped = stopped
    }
}
