import Domain

extension Proto.OneOf_Payload {
    init(_ payload: EventPayload) {
        self =
            switch payload {
            case .resourceStored(let event): .resourceStored(.init(event))
            case .resourceDeleted(let event): .resourceDeleted(.init(event))
            case .resourceStatusRecorded(let event): .resourceStatusRecorded(.init(event))
            case .runCreated(let event): .runCreated(.init(event))
            case .runEventAdded(let event): .runEventAdded(.init(event))
            case .runStatusChanged(let event): .runStatusChanged(.init(event))
            case .actionBlocked(let event): .actionBlocked(.init(event))
            case .actionApproved(let event): .actionApproved(.init(event))
            case .actionRejected(let event): .actionRejected(.init(event))
            case .actionExpired(let event): .actionExpired(.init(event))
            case .actionExecuted(let event): .actionExecuted(.init(event))
            case .actionFailed(let event): .actionFailed(.init(event))
            case .accessRequested(let event): .accessRequested(.init(event))
            case .accessApproved(let event): .accessApproved(.init(event))
            case .accessRejected(let event): .accessRejected(.init(event))
            case .accessExpired: .accessExpired(.init())
            case .checkpointSaved(let event): .checkpointSaved(.init(event))
            case .toolResultRecorded(let event): .toolResultRecorded(.init(event))
            case .invokeRequested(let event): .invokeRequested(.init(event))
            case .invokeCompleted(let event): .invokeCompleted(.init(event))
            case .invokeFailed(let event): .invokeFailed(.init(event))
            case .apiKeyCreated(let event): .apiKeyCreated(.init(event))
            case .apiKeyRevoked: .apiKeyRevoked(.init())
            case .answerRecorded(let event): .answerRecorded(.init(event))
            }
    }
}

extension EventPayload {
    init(_ proto: Proto.OneOf_Payload) throws(MalformedRecord) {
        self =
            switch proto {
            case .resourceStored(let event): .resourceStored(try ResourceStored(event))
            case .resourceDeleted(let event): .resourceDeleted(try ResourceDeleted(event))
            case .resourceStatusRecorded(let event): .resourceStatusRecorded(try ResourceStatusRecorded(event))
            case .runCreated(let event): .runCreated(try RunCreated(event))
            case .runEventAdded(let event): .runEventAdded(RunEventAdded(event))
            case .runStatusChanged(let event): .runStatusChanged(try RunStatusChanged(event))
            case .actionBlocked(let event): .actionBlocked(try ActionBlocked(event))
            case .actionApproved(let event): .actionApproved(try ActionApproved(event))
            case .actionRejected(let event): .actionRejected(try ActionRejected(event))
            case .actionExpired(let event): .actionExpired(ActionExpired(actionID: try event.actionID.actionID()))
            case .actionExecuted(let event): .actionExecuted(ActionExecuted(actionID: try event.actionID.actionID()))
            case .actionFailed(let event): .actionFailed(try ActionFailed(event))
            case .accessRequested(let event): .accessRequested(try AccessRequested(event))
            case .accessApproved(let event): .accessApproved(try AccessApproved(event))
            case .accessRejected(let event): .accessRejected(AccessRejected(event))
            case .accessExpired: .accessExpired(AccessExpired())
            case .checkpointSaved(let event): .checkpointSaved(try CheckpointSaved(event))
            case .toolResultRecorded(let event): .toolResultRecorded(ToolResultRecorded(event))
            case .invokeRequested(let event): .invokeRequested(try InvokeRequested(event))
            case .invokeCompleted(let event): .invokeCompleted(try InvokeCompleted(event))
            case .invokeFailed(let event): .invokeFailed(try InvokeFailed(event))
            case .apiKeyCreated(let event): .apiKeyCreated(try APIKeyCreated(event))
            case .apiKeyRevoked: .apiKeyRevoked(APIKeyRevoked())
            case .answerRecorded(let event): .answerRecorded(try AnswerRecorded(event))
            }
    }
}
