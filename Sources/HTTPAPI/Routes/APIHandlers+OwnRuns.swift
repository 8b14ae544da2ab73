import Domain
import HTTPTypes
import Projections

/// What a key may see and do that speaks for one agent alone: an agent is not to meddle with another's runs.
extension APIHandlers {
    /// The run, when the key may know of it.
    func checked(_ run: RunRecord, _ request: APIRequest) throws(APIError) -> RunRecord {
        guard request.principal.agent == nil || request.principal.agent == run.agentID else {
            throw .notFound("run \(run.id) not found")
        }
        // A person without a role sees runs of their own.
        guard request.principal.role != nil || isUser(request.principal, of: run) else {
            throw .notFound("run \(run.id) not found")
        }
        return run
    }

    /// The agent that a body names, when the key may speak for it.
    func agentID(inBodyOf request: APIRequest) throws(APIError) -> String {
        let name = try request.body.requiredText("agent_id", "agent")
        return try agentID(name, request) ?? name
    }

    /// The agent whose runs are asked for, when the key may ask for them.
    func agentID(_ asked: String?, _ request: APIRequest) throws(APIError) -> String? {
        guard let own = request.principal.agent else { return asked }
        guard asked == nil || asked == own else {
            throw APIError(.forbidden, .forbidden, "this key speaks for agent \(own) alone")
        }
        return own
    }
}
