import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

/// The pages where people consent to what agents do for them. They bring no key: the link names the consent, and a
/// cookie the browser.
extension APIHandlers {
    func beginConsent(_ request: Request, _ context: APIContext) async throws -> Response {
        await Self.page {
            let link = try Self.link(context)
            return Self.response(
                to: try await self.dependencies.consents.begin(
                    run: link.run, action: link.action, seal: link.seal, proof: Self.bearer(request),
                    ticket: request.query("ticket", context)))
        }
    }

    /// For an application that has its user's token: the link that it may send that user's browser to.
    func makeConsentTicket(_ request: Request, _ context: APIContext) async throws -> Response {
        do {
            guard let proof = Self.bearer(request) else {
                throw APIError.notSignedIn(
                    "the run's user is required: send their token as Authorization: Bearer <JWT>")
            }
            let link = try Self.link(context)
            let url = try await dependencies.consents.ticketLink(
                run: link.run, action: link.action, seal: link.seal, proof: proof)
            return APIAnswer(.created, .object { $0.add("authorization_url", url) }).response
        } catch let failure as ConsentFailure {
            throw APIError(failure)
        }
    }

    func finishSignIn(_ request: Request, _ context: APIContext) async throws -> Response {
        let answer = Self.authorizationAnswer(request, context)
        return await Self.page {
            Self.response(
                to: try await self.dependencies.consents.signedIn(answer) { request.cookies[$0]?.value },
                removing: self.dependencies.consents.binding(ofState: answer.state))
        }
    }

    func finishConsent(_ request: Request, _ context: APIContext) async throws -> Response {
        let answer = Self.authorizationAnswer(request, context)
        return await Self.page {
            let sentence = try await self.dependencies.consents.finish(answer) { request.cookies[$0]?.value }
            var response = ConsentPage.response(200, sentence)
            response.headers[.setCookie] = self.dependencies.consents.binding(ofState: answer.state).removal
            return response
        }
    }

    /// The action, with the link to open when it waits for its user's consent and the caller is entitled to that.
    func shown(_ action: ActionRecord, of run: RunRecord, _ request: APIRequest) async throws -> JSONText {
        guard action.isConsent, action.status == .blocked, try await mayConsent(to: run, request.principal) else {
            return action.json
        }
        let link = dependencies.consents.link(run: action.runID, action: action.id)
        return action.json.adding([.init(name: "authorization_url", value: .string(link))])
    }

    /// True for the run's agent, which gives the link to its user, and for a person proven to be that user.
    func mayConsent(to run: RunRecord, _ principal: Principal) async throws -> Bool {
        if principal.role == .agent, case .apiKey = principal.caller {
            return principal.agent == nil || principal.agent == run.agentID
        }
        return try await isUser(principal, of: run)
    }

    private static func link(
        _ context: APIContext
    ) throws(APIError) -> (run: RunID, action: ActionID, seal: String) {
        guard let run = context.parameters.get("run").flatMap({ RunID($0) }),
            let action = context.parameters.get("action").flatMap({ ActionID($0) }),
            let seal = context.parameters.get("seal")
        else { throw .notFound("This link is not valid.") }
        return (run, action, seal)
    }

    private static func bearer(_ request: Request) -> String? {
        guard let value = request.headers[.authorization], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst("bearer ".count))
    }

    private static func authorizationAnswer(_ request: Request, _ context: APIContext) -> AuthorizationAnswer {
        AuthorizationAnswer(
            state: request.query("state", context) ?? "", code: request.query("code", context),
            error: request.query("error", context))
    }

    private static func response(to departure: Departure, removing: BrowserBinding? = nil) -> Response {
        var headers = ConsentPage.headers([(.location, departure.url)])
        headers.append(HTTPField(name: .setCookie, value: departure.binding.cookie))
        if let removing { headers.append(HTTPField(name: .setCookie, value: removing.removal)) }
        return Response(status: .found, headers: headers)
    }

    private static func page(_ answer: () async throws -> Response) async -> Response {
        do {
            return try await answer()
        } catch let failure as ConsentFailure {
            return ConsentPage.response(failure.status, failure.message)
        } catch let error as APIError where error.status == .notFound {
            return ConsentPage.response(404, error.message)
        } catch {
            return ConsentPage.response(503, "Sluice cannot do this at the moment. Open the link again in a minute.")
        }
    }
}

extension APIError {
    /// A consent that is not taken, for a client.
    init(_ failure: ConsentFailure) {
        switch failure.status {
        case 401: self = .invalidToken(failure.message)
        case 403: self.init(.forbidden, .forbidden, failure.message)
        case 404: self = .notFound(failure.message)
        case 410: self = .conflict(failure.message)
        default:
            self = APIError(.serviceUnavailable, .identityProviderUnavailable, failure.message).retryAfter(seconds: 5)
        }
    }
}

/// A page for a person, of one sentence or a little more.
enum ConsentPage {
    static func response(_ status: Int, _ sentence: String) -> Response {
        response(status, html: "<p>\(escaped(sentence))</p>")
    }

    /// - Parameter body: HTML, with every text in it escaped.
    static func response(_ status: Int, html body: String) -> Response {
        let page = """
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>Sluice</title>
            <style>:root{color-scheme:light dark}
            body{font:18px/1.5 system-ui,sans-serif;margin:2em auto;max-width:38em;padding:0 1em}
            th{text-align:left;vertical-align:top;white-space:nowrap;padding-right:1em}p,td{overflow-wrap:anywhere}
            pre{white-space:pre-wrap;overflow-wrap:anywhere;max-height:50vh;overflow:auto;font-size:.8em;padding:.7em;
            border:1px solid;border-radius:.3em}h2{font-size:1.2em}
            button{font:inherit;padding:.3em 1em}</style>
            <h1>Sluice</h1>\(body)</html>
            """
        return Response(
            status: HTTPResponse.Status(code: status),
            headers: headers([(.contentType, "text/html; charset=utf-8")]),
            body: ResponseBody(byteBuffer: ByteBuffer(string: page)))
    }

    /// Nothing runs on it, nobody frames it, and no other place learns its address.
    static func headers(_ more: [(HTTPField.Name, String)]) -> HTTPFields {
        var headers: HTTPFields = [
            .contentSecurityPolicy:
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
        ]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "no-referrer" }
        for (name, value) in more { headers[name] = value }
        return headers
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
