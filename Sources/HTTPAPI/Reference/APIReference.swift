import CAssets
import Domain
import Yams

/// The descriptions of the API: `schemas/openapi.yaml`, a page that shows it, and `schemas/asyncapi.yaml` for what is sent. All
/// are in the binary.
enum APIReference {
    private static let document = parsed()
    /// Read when it is asked for first: a start does not wait for it.
    private static let messages = parsed(sluice_asyncapi_yaml())

    /// The document, parsed now.
    static func parsed() -> JSONValue { parsed(sluice_openapi_yaml()) }

    private static func parsed(_ asset: sluice_asset) -> JSONValue {
        guard let node = try? Yams.compose(yaml: asset.text) else {
            preconditionFailure("the documents in schemas are YAML: tests read them")
        }
        return JSONValue(node)
    }

    /// The document, as JSON.
    ///
    /// - Parameter basePath: the path under which a proxy serves the API.
    static func json(under basePath: String) -> JSONText {
        (basePath.isEmpty ? document : document.servedUnder(basePath)).text
    }

    /// The AsyncAPI document of streams and webhooks, as JSON.
    ///
    /// - Parameter basePath: the path under which a proxy serves the API.
    static func messages(under basePath: String) -> JSONText {
        messages.replacing("servers") { servers in
            guard case .object(let members) = servers else { return servers }
            return .object(
                members.map { server in
                    let value = server.value.replacing("pathname") { path in
                        path.string.map { .string(basePath + $0) } ?? path
                    }
                    return JSONValue.Member(name: server.name, value: value)
                })
        }.text
    }

    static let page = sluice_reference_html().text

    /// What the page may load: itself, and the document.
    static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

extension JSONValue {
    /// The document with the base path before the path of every server in it.
    fileprivate func servedUnder(_ basePath: String) -> JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map { member in
                    let value = member.name == "servers" ? member.value.asServers(basePath) : member.value
                    return Member(name: member.name, value: value.servedUnder(basePath))
                })
        case .array(let values): .array(values.map { $0.servedUnder(basePath) })
        case .null, .bool, .number, .string: self
        }
    }

    private func asServers(_ basePath: String) -> JSONValue {
        guard case .array(let servers) = self else { return self }
        return .array(
            servers.map { server in
                server.replacing("url") { url in
                    guard let path = url.string, path.hasPrefix("/") else { return url }
                    return .string(path == "/" ? basePath : basePath + path)
                }
            })
    }
}

extension sluice_asset {
    fileprivate var text: String { String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self) }
}

extension JSONValue {
    /// Plain scalars are what JSON's schema of YAML 1.2 (section 10.2) makes of them.
    fileprivate init(_ node: Node) {
        switch node {
        case .mapping(let mapping):
            self = .object(
                mapping.map { name, value in Member(name: name.string ?? "", value: JSONValue(value)) })
        case .sequence(let values): self = .array(values.map { JSONValue($0) })
        case .scalar(let scalar):
            switch scalar.string {
            case let text where scalar.style != .plain: self = .string(text)
            case "null", "": self = .null
            case "true": self = .bool(true)
            case "false": self = .bool(false)
            case let text where Double(text) != nil: self = .number(text)
            case let text: self = .string(text)
            }
        case .alias: self = .null
        }
    }
}
