extension ActiveState {
    /// Stops an agent, a tool or a workspace; nothing changes when it is stopped so already.
    func stop(_ stop: StopControl, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let stopped = stop.stopped
        let key = stopped.key(in: context.workspace)
        try checkText(stopped.reason, "reason", bytesMax: context.settings.limits.textBytesMax)
        let current = controls[key]
        if let current {
            guard current.holdsRuns != stopped.holdsRuns || current.reason != stopped.reason else { return [] }
        } else {
            try checkExists(key)
            // Those of deleted resources stay, so they have a limit of their own.
            let limit = context.settings.limits.resourcesPerKindMax
            guard controls.count < limit else { throw .limitReached("stops in force", limit) }
        }
        return [
            context.event(
                0, stream: .control(current?.id ?? stop.id), sequence: (current?.streamSequence ?? 0) + 1,
                .controlStopped(stopped))
        ]
    }

    /// Lifts a stop; nothing changes when there is none.
    func start(_ started: ControlStarted, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let key = started.key(in: context.workspace)
        try checkText(started.reason, "reason", bytesMax: context.settings.limits.textBytesMax)
        guard let current = controls[key] else {
            try checkExists(key)
            return []
        }
        return [
            context.event(
                0, stream: .control(current.id), sequence: current.streamSequence + 1, .controlStarted(started))
        ]
    }

    /// The stop that keeps an agent from all effects: its workspace's, or its own.
    package func stop(ofAgent name: String?, in workspace: WorkspaceName) -> ControlState? {
        guard !controls.isEmpty else { return nil }
        return controls[.all(of: workspace)] ?? name.flatMap { controls[.agent($0, in: workspace)] }
    }

    /// The stop that keeps an agent from calling a tool.
    package func stop(ofTool tool: String, for agent: String?, in workspace: WorkspaceName) -> ControlState? {
        guard !controls.isEmpty else { return nil }
        return stop(ofAgent: agent, in: workspace) ?? controls[.tool(tool, in: workspace)]
    }

    private func checkExists(_ key: ControlKey) throws(Rejection) {
        let kind: ResourceKind
        switch key.kind {
        case .workspace: return
        case .agent: kind = .agent
        case .tool: kind = .tool
        }
        guard exactly(ResourceKey(workspace: key.workspace, kind: kind, name: key.name)) != nil else {
            throw .resourceNotFound(kind, key.name)
        }
    }
}

extension Rejection {
    /// True for what is refused because an operator has stopped it.
    package var isOfStop: Bool { [.agentStopped, .toolStopped, .workspaceStopped].contains(code) }

    static func stopped(_ control: ControlState) -> Rejection {
        let code: RejectionErrorCode =
            switch control.key.kind {
            case .agent: .agentStopped
            case .tool: .toolStopped
            case .workspace: .workspaceStopped
            }
        return Rejection(code, "\(control.description); nothing is called or started until an operator starts it again")
    }
}
