import Domain

/// Messages to approvers: begun, taken, refused, tried again, decided by.
extension LogGenerator {
    mutating func deliveryCommand() -> Command {
        if let known = state.deliveries.all.min(by: { $0.label.id < $1.label.id }), random.chance(70) {
            workspace = known.workspace
            return command(known)
        }
        let connectors = state.resources.filter { $0.key.kind == .approvalConnector }
        guard let connector = connectors.min(by: { $0.value.id < $1.value.id }),
            let subject = openSubject(in: connector.key.workspace)
        else {
            return .storeResources(
                StoreResources(items: [
                    .init(
                        kind: .approvalConnector, name: "conn-1", newID: newID(),
                        document: JSONText(verified: #"{"name":"ops","type":"webhook"}"#))
                ]))
        }
        workspace = connector.key.workspace
        let label = DeliveryLabel(
            id: newID(), connector: connector.key.name, connectorName: "ops", subject: subject)
        let link = DecisionLink(
            digest: Self.digest(label.id), payloadHash: nil, expiresAt: now.adding(.seconds(3600)))
        return .startDelivery(
            DeliveryStarted(label: label, purpose: .ask, attempt: 1, link: random.maybe(link)))
    }

    private mutating func command(_ known: DeliveryState) -> Command {
        switch known.stage {
        case .inFlight:
            let outcomes: [DeliveryEnded.Outcome] = [
                .delivered(statusCode: 200, reference: random.maybe("OPS-1")),
                .failed(statusCode: 503, error: "the service answered 503", retryAt: now.adding(.seconds(1))),
                .failed(statusCode: nil, error: "no answer", retryAt: nil),
            ]
            return .endDelivery(
                DeliveryEnded(
                    label: known.label, purpose: known.purpose, attempt: known.attempt, outcome: random.pick(outcomes),
                    latency: .milliseconds(12)))
        case .waiting:
            return .startDelivery(
                DeliveryStarted(
                    label: known.label, purpose: known.purpose, attempt: known.attempt + 1, link: known.link))
        case .delivered, .failed:
            if known.isClosed {
                return .startDelivery(
                    DeliveryStarted(label: known.label, purpose: .followUp, attempt: 1, link: known.link))
            }
            return .decideByLink(
                DecideByLink(
                    deliveryID: known.label.id, digest: Self.digest(known.label.id), approves: random.chance(50),
                    payloadHash: known.link?.payloadHash, reason: random.maybe("well")))
        }
    }

    private func openSubject(in workspace: WorkspaceName) -> DeliverySubject? {
        let requests = state.accessRequests.values.filter {
            $0.isPending && $0.workspace == workspace && $0.requested.run == nil
        }
        if let request = requests.map(\.id).min() { return .request(request) }
        for run in state.runs.values.filter({ $0.workspace == workspace }).sorted(by: { $0.id < $1.id }) {
            if let action = run.actions.first(where: { $0.status == .blocked && !$0.isConsent }) {
                return .action(run.id, action.id, action.accessRequestID)
            }
        }
        return nil
    }

    private static func digest(_ id: DeliveryID) -> [UInt8] { Array(id.description.utf8.prefix(32)) }
}
