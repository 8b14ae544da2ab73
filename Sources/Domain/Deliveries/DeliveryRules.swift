extension ActiveState {
    /// The intent of sending a message, on the connector's stream.
    ///
    /// - Throws: `deliveryNotExpected` when its subject is decided, or when that very attempt was begun already.
    func startDelivery(_ started: DeliveryStarted, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        let connector = try connector(started.label, context)
        let current = deliveries[started.label.id]
        if current == nil { try deliveries.checkShare(of: context.workspace, limits) }
        guard isExpected(started, after: current) else { throw .deliveryNotExpected(started.label.id) }
        return [connector.event(.deliveryStarted(started), context)]
    }

    func endDelivery(_ ended: DeliveryEnded, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let connector = try connector(ended.label, context)
        guard let current = deliveries[ended.label.id], current.stage == .inFlight, current.purpose == ended.purpose,
            current.attempt == ended.attempt
        else { throw .deliveryNotExpected(ended.label.id) }
        return [connector.event(.deliveryEnded(ended), context)]
    }

    /// Decides by a link what the link is about, once. The approval is the connector's, as its groups allow.
    func decideByLink(_ decide: DecideByLink, _ context: DecisionContext) throws(Rejection) -> [Event] {
        guard let delivery = deliveries[decide.deliveryID], delivery.workspace == context.workspace,
            let link = delivery.link, link.digest.isEqualInConstantTime(to: decide.digest)
        else { throw Rejection(.decisionLinkUnknown, "this link is not valid") }
        guard !delivery.isLinkUsed else { throw Rejection(.decisionLinkUsed, "this link was used before") }
        guard isOpen(delivery.label.subject) else {
            throw Rejection(.decisionLinkClosed, "there is nothing to decide any more")
        }
        guard context.time < link.expiresAt else {
            throw Rejection(.decisionLinkExpired, "this link expired at \(link.expiresAt)")
        }
        switch (link.payloadHash, decide.payloadHash) {
        case (nil, _): break
        case (let bound?, let given?) where bound.matches(given): break
        default:
            throw Rejection(
                .payloadHashMismatch,
                "payload_hash mismatch: the link is for another payload; open it again and decide on what it shows")
        }
        let connector = try connector(delivery.label, context)
        let events = try decision(decide, link, on: delivery.label.subject, context)
        guard !events.isEmpty else {
            throw Rejection(
                .notAnApprover, "this connector's approval is there already; the other groups have to follow")
        }
        let used = DecisionLinkUsed(label: delivery.label, approves: decide.approves)
        return events + [connector.event(.decisionLinkUsed(used), context, index: events.count)]
    }

    /// Whether somebody still has to decide.
    package func isOpen(_ subject: DeliverySubject) -> Bool {
        switch subject {
        case .action(let run, let action, _): runs[run]?.action(action)?.status == .blocked
        case .request(let request): accessRequests[request]?.isPending == true
        }
    }

    private func decision(
        _ decide: DecideByLink, _ link: DecisionLink, on subject: DeliverySubject, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        switch (subject, decide.approves) {
        case (.action(let run, let action, _), true):
            try approveAction(run, action, link.payloadHash, decide.reason, nil, context)
        case (.action(let run, let action, _), false): try rejectAction(run, action, decide.reason, nil, context)
        case (.request(let request), true):
            try approveAccess(
                ApproveAccess(
                    requestID: request, scope: nil, duration: nil, reason: decide.reason,
                    payloadHash: link.payloadHash), context)
        case (.request(let request), false): try rejectAccess(request, decide.reason, nil, context)
        }
    }

    private func isExpected(_ started: DeliveryStarted, after current: DeliveryState?) -> Bool {
        guard let current else {
            return started.purpose == .ask && started.attempt == 1 && isOpen(started.label.subject)
        }
        switch (current.stage, started.purpose) {
        case (.inFlight, _), (.failed, _), (.delivered, .ask): return false
        case (.delivered, .followUp): return current.needsFollowUp && started.attempt == 1
        case (.waiting, let purpose):
            return purpose == current.purpose && started.attempt == current.attempt + 1
                && current.isClosed == (purpose == .followUp)
        }
    }

    private func connector(
        _ label: DeliveryLabel, _ context: DecisionContext
    ) throws(Rejection) -> ResourceState {
        let key = ResourceKey(workspace: context.workspace, kind: .approvalConnector, name: label.connector)
        guard let connector = resources[key] else { throw .resourceNotFound(.approvalConnector, label.connector) }
        return connector
    }
}

extension ResourceState {
    fileprivate func event(_ payload: EventPayload, _ context: DecisionContext, index: Int = 0) -> Event {
        context.event(
            index, stream: .resource(.approvalConnector, id), sequence: streamSequence + 1, payload)
    }
}

extension Rejection {
    fileprivate static func deliveryNotExpected(_ id: DeliveryID) -> Rejection {
        Rejection(.deliveryNotExpected, "message \(id) is not to be sent now")
    }
}

extension [UInt8] {
    /// Takes as long whichever bytes differ.
    fileprivate func isEqualInConstantTime(to other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        return zip(self, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension DeliveryBook {
    /// Refuses a message for which the workspace has no share left.
    fileprivate func checkShare(of workspace: WorkspaceName, _ limits: Limits) throws(Rejection) {
        let rule = ShareRule(total: limits.deliveriesMax, percent: limits.sharePercent)
        let what = "messages to approvers"
        switch shares.refusal(of: 1, for: workspace, rule) {
        case .exhausted: throw .limitReached(what, limits.deliveriesMax)
        case .shareExceeded:
            throw .shareExceeded("workspace \(workspace.text)", what, shares.held(by: workspace))
        case nil: break
        }
    }
}
