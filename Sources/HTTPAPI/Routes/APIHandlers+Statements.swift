import Authentication
import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Projections

/// What approvers sign, and whether what they send is their signature of it.
extension APIHandlers {
    func actionStatement(_ request: APIRequest) async throws -> APIAnswer {
        let run = try await run(try request.runID(), request)
        let action = try await action(try request.actionID(), of: run.id)
        let call = try await projections.blockedCall(action.id, of: run.id)
        return shown(
            statement(of: action, in: run.workspace, isOfGate: call != nil), try askedDecision(request), grant: nil,
            call?.headers, covers: nil)
    }

    func accessStatement(_ request: APIRequest) async throws -> APIAnswer {
        let access = try await accessRequest(try accessRequestID(request), request)
        let decision = try askedDecision(request)
        let duration = try request.query("duration").map { text in
            guard let duration = DurationText.parse(text) else {
                throw APIError.badRequest("duration must be a duration such as 30m, 4h or 1d")
            }
            return duration
        }
        let asked = try request.query("scope").map(Self.scope)
        // The approval of a client's own action grants nothing.
        let scope = access.ownAction == nil ? asked : nil
        let grant = decision == .approve ? Self.grant(scope, duration, of: access) : nil
        var headers: JSONText?
        if let run = access.runID, let action = access.actionID {
            headers = try await projections.blockedCall(action, of: run)?.headers
        }
        let covers = decision == .approve ? Self.covers(access, scope ?? .once, for: duration) : nil
        return shown(statement(of: access), decision, grant: grant, headers, covers: covers)
    }

    /// The calls that the approval would cover, for a request that a client made.
    private static func covers(_ access: AccessRequestRecord, _ scope: AccessScope, for duration: Duration?) -> String?
    {
        let length = DurationText.format(duration ?? access.duration)
        guard access.ownAction == nil else { return access.coversNoCall }
        return access.coverage?.sentence(scope, until: "\(length) after the approval")
    }

    /// The signature that came with a decision on an action; `nil` when none came.
    func signature(
        _ decision: DecisionStatement.Decision, on action: ActionID, of run: RunID, _ request: APIRequest
    ) async throws -> DecisionSignature? {
        guard let armored = try request.body.text("signature") else { return nil }
        guard let record = try await projections.run(run, in: request.workspace) else {
            throw APIError.notFound("action \(action) not found")
        }
        let isOfGate = try await projections.blockedCall(action, of: record.id) != nil
        let statement = statement(
            of: try await self.action(action, of: record.id), in: record.workspace, isOfGate: isOfGate)
        return try await signature(armored, statement, decision, grant: nil, request)
    }

    /// The signature that came with a decision on a request for access; `nil` when none came.
    func signature(
        _ decision: DecisionStatement.Decision, on id: AccessRequestID, grant: SignedGrant?, _ request: APIRequest
    ) async throws -> DecisionSignature? {
        guard let armored = try request.body.text("signature") else { return nil }
        let access = try await accessRequest(id, request)
        return try await signature(armored, statement(of: access), decision, grant: grant, request)
    }

    /// What the approval grants beyond the one call; `nil` when nothing.
    static func grant(_ scope: AccessScope?, _ duration: Duration?, of access: AccessRequestRecord) -> SignedGrant? {
        guard let scope, scope != .once else { return nil }
        return SignedGrant(scope: scope, duration: duration ?? access.duration)
    }

    static func scope(_ text: String) throws(APIError) -> AccessScope {
        guard let scope = AccessScope(rawValue: text) else {
            throw .badRequest("scope must be one of once, run, agent_user_ttl")
        }
        return scope
    }

    /// - Parameter isOfGate: true for a call that the gate blocked, false for an action that a client made.
    private func statement(
        of action: ActionRecord, in workspace: WorkspaceName, isOfGate: Bool
    ) -> DecisionStatement {
        DecisionStatement(
            workspace: workspace, subject: .action(action.id, run: action.runID), tool: action.toolID,
            method: action.method, url: action.url, payloadHash: action.payloadHash, headersHash: action.headersHash,
            stated: isOfGate ? nil : DecisionStatement.Stated(capability: action.capability, toolOrigin: nil))
    }

    private func statement(of access: AccessRequestRecord) -> DecisionStatement {
        let subject: DecisionStatement.Subject =
            if let run = access.runID, let action = access.actionID {
                .action(action, run: run)
            } else {
                .request(access.id, subject: access.subject, agent: access.agentID)
            }
        return DecisionStatement(
            workspace: access.workspace, subject: subject, tool: access.toolID, method: access.method, url: access.url,
            payloadHash: access.payloadHash, headersHash: access.headersHash,
            stated: access.isForOneCall
                ? nil
                : DecisionStatement.Stated(
                    capability: access.capability, toolOrigin: access.runID == nil ? access.tool?.origin : nil))
    }

    private func askedDecision(_ request: APIRequest) throws(APIError) -> DecisionStatement.Decision {
        guard let decision = request.query("decision").flatMap(DecisionStatement.Decision.init) else {
            throw .badRequest("decision must be approve or reject: what is to be signed?")
        }
        return decision
    }

    private func shown(
        _ statement: DecisionStatement, _ decision: DecisionStatement.Decision, grant: SignedGrant?,
        _ headers: JSONText?, covers: String?
    ) -> APIAnswer {
        APIAnswer(
            .ok,
            .object { json in
                json.add("statement", statement.text(decision, grant: grant))
                json.add("namespace", DecisionSignature.namespace)
                json.add("payload_hash", statement.payloadHash)
                json.add("headers_hash", statement.headersHash)
                json.add("tool_headers", headers)
                json.add("covers", covers)
            })
    }

    private func signature(
        _ armored: String, _ statement: DecisionStatement, _ decision: DecisionStatement.Decision, grant: SignedGrant?,
        _ request: APIRequest
    ) async throws -> DecisionSignature {
        let signature: SSHSignature
        do throws(SSHFailure) {
            signature = try SSHSignature(armored: armored)
            try signature.verify(statement.text(decision, grant: grant), namespace: DecisionSignature.namespace)
        } catch {
            throw APIError(
                .unprocessableContent, .signatureInvalid,
                "signature is refused: \(error); sign exactly the bytes of `statement`, as GET .../statement?decision="
                    + "\(decision.rawValue) gives it, with `ssh-keygen -Y sign -n \(DecisionSignature.namespace)`")
        }
        let (actor, fingerprint) = (request.principal.actor, signature.key.fingerprint)
        guard let principal = try await allowedSigners(request).principal(of: actor, signingWith: signature.key) else {
            throw APIError(
                .forbidden, .signerNotAllowed,
                "signature is refused: the key \(fingerprint) is not one of \(actor.name.excerpt), who decides; an "
                    + "administrator says whose keys sign with PUT /api/v1/settings/approval-signers")
        }
        guard signature.bytes.count <= DecisionSignature.bytesMax else {
            throw APIError(.unprocessableContent, .signatureInvalid, "signature is refused: it is too long")
        }
        return DecisionSignature(principal: principal, bytes: signature.bytes, grant: grant)
    }
}
