import Domain

/// Lets one call at a time refresh a token: a refresh token may be good for one use alone.
actor RefreshTurns {
    private var waiting: [SecretReference: [CheckedContinuation<Void, Never>]] = [:]

    /// Returns when it is the caller's turn, which ends with `end`.
    func begin(_ reference: SecretReference) async {
        guard waiting[reference] != nil else {
            waiting[reference] = []
            return
        }
        await withCheckedContinuation { waiting[reference]?.append($0) }
    }

    func end(_ reference: SecretReference) {
        guard var queue = waiting[reference], !queue.isEmpty else {
            waiting[reference] = nil
            return
        }
        let next = queue.removeFirst()
        waiting[reference] = queue
        next.resume()
    }
}
