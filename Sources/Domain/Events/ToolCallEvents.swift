/// One call of a tool through the gate.
package struct ToolCall: Hashable, Sendable {
    package let id: ToolCallID
    package let toolID: String
    /// The capability of the tool that allows it; `nil` when the tool declares none.
    package let capability: String?
    package let method: String
    /// Where it goes, as the agent asked for it: without what the gate adds as credentials.
    package let url: String
    /// SHA-256 of the body.
    package let payloadHash: PayloadHash
    /// Digest of the bound headers; `nil` for a call that was recorded before there was one.
    package let headersHash: PayloadHash?
    /// Its identity: the same for the same method, URL, bound headers and body.
    package internal(set) var fingerprint: UUIDValue
    /// True when making it twice does no more than making it once.
    package let isRepeatable: Bool
    /// The attempt of the run in which the agent asked for it; `nil` for a call that was recorded before attempts were.
    package internal(set) var attempt: UInt32?
    /// Its number among the run's calls of its identity, from 1; `nil` for a call that is not recorded before it is sent.
    package internal(set) var occurrence: UInt32?
    /// The approved action that it carries out.
    package var actionID: ActionID?
    /// The grant that it is made under.
    package var grantID: AccessRequestID?

    package init(
        id: ToolCallID, toolID: String, capability: String?, method: String, url: String, payloadHash: PayloadHash,
        headersHash: PayloadHash? = nil, fingerprint: UUIDValue, isRepeatable: Bool, attempt: UInt32? = nil,
        occurrence: UInt32? = nil, actionID: ActionID? = nil, grantID: AccessRequestID? = nil
    ) {
        self.id = id
        self.toolID = toolID
        self.capability = capability
        self.method = method
        self.url = url
        self.payloadHash = payloadHash
        self.headersHash = headersHash
        self.fingerprint = fingerprint
        self.isRepeatable = isRepeatable
        self.attempt = attempt
        self.occurrence = occurrence
        self.actionID = actionID
        self.grantID = grantID
    }

    /// True for a call that has no effect: of a safe method, and repeatable as its tool declares.
    package var isSafe: Bool { isRepeatable && ["GET", "HEAD", "OPTIONS"].contains(method.uppercased()) }
}

/// A call that may not be made twice is about to be made.
package struct ToolCallStarted: Hashable, Sendable {
    package let call: ToolCall

    package init(call: ToolCall) { self.call = call }
}

/// What came of a call of a tool.
package struct ToolCalled: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The tool answered, and the agent got that answer.
        case answered(statusCode: UInt32)
        /// The tool was not reached; the agent got an error with that status instead.
        case unreached(statusCode: UInt32, error: String)
        /// Nobody knows whether the tool did it: the connection broke, time ran out, or the process ended.
        case unknown(error: String)

        /// The status that the agent got; `nil` when nobody knows what the tool did.
        package var statusCode: UInt32? {
            switch self {
            case .answered(let statusCode), .unreached(let statusCode, _): statusCode
            case .unknown: nil
            }
        }
    }

    package let call: ToolCall
    package let outcome: Outcome
    /// From the request's first byte to the answer's last.
    package let latency: Duration
    /// The whole answer's length.
    package let answerBytes: UInt64
    /// The answer as the agent got it, sealed; `nil` when it was too large to keep.
    package let answer: [UInt8]?

    package init(call: ToolCall, outcome: Outcome, latency: Duration, answerBytes: UInt64, answer: [UInt8]?) {
        self.call = call
        self.outcome = outcome
        self.latency = latency
        self.answerBytes = answerBytes
        self.answer = answer
    }
}

/// The process ended while a call was on its way: nobody knows whether the tool did it.
package struct ToolCallInterrupted: Hashable, Sendable {
    package let callID: ToolCallID

    package init(callID: ToolCallID) { self.callID = callID }
}

/// The agent asked again for what it had asked for before, and got the recorded answer.
package struct ToolCallReplayed: Hashable, Sendable {
    package let callID: ToolCallID

    package init(callID: ToolCallID) { self.callID = callID }
}

/// A call was not let through.
package struct ToolCallRefused: Hashable, Sendable {
    package let toolID: String
    package let method: String
    package let url: String
    package let payloadHash: PayloadHash
    /// Which rule refused it, and why.
    package let reason: String

    package init(toolID: String, method: String, url: String, payloadHash: PayloadHash, reason: String) {
        self.toolID = toolID
        self.method = method
        self.url = url
        self.payloadHash = payloadHash
        self.reason = reason
    }
}

/// A call came with another body, or with other headers, than were approved: nothing was carried out.
package struct PayloadMismatched: Hashable, Sendable {
    /// Digests of the bound headers.
    package struct Headers: Hashable, Sendable {
        package let approved: PayloadHash
        package let presented: PayloadHash

        package init(approved: PayloadHash, presented: PayloadHash) {
            self.approved = approved
            self.presented = presented
        }
    }

    package let actionID: ActionID
    package let approved: PayloadHash
    package let presented: PayloadHash
    /// The headers that were approved and that came; `nil` when they are the same, or unknown.
    package let headers: Headers?

    package init(actionID: ActionID, approved: PayloadHash, presented: PayloadHash, headers: Headers? = nil) {
        self.actionID = actionID
        self.approved = approved
        self.presented = presented
        self.headers = headers
    }

    /// True when the body is the approved one, and only the headers are others.
    package var isOfHeadersAlone: Bool { headers != nil && approved.matches(presented) }
}
