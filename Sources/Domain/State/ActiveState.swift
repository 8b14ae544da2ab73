/// The write side's memory: everything that is not finished, folded from the log, and nothing else.
///
/// A finished run, a decided request and a deleted resource leave it, so that memory follows the work at hand
/// and not the years behind.
package struct ActiveState: Hashable, Sendable {
    package private(set) var runs: [RunID: RunState] = [:]
    package private(set) var accessRequests: [AccessRequestID: AccessRequestState] = [:]
    package private(set) var resources: [ResourceKey: ResourceState] = [:]
    package private(set) var apiKeys: [APIKeyID: APIKeyState] = [:]
    package private(set) var secrets: [ResourceKey: [String: SecretState]] = [:]
    package private(set) var secretCount = 0
    package private(set) var deliveries = DeliveryBook()
    package private(set) var builds: [BuildID: BuildState] = [:]
    package private(set) var erasures: [PersonID: ErasureState] = [:]
    /// The stops in force.
    package private(set) var controls: [ControlKey: ControlState] = [:]
    private var pendingAccess: [PendingAccessKey: AccessRequestID] = [:]
    private var resourceCounts: [ResourceKind: Int] = [:]
    /// The shares of workspaces and principals in what is unfinished.
    private(set) var usage = UnfinishedUsage()

    package init() {}

    /// The state as it was remembered before; `nil` when something is in it twice.
    package init?(
        runs: [RunState], accessRequests: [AccessRequestState], resources: [(key: ResourceKey, state: ResourceState)],
        apiKeys: [(id: APIKeyID, state: APIKeyState)], secrets: [(reference: SecretReference, state: SecretState)],
        deliveries: DeliveryBook = DeliveryBook(), builds: [BuildState] = [], erasures: [ErasureState] = [],
        controls: [ControlState] = []
    ) {
        self.deliveries = deliveries
        for run in runs {
            self.runs[run.id] = run
            usage.take(run)
        }
        for build in builds { usage.take(1, of: .builds, build.workspace, build.requester) }
        for request in accessRequests {
            usage.take(1, of: .accessRequests, request.workspace, request.requester?.keyKind)
            self.accessRequests[request.id] = request
            if let key = request.pendingKey { pendingAccess[key] = request.id }
        }
        for resource in resources {
            self.resources[resource.key] = resource.state
            resourceCounts[resource.key.kind, default: 0] += 1
        }
        for key in apiKeys { self.apiKeys[key.id] = key.state }
        for secret in secrets {
            let old = self.secrets[secret.reference.owner, default: [:]].updateValue(
                secret.state, forKey: secret.reference.name)
            if old == nil { secretCount += 1 }
        }
        for build in builds { self.builds[build.id] = build }
        for erasure in erasures { self.erasures[erasure.id] = erasure }
        for control in controls { self.controls[control.key] = control }
        guard self.runs.count == runs.count, self.accessRequests.count == accessRequests.count,
            self.resources.count == resources.count, self.apiKeys.count == apiKeys.count,
            secretCount == secrets.count, self.builds.count == builds.count, self.erasures.count == erasures.count,
            self.controls.count == controls.count,
            pendingAccess.count == accessRequests.lazy.filter({ $0.pendingKey != nil }).count
        else { return nil }
    }

    func pendingAccessRequest(_ key: PendingAccessKey) -> AccessRequestState? {
        pendingAccess[key].flatMap { accessRequests[$0] }
    }

    func resourceCount(_ kind: ResourceKind) -> Int { resourceCounts[kind, default: 0] }

    /// Folds one event; the order of the log is the caller's promise.
    package mutating func evolve(_ event: Event) {
        switch event.stream.kind {
        case .run: evolveRun(RunID(event.stream.id), event)
        case .accessRequest: evolveAccessRequest(AccessRequestID(event.stream.id), event)
        case .agent, .tool, .policy, .modelProvider, .identityProvider, .approvalConnector, .deployDraft, .settings,
            .modelAlias:
            evolveResource(event)
        case .apiKey: evolveAPIKey(APIKeyID(event.stream.id), event)
        case .secret: evolveSecret(SecretID(event.stream.id), event)
        case .build: evolveBuild(BuildID(event.stream.id), event)
        case .person: evolvePerson(PersonID(event.stream.id), event)
        case .expiry: if case .runExpired(let expired) = event.payload { evolveExpiry(expired) }
        case .control: evolveControl(event)
        case .answer, .analysis, .keyLoss: break
        }
        switch event.stream.kind {
        case .run, .accessRequest, .approvalConnector: deliveries.evolve(event)
        default: break
        }
    }

    /// Removes whatever is remembered of a run.
    mutating func forgetRun(_ id: RunID, _ requests: [AccessRequestID]) {
        removeRun(id)
        for request in requests { removeAccessRequest(request) }
        deliveries.forget(id)
    }

    private mutating func evolveRun(_ id: RunID, _ event: Event) {
        if case .runCreated(let created) = event.payload {
            var run = RunState(id: id, workspace: event.workspace, created: created)
            run.evolve(event)
            removeRun(id)
            runs[id] = run
            usage.take(run)
            return
        }
        guard let before = runs[id]?.footprint else { return }
        if case .actionApproved(let approved) = event.payload {
            let votes = runs[id]?.action(approved.actionID)?.gate?.votes ?? []
            let found = approvers(after: votes, event.actor)
            runs[id]?.setApprovers(found, of: approved.actionID)
        }
        runs[id]?.evolve(event)
        if let run = runs[id], run.footprint != before {
            usage.take(run.footprint - before, of: .runBytes, run.workspace, run.creator?.kind)
        }
        // A finished run's last events may follow the one that finished it, in the same command.
        if case .runStatusChanged(let changed) = event.payload, changed.status.isFinished { removeRun(id) }
    }

    private mutating func removeRun(_ id: RunID) {
        if let run = runs.removeValue(forKey: id) { usage.release(run) }
    }

    @discardableResult
    private mutating func removeAccessRequest(_ id: AccessRequestID) -> AccessRequestState? {
        guard let request = accessRequests.removeValue(forKey: id) else { return nil }
        if let key = request.pendingKey { pendingAccess[key] = nil }
        usage.release(1, of: .accessRequests, request.workspace, request.requester?.keyKind)
        return request
    }

    private mutating func evolveAccessRequest(_ id: AccessRequestID, _ event: Event) {
        if case .accessRequested(let requested) = event.payload {
            let request = AccessRequestState(
                id: id, workspace: event.workspace, requested: requested, requester: event.actor,
                sequence: event.streamSequence)
            removeAccessRequest(id)
            accessRequests[id] = request
            usage.take(1, of: .accessRequests, request.workspace, request.requester?.keyKind)
            if let key = request.pendingKey { pendingAccess[key] = id }
        } else if case .accessApproved(let approved) = event.payload {
            guard let request = accessRequests[id] else { return }
            if let key = request.pendingKey { pendingAccess[key] = nil }
            let target = request.requested.run
            let votes = target.flatMap { runs[$0.runID]?.action($0.actionID)?.gate?.votes } ?? []
            let found = approvers(after: votes, event.actor)
            accessRequests[id]?.approve(approved, by: found, at: event.time, sequence: event.streamSequence)
        } else {
            removeAccessRequest(id)
        }
    }

    private mutating func evolveResource(_ event: Event) {
        if case .resourceStored(let stored) = event.payload {
            let key = ResourceKey(workspace: event.workspace, kind: stored.kind, name: stored.name)
            if resources[key] == nil { resourceCounts[stored.kind, default: 0] += 1 }
            resources[key] = ResourceState(
                id: ResourceID(event.stream.id), revision: stored.revision, streamSequence: event.streamSequence)
        } else if case .resourceDeleted(let deleted) = event.payload {
            let key = ResourceKey(workspace: event.workspace, kind: deleted.kind, name: deleted.name)
            guard resources.removeValue(forKey: key) != nil else { return }
            let count = resourceCounts[deleted.kind, default: 1] - 1
            resourceCounts[deleted.kind] = count == 0 ? nil : count
        } else if case .resourceStatusRecorded(let recorded) = event.payload {
            let key = ResourceKey(workspace: event.workspace, kind: recorded.kind, name: recorded.name)
            resources[key]?.streamSequence = event.streamSequence
        } else if case .modelCalled(let called) = event.payload {
            let key = ResourceKey(workspace: event.workspace, kind: .modelProvider, name: called.provider)
            resources[key]?.streamSequence = event.streamSequence
        } else if let label = event.payload.deliveryLabel {
            let key = ResourceKey(workspace: event.workspace, kind: .approvalConnector, name: label.connector)
            resources[key]?.streamSequence = event.streamSequence
        }
    }

    private mutating func evolveAPIKey(_ id: APIKeyID, _ event: Event) {
        if case .apiKeyCreated(let created) = event.payload {
            apiKeys[id] = APIKeyState(
                workspace: event.workspace, name: created.name, digest: created.digest, groups: created.groups,
                role: created.role, agent: created.agent, onlyGroups: created.onlyGroups,
                expiresAt: created.expiresAt, streamSequence: event.streamSequence)
        } else if case .apiKeyRotated(let rotated) = event.payload {
            apiKeys[id]?.rotate(rotated, sequence: event.streamSequence)
        } else if case .apiKeyRevoked = event.payload {
            apiKeys[id] = nil
        }
    }

    private mutating func evolveBuild(_ id: BuildID, _ event: Event) {
        if case .buildRequested = event.payload {
            let build = BuildState(
                id: id, workspace: event.workspace, requester: event.actor.keyKind, attempts: 0,
                streamSequence: event.streamSequence)
            guard builds.updateValue(build, forKey: id) == nil else { return }
            usage.take(1, of: .builds, build.workspace, build.requester)
        } else if case .buildStarted(let started) = event.payload {
            builds[id]?.start(started, sequence: event.streamSequence)
        } else if case .buildFinished = event.payload {
            guard let build = builds.removeValue(forKey: id) else { return }
            usage.release(1, of: .builds, build.workspace, build.requester)
        }
    }

    private mutating func evolveControl(_ event: Event) {
        if case .controlStopped(let stopped) = event.payload {
            let control = ControlState(stopped, event)
            controls[control.key] = control
        } else if case .controlStarted(let started) = event.payload {
            controls[started.key(in: event.workspace)] = nil
        }
    }

    private mutating func evolvePerson(_ id: PersonID, _ event: Event) {
        if case .personErasureRequested(let requested) = event.payload {
            erasures[id] = ErasureState(
                id: id, workspace: event.workspace, streamSequence: event.streamSequence,
                person: PersonName(workspace: event.workspace, userID: requested.userID))
        } else if case .personErased = event.payload {
            erasures[id] = nil
        }
    }

    private mutating func evolveSecret(_ id: SecretID, _ event: Event) {
        if case .secretStored(let stored) = event.payload {
            let owner = ResourceKey(workspace: event.workspace, kind: stored.kind, name: stored.owner)
            let state = SecretState(id: id, keyID: stored.sealed.keyID, streamSequence: event.streamSequence)
            if secrets[owner, default: [:]].updateValue(state, forKey: stored.name) == nil { secretCount += 1 }
        } else if case .secretDeleted(let deleted) = event.payload {
            let owner = ResourceKey(workspace: event.workspace, kind: deleted.kind, name: deleted.owner)
            guard secrets[owner]?.removeValue(forKey: deleted.name) != nil else { return }
            secretCount -= 1
            if secrets[owner]?.isEmpty == true { secrets[owner] = nil }
        }
    }
}

/// A resource's name within its workspace and kind.
package struct ResourceKey: Hashable, Sendable {
    package let workspace: WorkspaceName
    package let kind: ResourceKind
    package let name: String

    package init(workspace: WorkspaceName, kind: ResourceKind, name: String) {
        self.workspace = workspace
        self.kind = kind
        self.name = name
    }
}

/// What the write side remembers of a named resource.
package struct ResourceState: Hashable, Sendable {
    package let id: ResourceID
    package let revision: UInt64
    package fileprivate(set) var streamSequence: UInt64

    package init(id: ResourceID, revision: UInt64, streamSequence: UInt64) {
        self.id = id
        self.revision = revision
        self.streamSequence = streamSequence
    }
}

/// What the write side remembers of an API key.
package struct APIKeyState: Hashable, Sendable {
    /// The name of the key that the daemon's configuration has.
    package static let configuredName = "SLUICE_API_KEY"

    package let workspace: WorkspaceName
    package let name: String
    package private(set) var digest: String
    /// The groups of approvers that it stands for.
    package let groups: [String]
    package let role: Role
    /// The agent that a key of role agent is for; `nil` when it may speak for any.
    package let agent: String?
    /// True for a key that decides only on requests that name one of its groups.
    package let onlyGroups: Bool
    package private(set) var expiresAt: Timestamp?
    package private(set) var streamSequence: UInt64

    package init(
        workspace: WorkspaceName, name: String, digest: String, groups: [String], role: Role, agent: String? = nil,
        onlyGroups: Bool = false, expiresAt: Timestamp?, streamSequence: UInt64
    ) {
        self.workspace = workspace
        self.name = name
        self.digest = digest
        self.groups = groups
        self.role = role
        self.agent = agent
        self.onlyGroups = onlyGroups
        self.expiresAt = expiresAt
        self.streamSequence = streamSequence
    }

    fileprivate mutating func rotate(_ rotated: APIKeyRotated, sequence: UInt64) {
        digest = rotated.digest
        expiresAt = rotated.expiresAt
        streamSequence = sequence
    }
}
