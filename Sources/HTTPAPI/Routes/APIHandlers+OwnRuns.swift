import CommandHandling
import Domain
import Gateways
import HTTPTypes
import Projections

/// What a key may see and do that speaks for one agent alone: an agent is not to meddle with another's runs.
extension APIHandlers {
    /// The run, when the key may know of it.
    func checked(_ run: RunRecord, _ request: APIRequest) throws(APIError) -> RunRecord {
        guard request.principal.agent == nil || request.principal.agent == run.agentID else {
            throw .notFound("run \(run.id) not found")
        }
        return run
    }

    /// True when a token proves that the caller is, or acts for, the run's user.
    ///
    /// People of two identity providers may have the same user id. Which of them began a run is known while the run is
    /// active; of a finished one only where a single provider has a say.
    func isUser(_ principal: Principal, of run: RunRecord) async throws -> Bool {
        guard let user = principal.endUser, user.workspace == run.workspace,
            user.userID.utf8.elementsEqual(run.userID.utf8)
        else { return false }
        let providers = try await dependencies.identities.providers(ofUsersOf: run.agentID, in: run.workspace) ?? []
        guard providers.contains(where: { $0.name == user.provider }) else { return false }
        guard let active = commands.activeRun(run.id) else { return providers.count == 1 }
        guard case .person(let creator)? = active.creator?.kind, active.creator?.name == run.userID else { return true }
        if case .person(let person) = principal.caller { return person == creator }
        return creator.provider == user.provider
    }

    /// Refuses a key of one agent what belongs to the people who build agents.
    func checkNotOfOneAgent(_ request: APIRequest) throws(APIError) {
        guard let own = request.principal.agent else { return }
        throw APIError(
            .forbidden, .forbidden, "this key speaks for agent \(own) alone: drafts, analyses and builds are not for it"
        )
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
