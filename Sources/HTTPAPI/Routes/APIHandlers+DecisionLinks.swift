import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird
import Projections

/// The links in messages to approvers. They bring no key: the link is what its reader was given.
///
/// Looking decides nothing, because services look at links before people do; only the form on the page decides.
extension APIHandlers {
    private static let formBytesMax = 16 * 1024

    func showDecision(_ request: Request, _ context: APIContext) async throws -> Response {
        await Self.decisionShown(request) {
            let (id, secret) = try Self.link(context)
            guard let view = try await self.decisionLinks.view(id, secret: secret) else { throw Self.unknownLink }
            return (try await self.shown(view), nil)
        }
    }

    func decideByLink(_ request: Request, _ context: APIContext) async throws -> Response {
        await Self.decisionShown(request) {
            let (id, secret) = try Self.link(context)
            let form = try DecisionForm(
                try await self.text(of: request, context, upTo: Self.formBytesMax), type: request.headers[.contentType]
            )
            let isKnown = try await self.decisionLinks.decide(
                id, secret: secret, approves: form.approves, payloadHash: form.payloadHash, reason: form.reason)
            guard isKnown, let view = try await self.decisionLinks.view(id, secret: secret) else {
                throw Self.unknownLink
            }
            return (
                DecisionShown(view),
                form.approves ? "Your approval is recorded." : "Your rejection is recorded."
            )
        }
    }

    /// The facts, the body and the other open actions of the run, while there is something to decide.
    private func shown(_ view: DecisionLinks.View) async throws -> DecisionShown {
        guard view.standing == .open, let run = view.message.subject.runID else { return DecisionShown(view) }
        let blocked = try await projections.actions(of: run).filter { $0.status == .blocked }
        let others = blocked.filter { $0.id != view.message.subject.actionID }.count
        return DecisionShown(view, body: try await blockedBody(view), otherActions: others)
    }

    /// The body of the waiting call; `nil` once it is decided, so that an old link shows it no longer.
    private func blockedBody(_ view: DecisionLinks.View) async throws -> BlockedBody? {
        let message = view.message
        guard view.standing == .open, let run = message.subject.runID, let action = message.subject.actionID,
            let call = try await projections.blockedCall(action, of: run)
        else { return nil }
        return blockedBody(call, of: action, run, in: message.workspace)
    }

    private var decisionLinks: DecisionLinks { dependencies.decisionLinks }

    private static var unknownLink: APIError {
        APIError(
            .notFound, code: RejectionErrorCode.decisionLinkUnknown.rawValue,
            "This link is not valid. Open it whole, as it was sent; or decide with `sluice approve` or `sluice reject`."
        )
    }

    private static func link(_ context: APIContext) throws -> (DeliveryID, String) {
        guard let id = context.parameters.get("delivery").flatMap({ DeliveryID($0) }),
            let secret = context.parameters.get("secret"), secret.utf8.count == 64
        else { throw unknownLink }
        return (id, secret)
    }

    private static func decisionShown(
        _ request: Request, _ answer: () async throws -> (DecisionShown, String?)
    ) async -> Response {
        let wantsJSON =
            request.headers[.accept]?.lowercased().contains("application/json") == true
            || request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true
        do {
            let (shown, sentence) = try await answer()
            return wantsJSON
                ? DecisionPage.response(200, json: shown.json)
                : DecisionPage.response(200, html: DecisionPage.body(shown, sentence))
        } catch {
            let refusal = APIError(error)
            var response =
                wantsJSON
                ? DecisionPage.response(
                    refusal.status.code, json: .object { $0.add("error", refusal.message) })
                : DecisionPage.response(refusal.status.code, html: DecisionPage.paragraph(refusal.message))
            response.headers[.errorCode] = refusal.code
            if let wait = refusal.headers[.retryAfter] { response.headers[.retryAfter] = wait }
            return response
        }
    }
}

/// The subject of a link, with the body of the call while it waits.
struct DecisionShown {
    let view: DecisionLinks.View
    let body: BlockedBody?
    /// The number of other actions of the run that wait for a decision.
    let otherActions: Int

    init(_ view: DecisionLinks.View, body: BlockedBody? = nil, otherActions: Int = 0) {
        self.view = view
        self.body = body
        self.otherActions = otherActions
    }

    fileprivate var json: JSONText { view.json.adding(body?.decisionMembers ?? []) }
}

/// A decision: the fields of a form, or the same in JSON.
struct DecisionForm {
    let approves: Bool
    let payloadHash: PayloadHash?
    let reason: String?

    init(_ bytes: [UInt8], type: String?) throws {
        let body: JSONValue
        // No field of a form begins with a brace, so JSON is read whichever type its client states.
        if type?.lowercased().hasPrefix("application/json") == true || bytes.first == UInt8(ascii: "{") {
            body = try BodyParsing.object(bytes)
        } else {
            body = Self.fields(String(decoding: bytes, as: UTF8.self))
        }
        switch try body.requiredText("decision") {
        case "approve": approves = true
        case "reject": approves = false
        default: throw APIError.badRequest("decision must be approve or reject")
        }
        payloadHash = try body.text("payload_hash").map(PayloadHash.init)
        reason = try body.freeText("reason")
    }

    /// The fields of `application/x-www-form-urlencoded`.
    private static func fields(_ text: String) -> JSONValue {
        .object(
            text.split(separator: "&").prefix(16).compactMap { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard let name = decoded(parts[0]) else { return nil }
                return .init(name: name, value: .string(parts.count > 1 ? decoded(parts[1]) ?? "" : ""))
            })
    }

    private static func decoded(_ text: Substring) -> String? {
        String(text).replacing("+", with: " ").percentDecoded
    }
}

extension DecisionLinks.View {
    fileprivate var status: String {
        switch standing {
        case .open: "pending"
        case .used: "used"
        case .expired: "expired"
        case .decided(let outcome): outcome.decision.rawValue
        }
    }

    fileprivate var json: JSONText {
        .object { json in
            json.add("status", status)
            json.add("link_id", message.deliveryID.description)
            json.add("workspace", message.workspace.text)
            json.add("request_id", message.subject.requestID?.description)
            json.add("run_id", message.subject.runID?.description)
            json.add("action_id", message.subject.actionID?.description)
            json.add("agent_id", message.agent)
            json.add("user_id", message.user)
            json.add("tool_id", message.tool)
            json.add("capability", message.capability)
            json.add("tool_method", message.method)
            json.add("tool_url", message.url)
            json.add("tool_origin", message.toolOrigin)
            json.add("payload_hash", message.payloadHash)
            json.add("headers_hash", message.headersHash)
            json.add("tool_headers", message.headers)
            json.add("covers", message.covers)
            json.add("approvers", message.approvers?.approversText)
            json.add("signature_required", message.needsSignature)
            json.add("reason", message.reason)
            json.add("expires_at", message.expiresAt)
            if case .decided(let outcome) = standing {
                json.add("approver_id", outcome.approver)
                json.add("decision_reason", outcome.reason)
            }
        }
    }
}
