import Domain

/// JSON schemas as Gemini accepts them in `parametersJsonSchema` and `responseJsonSchema`.
enum GeminiSchema {
    /// The number of references that are replaced in one schema: nested ones may multiply.
    private static let replacementsMax = 1_000

    /// The schema without `$schema`, and with definitions in the place of the references to them.
    ///
    /// Gemini refuses references with other members beside them, and definitions of older drafts. A reference that leads
    /// back to itself, or nowhere, stays.
    static func prepared(_ schema: JSONValue) -> JSONValue {
        var replacements = 0
        let plain = removing(["$schema"], from: schema)
        let inlined = inline(plain, of: plain, within: [], &replacements)
        guard replacements > 0, !hasReference(inlined) else { return replacements > replacementsMax ? plain : inlined }
        return removing(["$defs", "definitions"], from: inlined)
    }

    private static func removing(_ names: Set<String>, from schema: JSONValue) -> JSONValue {
        guard case .object(let members) = schema else { return schema }
        return .object(members.filter { !names.contains($0.name) })
    }

    private static func inline(
        _ value: JSONValue, of root: JSONValue, within names: [String], _ replacements: inout Int
    ) -> JSONValue {
        switch value {
        case .array(let values):
            return .array(values.map { inline($0, of: root, within: names, &replacements) })
        case .object(let members):
            guard let name = value["$ref"]?.string, let definition = definition(name, in: root),
                !names.contains(name), replacements <= replacementsMax
            else {
                return .object(
                    members.map {
                        .init(name: $0.name, value: inline($0.value, of: root, within: names, &replacements))
                    }
                )
            }
            replacements += 1
            var merged = members.filter { $0.name != "$ref" }
            guard case .object(let defined) = inline(definition, of: root, within: names + [name], &replacements) else {
                return definition
            }
            merged += defined.filter { member in !merged.contains { $0.name == member.name } }
            return .object(merged)
        case .string, .number, .bool, .null: return value
        }
    }

    private static func definition(_ reference: String, in root: JSONValue) -> JSONValue? {
        for collection in ["$defs", "definitions"] where reference.hasPrefix("#/\(collection)/") {
            return root[collection]?[String(reference.dropFirst("#/\(collection)/".count))]
        }
        return nil
    }

    private static func hasReference(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let values): values.contains(where: hasReference)
        case .object(let members):
            members.contains { member in
                member.name == "$ref" || !["$defs", "definitions"].contains(member.name) && hasReference(member.value)
            }
        case .string, .number, .bool, .null: false
        }
    }
}
