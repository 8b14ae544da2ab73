import Domain

/// The members that a value may have, as `schemas/openapi.yaml` describes them.
struct BodySchema: Sendable {
    private(set) var members: [String: BodySchema] = [:]
    /// True when members of other names are kept or forwarded.
    private(set) var isOpen = false
    /// Of the elements of an array; one at most.
    private var items: [BodySchema] = []
    /// Of members of any name; one at most.
    private var others: [BodySchema] = []

    /// Of a value whose members are not checked here.
    static let open: BodySchema = {
        var schema = BodySchema()
        schema.isOpen = true
        return schema
    }()

    /// A member of a body that means nothing.
    struct UnknownMember: Hashable, Sendable {
        /// The member's place, such as `spec.approvals[0].group`.
        let place: String
        /// The members that are known there, sorted.
        let known: [String]
    }

    /// - Parameter resolve: the schema that a reference names.
    init(_ schema: JSONValue, depth: Int = 0, _ resolve: (String) -> JSONValue?) {
        guard depth < Self.depthMax, schema["x-sluice-open"] != .bool(true) else {
            self = .open
            return
        }
        if let reference = schema["$ref"]?.string {
            self = resolve(reference).map { BodySchema($0, depth: depth + 1, resolve) } ?? .open
            return
        }
        self.init()
        func nested(_ value: JSONValue) -> BodySchema { BodySchema(value, depth: depth + 1, resolve) }
        var describes = false
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for variant in schema[keyword].elements {
                merge(nested(variant))
                describes = true
            }
        }
        if case .object(let properties)? = schema["properties"] {
            for property in properties { members[property.name, default: BodySchema()].merge(nested(property.value)) }
            describes = true
        }
        for name in schema["x-sluice-also"].strings {
            members[name, default: BodySchema()].merge(.open)
            describes = true
        }
        if let element = schema["items"] { items = [nested(element)] }
        switch schema["additionalProperties"] {
        case .bool(let isOpen)?: self.isOpen = self.isOpen || isOpen
        case .object?: others = schema["additionalProperties"].map { [nested($0)] } ?? []
        default:
            let isFree = schema["maxProperties"] == nil && schema["required"] == nil
            if !describes, isFree, Self.allowsObject(schema["type"]) { isOpen = true }
        }
    }

    private init() {}

    /// The same with the members that every body may have.
    var ofWholeBody: BodySchema {
        var schema = self
        // It chooses the workspace.
        if !members.isEmpty { schema.members["namespace"] = .open }
        return schema
    }

    private static let depthMax = 16
    private static let unknownMax = 20

    /// The unknown members of a body, the first `unknownMax` of them. A body of several lines has an object for each.
    func unknownMembers(inBody body: JSONValue) -> [UnknownMember] {
        guard case .array(let lines) = body else {
            return Array(unknownMembers(in: body, at: "").prefix(Self.unknownMax))
        }
        var unknown: [UnknownMember] = []
        for (index, line) in lines.enumerated() where unknown.count < Self.unknownMax {
            unknown += unknownMembers(in: line, at: "line \(index + 1)")
        }
        return Array(unknown.prefix(Self.unknownMax))
    }

    private func unknownMembers(in value: JSONValue, at place: String) -> [UnknownMember] {
        switch value {
        case .object(let given):
            guard !members.isEmpty || !others.isEmpty else { return [] }
            return given.flatMap { member -> [UnknownMember] in
                let inside = (place.isEmpty ? "" : place + ".") + member.name.excerpt
                if let known = members[member.name] ?? others.first {
                    return known.unknownMembers(in: member.value, at: inside)
                }
                return isOpen ? [] : [UnknownMember(place: inside, known: members.keys.sorted())]
            }
        case .array(let values):
            guard let items = items.first else { return [] }
            return values.enumerated().flatMap { items.unknownMembers(in: $1, at: "\(place)[\($0)]") }
        case .null, .bool, .number, .string: return []
        }
    }

    private mutating func merge(_ other: BodySchema) {
        for (name, schema) in other.members { members[name, default: BodySchema()].merge(schema) }
        isOpen = isOpen || other.isOpen
        for (mine, its) in [(\BodySchema.items, other.items), (\BodySchema.others, other.others)] {
            guard let its = its.first else { continue }
            if self[keyPath: mine].isEmpty { self[keyPath: mine] = [its] } else { self[keyPath: mine][0].merge(its) }
        }
    }

    /// True for `object`, and where no type is given.
    private static func allowsObject(_ type: JSONValue?) -> Bool {
        switch type {
        case nil: true
        case .string(let name)?: name == "object"
        case .array(let names)?: names.contains(.string("object"))
        default: false
        }
    }
}
