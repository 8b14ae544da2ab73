import Domain

/// When a message that was not taken is sent again.
enum DeliveryBackoff {
    static let attemptsMax: UInt32 = 8
    private static let first: Duration = .seconds(1)
    private static let longest: Duration = .seconds(300)

    /// Doubles with each attempt, of which between half and all is waited.
    ///
    /// - Parameter share: from 0 to 1; drawn for each attempt.
    static func pause(afterAttempt attempt: UInt32, share: Double) -> Duration {
        let step = min(longest, first * (1 << Int(min(max(attempt, 1) - 1, 20))))
        return step / 2 + step / 2 * min(max(share, 0), 1)
    }
}
