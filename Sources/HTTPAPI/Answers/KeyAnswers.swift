import Domain
import EventStreaming
import Projections

extension APIKeyRecord {
    /// - Parameter lastUse: the time of its last use; `nil` when there was none, and for answers about the past.
    func json(lastUse: Timestamp?) -> JSONText {
        .object { json in
            json.add("id", id.description)
            json.add("name", name)
            json.add("prefix", prefix)
            json.add("last4", last4)
            json.add("role", role.rawValue)
            json.add("workspace", workspace.text)
            if !groups.isEmpty { json.add("groups", groups) }
            if onlyGroups { json.add("only_groups", true) }
            json.add("agent", agent)
            if role == .agent, agent == nil { json.add("any_agent", true) }
            json.add("createdAt", createdAt)
            json.add("lastUsedAt", lastUse)
            json.add("expiresAt", expiresAt)
            json.add("previousUntil", previousUntil)
        }
    }
}

extension MadeByKey {
    var json: JSONObject {
        var json = JSONObject()
        json.add("resources", records.map(\.json))
        json.add("resources_total", total)
        json.add(
            "unfinished_runs",
            unfinishedRuns.map { runs in
                .object { json in
                    json.add("workspace", runs.workspace.text)
                    json.add("count", runs.count)
                }
            })
        return json
    }
}

extension MadeByKeyRecord {
    fileprivate var json: JSONText {
        .object { json in
            json.add("kind", kind)
            json.add("name", name)
            json.add("workspace", workspace.text)
            json.add("created", isCreated)
            json.add("time", time)
        }
    }
}
