/// The parts that workspaces and principals have of what is unfinished, folded from the log.
package struct UnfinishedUsage: Hashable, Sendable {
    /// A resource of which there is a bounded amount.
    enum Resource: Hashable, Sendable {
        case runs, runBytes, builds, accessRequests

        var name: String {
            switch self {
            case .runs: "unfinished runs"
            case .runBytes: "bytes of unfinished runs"
            case .builds: "open builds"
            case .accessRequests: "open access requests"
            }
        }
    }

    private var workspaces: [Resource: ShareBook<WorkspaceName>] = [:]
    private var principals: [Resource: ShareBook<Actor.Kind>] = [:]

    init() {}

    /// The amount that all have together.
    func taken(_ resource: Resource) -> Int { workspaces[resource]?.taken ?? 0 }

    /// Refuses an amount that is not left, or that is more than the share of its workspace, or of its principal in what the
    /// workspace may have.
    ///
    /// - Parameter principal: the key or person that asks; `nil` when Sluice does.
    func check(
        _ amount: Int, of resource: Resource, max: Int, _ workspace: WorkspaceName, _ principal: Actor.Kind?,
        _ limits: Limits
    ) throws(Rejection) {
        let rule = ShareRule(total: max, percent: limits.sharePercent)
        let taken = taken(resource)
        let held = workspaces[resource]?.held(by: workspace) ?? 0
        switch rule.refusal(of: amount, held: held, taken: taken) {
        case .exhausted: throw .limitReached(resource.name, max)
        case .shareExceeded: throw .shareExceeded("workspace \(workspace.text)", resource.name, held)
        case nil: break
        }
        // Like a holder with nothing, a workspace with nothing gets what is free.
        guard let principal, held > 0 else { return }
        let own = principals[resource]?.held(by: principal) ?? 0
        guard rule.part(leaving: taken - held).refusal(of: amount, held: own, taken: held) == nil else {
            throw .shareExceeded("this key", resource.name, own)
        }
    }

    mutating func take(_ amount: Int, of resource: Resource, _ workspace: WorkspaceName, _ principal: Actor.Kind?) {
        workspaces[resource, default: ShareBook()].take(amount, for: workspace)
        if let principal { principals[resource, default: ShareBook()].take(amount, for: principal) }
    }

    mutating func release(
        _ amount: Int, of resource: Resource, _ workspace: WorkspaceName, _ principal: Actor.Kind?
    ) {
        workspaces[resource]?.release(amount, of: workspace)
        if let principal { principals[resource]?.release(amount, of: principal) }
        // An empty book is like none: two folds of the same log are equal.
        if workspaces[resource]?.taken == 0 { workspaces[resource] = nil }
        if principals[resource]?.taken == 0 { principals[resource] = nil }
    }

    mutating func take(_ run: RunState) {
        take(1, of: .runs, run.workspace, run.creator?.kind)
        take(run.footprint, of: .runBytes, run.workspace, run.creator?.kind)
    }

    mutating func release(_ run: RunState) {
        release(1, of: .runs, run.workspace, run.creator?.kind)
        release(run.footprint, of: .runBytes, run.workspace, run.creator?.kind)
    }
}
