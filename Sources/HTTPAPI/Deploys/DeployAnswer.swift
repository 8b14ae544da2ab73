import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// The answer to a deploy or a rollback: the agent as it is stored now, and its findings.
struct DeployAnswer: Sendable {
    let record: ResourceRecord
    let toolsCreated: [String]
    let policiesCreated: [String]
    let artifact: APIHandlers.Artifact?
    /// The version that a rollback brought back.
    var restored: UInt64?
    /// The names of the policies that the version is bound to.
    let policies: [String]
    let start: AgentStart
    let findings: AgentFindings
    /// Reasons why the version will not serve as it should, beside the findings.
    let reservations: [String]

    var json: JSONText {
        .object { json in
            json.add("agent", record.name)
            json.add("namespace", record.workspace.text)
            json.add("tools_created", toolsCreated)
            json.add("version", record.revision)
            json.add("serving_version", record.servingRevision)
            json.add("restored_version", restored)
            json.add("policies", policies)
            json.add("policies_created", policiesCreated)
            json.add("entry_point", start.entryPoint)
            if let requirements = start.requirements { json.add("requirements", requirements) }
            json.add("decision_reason", start.reason)
            if let artifact {
                json.add("build_id", APIHandlers.buildIDPrefix + artifact.build.id.description)
                json.add("image_uri", artifact.build.image)
                json.add("execution_mode", artifact.mode.rawValue)
                json.add("build_required", false)
            }
            json.add("missing", findings.missing)
            let warnings = findings.warnings + reservations
            if !warnings.isEmpty { json.add("warnings", warnings) }
            json.add("agent_name", record.name)
            json.add("status", "deployed")
            json.add("message", "agent \(record.name) deployed")
        }
    }

}

extension APIHandlers {
    /// The answer of the agent that the command has stored.
    func deployAnswer(
        _ name: String, _ receipt: Receipt, toolsCreated: [String] = [], policiesCreated: [String] = [],
        artifact: Artifact? = nil, restored: UInt64? = nil, reservations: [String] = [], _ request: APIRequest
    ) async throws -> APIAnswer {
        let record = try await resource(.agent, name, request, notFound: Self.notFound(.agent, name))
        let document = record.document.value
        var reservations = reservations
        let findings = AgentFindings(document, try await knownNames(request))
        if case .fails(let reason) = await dependencies.agentRecords.outlook(document),
            reason != findings.refusal
        {
            reservations.append("version \(record.revision) cannot be started here: \(reason)")
        }
        let start = AgentStart(document)
        reservations += start.warnings
        let answer = DeployAnswer(
            record: record, toolsCreated: toolsCreated, policiesCreated: policiesCreated, artifact: artifact,
            restored: restored, policies: document["policies"].strings, start: start, findings: findings,
            reservations: reservations)
        return APIAnswer(.created, answer.json, position: receipt.position)
    }
}
