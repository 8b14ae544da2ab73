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
    /// - Returns: `nil` when capabilities are declared and none is for the call. Of several, the one that names more
    ///   of the path, then the one that names the method, then the first.
    package static func find(_ method: String, at place: ToolPath, in capabilities: [ToolCapability])
        -> CapabilityMatch?
    {
        let isRead = method == "GET" || method == "HEAD"
        guard !capabilities.isEmpty else {
            return CapabilityMatch(capability: nil, isSafeToRepeat: isRead, takesIdempotencyKey: false)
        }
        var best: ToolCapability?
        for capability in capabilities where capability.methods.contains(method) && capability.path.matches(place) {
            guard let current = best else {
                best = capability
                continue
            }
            if closeness(capability) > closeness(current) { best = capability }
        }
        return best.map {
            CapabilityMatch(
                capability: $0, isSafeToRepeat: $0.isIdempotent ?? isRead,
                takesIdempotencyKey: $0.takesIdempotencyKey)
        }
    }

    private static func closeness(_ capability: ToolCapability) -> (Int, Int) {
        (capability.path.depth, capability.methods.names.isEmpty ? 0 : 1)
    }
}
