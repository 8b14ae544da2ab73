extension Command {
    /// The run for whose record an agent or a client gives texts; `nil` for every other command.
    package var recordedRun: RunID? {
        switch self {
        case .addRunEvents(let run, _), .blockAction(let run, _), .saveCheckpoint(let run, _),
            .recordToolResult(let run, _), .completeInvoke(let run, _), .failInvoke(let run, _):
            run
        case .requestAccess(let request): request.runID
        default: nil
        }
    }

    /// The command with the texts that it gives for the record redacted.
    package func redacted(by redact: (String) -> String) -> Command {
        switch self {
        case .addRunEvents(let run, let added): .addRunEvents(run: run, added.map { $0.redacted(by: redact) })
        case .blockAction(let run, let block): .blockAction(run: run, block.redacted(by: redact))
        case .saveCheckpoint(let run, let saved):
            .saveCheckpoint(
                run: run,
                CheckpointSaved(
                    checkpointID: saved.checkpointID, actionID: redact(saved.actionID),
                    document: saved.document.redacted(by: redact), restartsHandler: saved.restartsHandler))
        case .recordToolResult(let run, let recorded):
            .recordToolResult(
                run: run,
                ToolResultRecorded(
                    toolID: recorded.toolID.map(redact), document: recorded.document.redacted(by: redact)))
        case .completeInvoke(let run, let completed):
            .completeInvoke(
                run: run,
                InvokeCompleted(
                    purpose: completed.purpose, attempt: completed.attempt, statusCode: completed.statusCode,
                    response: completed.response?.redacted(by: redact), outcome: completed.outcome))
        case .failInvoke(let run, let failed):
            .failInvoke(run: run, failed.withError(redact(failed.error)))
        case .requestAccess(let request): .requestAccess(request.redacted(by: redact))
        default: self
        }
    }
}

extension RunEventAdded {
    fileprivate func redacted(by redact: (String) -> String) -> RunEventAdded {
        RunEventAdded(
            type: redact(type), actor: actor.map(redact), payloadHash: payloadHash.map(redact),
            data: data?.redacted(by: redact), agentID: agentID)
    }
}

extension BlockAction {
    /// A call that the gate blocked is shown as it is judged.
    fileprivate func redacted(by redact: (String) -> String) -> BlockAction {
        guard gate == nil else { return self }
        return BlockAction(
            actionID: actionID, toolID: redact(toolID), capability: capability.map(redact),
            payloadHash: payloadHash.map { PayloadHash(redact($0.text)) }, method: method.map(redact),
            url: url.map(redact))
    }
}

extension RequestAccess {
    fileprivate func redacted(by redact: (String) -> String) -> RequestAccess {
        RequestAccess(
            requestID: requestID, subject: subject, toolID: redact(toolID), agentID: agentID, duration: duration,
            runID: runID, actionID: actionID, capability: capability.map(redact),
            payloadHash: payloadHash.map { PayloadHash(redact($0.text)) }, method: method.map(redact),
            url: url.map(redact), tool: tool)
    }
}

extension JSONText {
    /// The document with its texts redacted; one that is no JSON afterwards is left out.
    fileprivate func redacted(by redact: (String) -> String) -> JSONText {
        let redacted = redact(text)
        guard redacted != text else { return self }
        guard (try? JSONValue(parsing: Array(redacted.utf8))) != nil else {
            return JSONText(verified: #"{"redacted":true}"#)
        }
        return JSONText(verified: redacted)
    }
}
