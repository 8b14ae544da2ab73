import Domain
import EventStreaming
import Gateways

/// A page of the models that can be asked for, with the members that the SDKs of OpenAI and of Anthropic read.
///
/// A cursor is a place in the order of names, so that it stays valid while models come and go.
struct ModelPage {
    private static let limitMax = 1_000

    private let models: ArraySlice<LLMGateway.ListedModel>
    private let hasMore: Bool

    /// - Parameters:
    ///   - all: in the order of the bytes of their names.
    ///   - query: the values of `limit`, `after_id` and `before_id`; without a limit all that are left are on the page.
    init(
        _ all: [LLMGateway.ListedModel], _ query: (String) -> String?
    ) throws(APIError) {
        func value(_ name: String) -> String? { query(name).flatMap { $0.isEmpty ? nil : $0 } }
        let limit = value("limit").map { Int($0) ?? 0 } ?? all.count
        guard value("limit") == nil || (1...Self.limitMax).contains(limit) else {
            throw .badRequest("limit must be a number from 1 to \(Self.limitMax)")
        }
        switch (value("after_id"), value("before_id")) {
        case (nil, nil):
            models = all.prefix(limit)
            hasMore = all.count > limit
        case (let after?, nil):
            let rest = all.drop { !after.utf8.lexicographicallyPrecedes($0.id.utf8) }
            models = rest.prefix(limit)
            hasMore = rest.count > limit
        case (nil, let before?):
            let earlier = all.prefix { $0.id.utf8.lexicographicallyPrecedes(before.utf8) }
            models = earlier.suffix(limit)
            hasMore = earlier.count > limit
        case (_?, _?): throw .badRequest("send after_id or before_id, not both")
        }
    }

    var json: JSONText {
        .object { json in
            json.add("object", "list")
            json.add("data", models.map(\.json))
            json.add("has_more", hasMore)
            json.add("first_id", models.first.map { JSONText(string: $0.id) } ?? JSONText(verified: "null"))
            json.add("last_id", models.last.map { JSONText(string: $0.id) } ?? JSONText(verified: "null"))
        }
    }
}

extension LLMGateway.ListedModel {
    var json: JSONText {
        .object { json in
            json.add("id", id)
            json.add("object", "model")
            json.add("created", UInt64(max(0, createdAt.microseconds / 1_000_000)))
            json.add("owned_by", provider)
            json.add("type", "model")
            json.add("display_name", id)
            json.add("created_at", createdAt)
        }
    }
}
