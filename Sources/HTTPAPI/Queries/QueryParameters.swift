import Domain
import Hummingbird
import HummingbirdCore

/// The query parameters of a route: all that its handler can read, and what `GET /routes` says of it.
///
/// A test compares them with the API's document. Written as an array, they are all that a client may send: an unknown
/// filter would otherwise be ignored, and the list would hold what the filter excludes.
struct QueryParameters: Hashable, Sendable, ExpressibleByArrayLiteral {
    /// Of a route that reads none and ignores what it is sent.
    static let none = QueryParameters(names: [], refusesOthers: false)
    /// Of a list in pages.
    static let pages: QueryParameters = ["sort", "limit", "cursor"]

    let names: [String]
    private let refusesOthers: Bool
    /// Those that may come several times.
    private let repeatable: Set<String>

    init(arrayLiteral names: String...) { self.init(names: names, refusesOthers: true) }

    private init(names: [String], refusesOthers: Bool, repeatable: Set<String> = []) {
        (self.names, self.refusesOthers, self.repeatable) = (names, refusesOthers, repeatable)
    }

    /// Of a route that other services' clients use too, whose further parameters are ignored.
    static func openTo(_ names: String...) -> QueryParameters { QueryParameters(names: names, refusesOthers: false) }

    func and(_ more: [String]) -> QueryParameters {
        QueryParameters(names: names + more, refusesOthers: refusesOthers, repeatable: repeatable)
    }

    /// With further parameters that may come several times.
    func and(several more: [String]) -> QueryParameters {
        QueryParameters(
            names: names + more, refusesOthers: refusesOthers, repeatable: repeatable.union(more))
    }

    /// Leaves `as_of` to what answers it or refuses it.
    ///
    /// - Throws: 400 that names the first unknown parameter and the known ones, one that comes twice, or one with a NUL, which
    ///   would end a text of the read models.
    func check(_ given: Parameters, _ asOf: AsOfSupport) throws(APIError) {
        guard refusesOthers, !given.isEmpty else { return }
        for name in names {
            let values = given.getAll(name)
            guard values.count < 2 || repeatable.contains(name) else {
                throw .badRequest("query parameter \(name) must come once")
            }
            guard values.allSatisfy({ !$0.utf8.contains(0) }) else {
                throw .badRequest("query parameter \(name) must have no NUL (%00)")
            }
        }
        let unknown = given.lazy.map { String($0.key) }.first { name in
            name != AsOf.parameter && !names.contains(name)
        }
        guard let unknown else { return }
        let known = (asOf == .answered ? names + [String(AsOf.parameter)] : names).sorted()
        let hint = known.isEmpty ? "there are none here" : "known are \(known.joined(separator: ", "))"
        throw .badRequest("unknown query parameter \(unknown.excerpt): \(hint)")
    }
}
