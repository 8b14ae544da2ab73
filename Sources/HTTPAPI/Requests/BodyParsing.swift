package import Domain
import HTTPTypes

/// What a route takes as its body.
struct BodyLimits: Sendable {
    /// Checkpoints and results of tools.
    static let documents = BodyLimits(bytesMax: 4 * 1024 * 1024)

    /// Other than the usual maximum.
    var bytesMax: Int?
    /// Whether it may be many objects, one a line.
    var takesLines = false
}

/// Makes values of bodies; what is wrong with one is the client's error.
package enum BodyParsing {
    /// One object. No body, an empty one, and `null` all mean one without members.
    package static func object(_ bytes: [UInt8], _ repairs: JSONRepairs = []) throws(APIError) -> JSONValue {
        guard !bytes.allSatisfy(isBlank) else { return .object([]) }
        let value = try value(bytes, repairs)
        switch value {
        case .null: return .object([])
        case .object: return value
        case .bool, .number, .string, .array: throw .badRequest("the body must be a JSON object")
        }
    }

    /// An array of the objects on the body's lines (github.com/ndjson/ndjson-spec); blank lines do not count.
    package static func lines(_ bytes: [UInt8], _ repairs: JSONRepairs = []) throws(APIError) -> JSONValue {
        var values: [JSONValue] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard !line.allSatisfy(isBlank) else { continue }
            do throws(APIError) {
                guard case .object(let members) = try value(Array(line), repairs) else {
                    throw .badRequest("it must be a JSON object")
                }
                values.append(.object(members))
            } catch {
                throw .badRequest("line \(index + 1): \(error.message)")
            }
        }
        return .array(values)
    }

    private static func value(_ bytes: [UInt8], _ repairs: JSONRepairs) throws(APIError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: bytes, repairs)
        } catch {
            throw .badRequest(error.message)
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }
}

extension HTTPFields {
    /// Whether the body is said to be newline-delimited JSON.
    var saysLines: Bool {
        guard let type = self[.contentType] else { return false }
        let name = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        return name == "application/x-ndjson" || name == "application/ndjson" || name == "application/jsonl"
    }
}
