import Domain
import Governance

/// A call of a tool that is in the log, and what the gate did with it.
struct RecordedCall {
    let tool: String
    let method: String
    let address: BacktestCall.Address
    let then: PolicyPermission

    /// What a refused call is recorded with at most: one that is as long may have lost its end.
    private static let excerptScalars = 64

    enum Reading {
        case call(RecordedCall)
        /// A call of which too little is recorded.
        case unreadable
    }

    /// Reads an event; `nil` when it says of no call that the policies judged.
    ///
    /// Each call counts once. One that was approved is in the log twice, blocked and made, and counts as blocked; one
    /// that is not safe to repeat, or that a grant lets through, counts when it begins, the others when they are
    /// answered. What the journal blocked or answered, whatever the policies say, is not counted.
    static func reading(_ payload: EventPayload) -> Reading? {
        switch payload {
        case .toolCallStarted(let started): made(started.call)
        case .toolCalled(let called) where called.call.isRepeatable && called.call.grantID == nil: made(called.call)
        case .toolCallRefused(let refused):
            if refused.url.unicodeScalars.count < excerptScalars {
                .call(
                    RecordedCall(
                        tool: refused.toolID, method: refused.method, address: .belowBase(refused.url), then: .deny))
            } else {
                .unreadable
            }
        case .actionBlocked(let blocked):
            if let call = blocked.call, !blocked.isConsent, !call.isForUnknownOutcome,
                let method = blocked.method, let url = blocked.url
            {
                .call(
                    RecordedCall(
                        tool: blocked.toolID, method: method, address: .url(url), then: .approvalRequired))
            } else {
                nil
            }
        default: nil
        }
    }

    private static func made(_ call: ToolCall) -> Reading? {
        guard call.actionID == nil else { return nil }
        return .call(
            RecordedCall(
                tool: call.toolID, method: call.method, address: .url(call.url),
                then: call.grantID == nil ? .allow : .approvalRequired))
    }
}
