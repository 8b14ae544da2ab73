import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

/// The pages where people consent to what agents do for them. They bring no key: the link is what they were given.
extension APIHandlers {
    func beginConsent(_ request: Request, _ context: APIContext) async throws -> Response {
        await Self.shown {
            guard let run = context.parameters.get("run").flatMap({ RunID($0) }),
                let action = context.parameters.get("action").flatMap({ ActionID($0) }),
                let seal = context.parameters.get("seal")
            else { return ConsentPage.response(404, "This link is not valid.") }
            let url = try await self.dependencies.consents.begin(run: run, action: action, seal: seal)
            return Response(status: .found, headers: ConsentPage.headers([(.location, url)]))
        }
    }

    func finishConsent(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = request.uri.queryParameters
        return await Self.shown {
            let sentence = try await self.dependencies.consents.finish(
                state: query.get("state") ?? "", code: query.get("code"), error: query.get("error"))
            return ConsentPage.response(200, sentence)
        }
    }

    /// An action, with the link to open when it waits for its user's consent.
    func shown(_ action: ActionRecord) -> JSONText {
        guard action.isConsent, action.status == .blocked else { return action.json }
        let link = dependencies.consents.link(run: action.runID, action: action.id)
        return action.json.adding([.init(name: "authorization_url", value: .string(link))])
    }

    private static func shown(_ answer: () async throws -> Response) async -> Response {
        do {
            return try await answer()
        } catch let failure as ConsentFailure {
            return ConsentPage.response(failure.status, failure.message)
        } catch {
            return ConsentPage.response(503, "Sluice cannot do this at the moment. Open the link again in a minute.")
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
            body{font:18px/1.5 system-ui,sans-serif;margin:10vh auto;max-width:38em;padding:0 1em}
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
