import Crypto
import Domain
import Synchronization

/// People on their way to a page of another site and back: one use, ten minutes, in memory.
///
/// Of one action the newest few are kept, so that opening one link again and again takes no other's place.
final class PendingConsents: Sendable {
    static let lifetime: Duration = .seconds(600)
    private static let pendingMax = 10_000
    private static let pendingPerActionMax = 8

    /// The page that the person was sent to.
    enum Stage: Sendable {
        case signIn(SignInAttempt)
        case consent(UserAuthorization)
    }

    struct Pending: Sendable {
        let workspace: WorkspaceName
        let runID: RunID
        let actionID: ActionID
        let user: String
        let tool: ResourceKey
        let stage: Stage
        /// The secret that the page saw the hash of (RFC 7636).
        let verifier: String
        /// The secret that the browser holds in a cookie.
        let browserSecret: String
        let expiresAt: Timestamp
    }

    private let pending = Mutex<[String: Pending]>([:])

    /// 256 random bits as 64 digits: a state, or a verifier.
    static func secret() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { bytes in
            bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        }
    }

    /// Keeps it until it comes back.
    ///
    /// - Returns: the state to send along; `nil` when too many are on their way.
    func add(_ consent: Pending, at now: Timestamp) -> String? {
        let state = Self.secret()
        return pending.withLock { pending in
            let same = pending.filter { $0.value.actionID == consent.actionID }
            if same.count >= Self.pendingPerActionMax,
                let oldest = same.min(by: { $0.value.expiresAt < $1.value.expiresAt })
            {
                pending[oldest.key] = nil
            }
            if pending.count >= Self.pendingMax { pending = pending.filter { $0.value.expiresAt > now } }
            guard pending.count < Self.pendingMax else { return nil }
            pending[state] = consent
            return state
        }
    }

    /// Takes it out, whatever comes of it.
    func take(_ state: String, at now: Timestamp) -> Pending? {
        pending.withLock { $0.removeValue(forKey: state) }.flatMap { $0.expiresAt > now ? $0 : nil }
    }
}
