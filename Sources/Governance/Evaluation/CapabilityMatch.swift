/// What a call is to a tool that says what it can do.
package struct CapabilityMatch: Hashable, Sendable {
    /// The closest of the declared; `nil` when the tool declares none.
    package let capability: ToolCapability?
    /// Whether the call may be made again when it is not known what became of it: GET, HEAD, or marked idempotent.
    package let isSafeToRepeat: Bool
    /// Whether the tool does a repeated call with the same `Idempotency-Key` once.
    package let takesIdempotencyKey: Bool

    /// Finds the declared capability of a call.
    ///
    /// - Returns: `nil` when capabilities are declared and none is for the call, or when servers may read its path as one
    ///   of another capability: tags and grants of both would be in question. Of several, the one that names more of the
    ///   path, then the one that names the method, then the first.
    package static func find(_ method: String, at place: ToolPath, in capabilities: [ToolCapability])
        -> CapabilityMatch?
    {
        let isRead = method == "GET" || method == "HEAD"
        guard !capabilities.isEmpty else {
            return CapabilityMatch(capability: nil, isSafeToRepeat: isRead, takesIdempotencyKey: false)
        }
        guard let best = closest(method, in: capabilities, { $0.path.matches(place) }),
            place.hasOneReading || closest(method, in: capabilities, { $0.path.mayMatch(place) }) == best
        else { return nil }
        let capability = capabilities[best]
        return CapabilityMatch(
            capability: capability, isSafeToRepeat: capability.isIdempotent ?? isRead,
            takesIdempotencyKey: capability.takesIdempotencyKey)
    }

    /// The index of the closest capability of the method that matches.
    private static func closest(
        _ method: String, in capabilities: [ToolCapability], _ matches: (ToolCapability) -> Bool
    ) -> Int? {
        var best: Int?
        for index in capabilities.indices where capabilities[index].methods.contains(method) {
            guard matches(capabilities[index]) else { continue }
            if let best, closeness(capabilities[index]) <= closeness(capabilities[best]) { continue }
            best = index
        }
        return best
    }

    private static func closeness(_ capability: ToolCapability) -> (Int, Int) {
        (capability.path.depth, capability.methods.names.isEmpty ? 0 : 1)
    }
}
