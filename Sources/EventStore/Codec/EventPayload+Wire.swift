import Domain

/// The numbers of the types in `schemas/events.proto`.
extension EventPayload {
    static let wireNumberFirst: UInt64 = 32

    /// What this version knows.
    private static let wireNumbers: [ClosedRange<UInt64>] = [
        wireNumberFirst...67, 70...73, 75...76, 80...82, 90...90, 100...101, 110...111,
    ]

    var wireNumber: UInt64 {
        switch self {
        case .resourceStored: 32
        case .resourceDeleted: 33
        case .resourceStatusRecorded: 34
        case .runCreated: 35
        case .runEventAdded: 36
        case .runStatusChanged: 37
        case .actionBlocked: 38
        case .actionApproved: 39
        case .actionRejected: 40
        case .actionExpired: 41
        case .actionExecuted: 42
        case .actionFailed: 43
        case .accessRequested: 44
        case .accessApproved: 45
        case .accessRejected: 46
        case .accessExpired: 47
        case .checkpointSaved: 48
        case .toolResultRecorded: 49
        case .invokeRequested: 50
        case .invokeCompleted: 51
        case .invokeFailed: 52
        case .apiKeyCreated: 53
        case .apiKeyRevoked: 54
        case .answerRecorded: 55
        case .toolCallStarted: 56
        case .toolCalled: 57
        case .toolCallReplayed: 58
        case .toolCallRefused: 59
        case .payloadMismatched: 60
        case .actionVoted: 63
        case .toolCallInterrupted: 64
        case .secretStored: 61
        case .secretDeleted: 62
        case .modelCalled: 65
        case .modelAnswerRecorded: 75
        case .modelCallReplayed: 76
        case .apiKeyRotated: 90
        case .deliveryStarted: 80
        case .deliveryEnded: 81
        case .decisionLinkUsed: 82
        case .sourcesAnalyzed: 70
        case .buildRequested: 71
        case .buildStarted: 72
        case .buildFinished: 73
        case .personErasureRequested: 66
        case .personErased: 67
        case .runExpired: 100
        case .keyLossAccepted: 101
        case .controlStopped: 110
        case .controlStarted: 111
        }
    }

    func write(to writer: inout WireWriter) {
        switch self {
        case .resourceStored(let event): event.write(to: &writer)
        case .resourceDeleted(let event): event.write(to: &writer)
        case .resourceStatusRecorded(let event): event.write(to: &writer)
        case .runCreated(let event): event.write(to: &writer)
        case .runEventAdded(let event): event.write(to: &writer)
        case .runStatusChanged(let event): event.write(to: &writer)
        case .actionBlocked(let event): event.write(to: &writer)
        case .actionApproved(let event): event.write(to: &writer)
        case .actionRejected(let event): event.write(to: &writer)
        case .actionExpired(let event): writer.add(1, event.actionID)
        case .actionExecuted(let event): writer.add(1, event.actionID)
        case .actionFailed(let event): event.write(to: &writer)
        case .accessRequested(let event): event.write(to: &writer)
        case .accessApproved(let event): event.write(to: &writer)
        case .accessRejected(let event): event.write(to: &writer)
        case .accessExpired(let event): event.write(to: &writer)
        case .checkpointSaved(let event): event.write(to: &writer)
        case .toolResultRecorded(let event): event.write(to: &writer)
        case .invokeRequested(let event): event.write(to: &writer)
        case .invokeCompleted(let event): event.write(to: &writer)
        case .invokeFailed(let event): event.write(to: &writer)
        case .apiKeyCreated(let event): event.write(to: &writer)
        case .apiKeyRevoked: break
        case .answerRecorded(let event): event.write(to: &writer)
        case .toolCallStarted(let event): event.write(to: &writer)
        case .toolCalled(let event): event.write(to: &writer)
        case .toolCallReplayed(let event): event.write(to: &writer)
        case .toolCallRefused(let event): event.write(to: &writer)
        case .payloadMismatched(let event): event.write(to: &writer)
        case .actionVoted(let event): event.write(to: &writer)
        case .toolCallInterrupted(let event): event.write(to: &writer)
        case .secretStored(let event): event.write(to: &writer)
        case .secretDeleted(let event): event.write(to: &writer)
        case .modelCalled(let event): event.write(to: &writer)
        case .modelAnswerRecorded(let event): event.write(to: &writer)
        case .modelCallReplayed(let event): event.write(to: &writer)
        case .apiKeyRotated(let event): event.write(to: &writer)
        case .deliveryStarted(let event): event.write(to: &writer)
        case .deliveryEnded(let event): event.write(to: &writer)
        case .decisionLinkUsed(let event): event.write(to: &writer)
        case .sourcesAnalyzed(let event): event.write(to: &writer)
        case .buildRequested(let event): event.write(to: &writer)
        case .buildStarted(let event): event.write(to: &writer)
        case .buildFinished(let event): event.write(to: &writer)
        case .personErasureRequested(let event): event.write(to: &writer)
        case .personErased(let event): event.write(to: &writer)
        case .runExpired(let event): event.write(to: &writer)
        case .keyLossAccepted(let event): event.write(to: &writer)
        case .controlStopped(let event): event.write(to: &writer)
        case .controlStarted(let event): event.write(to: &writer)
        }
    }

    /// Reads the payload in field `number`; `nil`, and the field skipped, when this version knows no such type.
    init?(_ number: UInt64, _ reader: inout WireReader) throws(MalformedRecord) {
        guard Self.wireNumbers.contains(where: { $0.contains(number) }) else {
            try reader.skip()
            return nil
        }
        let message = try reader.message()
        switch number {
        case 32: self = .resourceStored(try ResourceStored(message))
        case 33: self = .resourceDeleted(try ResourceDeleted(message))
        case 34: self = .resourceStatusRecorded(try ResourceStatusRecorded(message))
        case 35: self = .runCreated(try RunCreated(message))
        case 36: self = .runEventAdded(try RunEventAdded(message))
        case 37: self = .runStatusChanged(try RunStatusChanged(message))
        case 38: self = .actionBlocked(try ActionBlocked(message))
        case 39: self = .actionApproved(try ActionApproved(message))
        case 40: self = .actionRejected(try ActionRejected(message))
        case 41: self = .actionExpired(ActionExpired(actionID: try ActionReason(message).actionID))
        case 42: self = .actionExecuted(ActionExecuted(actionID: try ActionReason(message).actionID))
        case 43: self = .actionFailed(try ActionFailed(message))
        case 44: self = .accessRequested(try AccessRequested(message))
        case 45: self = .accessApproved(try AccessApproved(message))
        case 46: self = .accessRejected(try AccessRejected(message))
        case 47: self = .accessExpired(try AccessExpired(message))
        case 48: self = .checkpointSaved(try CheckpointSaved(message))
        case 49: self = .toolResultRecorded(try ToolResultRecorded(message))
        case 50: self = .invokeRequested(try InvokeRequested(message))
        case 51: self = .invokeCompleted(try InvokeCompleted(message))
        case 52: self = .invokeFailed(try InvokeFailed(message))
        case 53: self = .apiKeyCreated(try APIKeyCreated(message))
        case 54: self = .apiKeyRevoked(APIKeyRevoked())
        case 55: self = .answerRecorded(try AnswerRecorded(message))
        case 56: self = .toolCallStarted(try ToolCallStarted(message))
        case 57: self = .toolCalled(try ToolCalled(message))
        case 58: self = .toolCallReplayed(try ToolCallReplayed(message))
        case 59: self = .toolCallRefused(try ToolCallRefused(message))
        case 60: self = .payloadMismatched(try PayloadMismatched(message))
        case 63: self = .actionVoted(try ActionVoted(message))
        case 64: self = .toolCallInterrupted(try ToolCallInterrupted(message))
        case 61: self = .secretStored(try SecretStored(message))
        case 62: self = .secretDeleted(try SecretDeleted(message))
        case 65: self = .modelCalled(try ModelCalled(message))
        case 75: self = .modelAnswerRecorded(try ModelAnswerRecorded(message))
        case 76: self = .modelCallReplayed(try ModelCallReplayed(message))
        case 90: self = .apiKeyRotated(try APIKeyRotated(message))
        case 80: self = .deliveryStarted(try DeliveryStarted(message))
        case 81: self = .deliveryEnded(try DeliveryEnded(message))
        case 82: self = .decisionLinkUsed(try DecisionLinkUsed(message))
        case 70: self = .sourcesAnalyzed(try SourcesAnalyzed(message))
        case 71: self = .buildRequested(try BuildRequested(message))
        case 72: self = .buildStarted(try BuildStarted(message))
        case 73: self = .buildFinished(try BuildFinished(message))
        case 66: self = .personErasureRequested(try PersonErasureRequested(message))
        case 67: self = .personErased(try PersonErased(message))
        case 100: self = .runExpired(try RunExpired(message))
        case 101: self = .keyLossAccepted(try KeyLossAccepted(message))
        case 110: self = .controlStopped(try ControlStopped(message))
        case 111: self = .controlStarted(try ControlStarted(message))
        default: preconditionFailure("every known number has a type")
        }
    }
}
