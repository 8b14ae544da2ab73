/// Which headers go on, in both directions: only those named here. Who asks, for which run and with which key is nothing
/// that a model provider has to know, nor may its cookies come back.
enum ModelHeaders {
    private static let ofCall: Set<String> = [
        "accept", "content-type", "idempotency-key", "openai-beta", "anthropic-version", "anthropic-beta",
    ]
    private static let ofAnswer: Set<String> = ["content-type", "content-encoding", "cache-control", "retry-after"]
    private static let ofAnswerPrefixes = ["x-ratelimit-", "openai-", "anthropic-ratelimit-"]

    /// - Parameter defaults: what the provider requires, where the caller does not say it.
    static func ofCall(
        _ headers: [(name: String, value: String)], defaults: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        let sent = headers.filter { ofCall.contains($0.name.lowercased()) }
        return sent + defaults.filter { header in !sent.contains { $0.name.lowercased() == header.name } }
    }

    /// An answer in other words has neither the length nor the encoding that it came with.
    static func ofTranslatedAnswer(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        ofAnswer(headers).filter {
            !$0.name.lowercased().hasPrefix("content-") && $0.name.lowercased() != "cache-control"
        }
    }

    static func ofAnswer(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        headers.filter { header in
            let name = header.name.lowercased()
            return ofAnswer.contains(name) || ofAnswerPrefixes.contains(where: name.hasPrefix)
        }
    }
}
