import Domain

/// A capability of a tool as a function that a model may call, and the request that it stands for.
struct ToolFunction: Hashable, Sendable {
    /// What models accept as a function's name.
    private static let nameBytesMax = 64

    let name: String
    let tool: String
    let method: String
    let path: String
    let description: String

    /// One function a capability; a tool that declares none can be posted to.
    static func functions(of tool: String, _ document: JSONValue) -> [ToolFunction] {
        let spec = document["spec"]
        let about = spec?["description"]?.string ?? tool
        guard case .array(let capabilities)? = spec?["capabilities"], !capabilities.isEmpty else {
            return [ToolFunction(tool: tool, named: "call", method: "POST", path: "/", description: about)]
        }
        var seen: Set<String> = []
        return capabilities.compactMap { capability in
            let method = (capability["method"]?.string ?? "POST").uppercased()
            // What follows a wildcard is for the policy; a call needs a path.
            let path = String((capability["path"]?.string ?? "/").prefix { $0 != "*" })
            let function = ToolFunction(
                tool: tool, named: capability["name"]?.string ?? "\(method.lowercased())\(path)",
                method: method == "*" ? "POST" : method, path: path.hasPrefix("/") ? path : "/" + path,
                description: capability["description"]?.string ?? "\(about): \(method) \(path)")
            return seen.insert(function.name).inserted ? function : nil
        }
    }

    private init(tool: String, named name: String, method: String, path: String, description: String) {
        let plain = "\(tool)__\(name)".utf8.map { byte in
            let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            return isLetter || isDigit || byte == UInt8(ascii: "-") ? byte : UInt8(ascii: "_")
        }
        self.name = String(decoding: plain.prefix(Self.nameBytesMax), as: UTF8.self)
        self.tool = tool
        self.method = method
        self.path = path
        self.description = description
    }

    /// In the form of OpenAI's `tools`. Whatever the model gives as arguments becomes the request's body.
    var definition: JSONValue {
        .object([
            .init(name: "type", value: .string("function")),
            .init(
                name: "function",
                value: .object([
                    .init(name: "name", value: .string(name)), .init(name: "description", value: .string(description)),
                    .init(
                        name: "parameters",
                        value: .object([
                            .init(name: "type", value: .string("object")),
                            .init(name: "properties", value: .object([])),
                            .init(name: "additionalProperties", value: .bool(true)),
                        ])),
                ])),
        ])
    }

    var route: JSONValue {
        .object([
            .init(name: "tool", value: .string(tool)), .init(name: "method", value: .string(method)),
            .init(name: "path", value: .string(path)),
        ])
    }
}
