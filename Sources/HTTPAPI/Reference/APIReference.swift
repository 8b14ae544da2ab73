import CAssets
import Domain
import Yams

/// What describes the API: `schemas/openapi.yaml`, and a page that shows it. Both are in the binary.
enum APIReference {
    /// The document, as JSON.
    static let json: JSONText = {
        guard let node = try? Yams.compose(yaml: sluice_openapi_yaml().text) else {
            preconditionFailure("schemas/openapi.yaml is YAML: a test reads it")
        }
        return JSONValue(node).text
    }()

    static let page = sluice_reference_html().text

    /// What the page may load: itself, and the document.
    static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
