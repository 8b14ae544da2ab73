package import Domain

/// What an operator says that the models of a provider cost: `spec.prices` of its document.
package struct ModelPrices: Hashable, Sendable {
    package static let modelsMax = 1_000

    private var prices: [String: ModelPrice] = [:]

    /// Reads what was checked before; what cannot be read is left out.
    ///
    /// - Parameter kind: the provider's, which decides what writing to its cache costs where the document does not.
    package init(_ document: JSONValue?, kind: String) {
        guard case .object(let members)? = document else { return }
        for member in members { prices[member.name] = try? Self.price(member, kind: kind) }
    }

    /// The price of a model; `nil` when the document has none.
    package subscript(_ model: String) -> ModelPrice? { prices[model] }

    /// Refuses a document that is not what it should be; the error names the member.
    package static func check(_ document: JSONValue?) throws(InvalidPrices) {
        guard let document, document != .null else { return }
        guard case .object(let members) = document else { throw InvalidPrices("must be an object of models") }
        guard members.count <= modelsMax else { throw InvalidPrices("has more than \(modelsMax) models") }
        for member in members { _ = try price(member, kind: "") }
    }

    private static let suffix = "_per_million_usd"
    private static let names = [
        "input", "output", "cached_input", "cache_write", "cache_write_1h", "audio_input", "audio_output", "reasoning",
    ]

    private static func price(_ member: JSONValue.Member, kind: String) throws(InvalidPrices) -> ModelPrice {
        let field = "[\"\(member.name.excerpt)\"]"
        guard case .object(let members) = member.value else {
            throw InvalidPrices("\(field) must be an object with input_per_million_usd and output_per_million_usd")
        }
        let known = names.map { $0 + suffix }
        for member in members where !known.contains(member.name) {
            throw InvalidPrices(
                "\(field) must not have \(member.name.excerpt); known are \(known.joined(separator: ", "))")
        }
        func amount(_ name: String) throws(InvalidPrices) -> MicroUSD? {
            let name = name + suffix
            guard let value = member.value[name], value != .null else { return nil }
            guard case .number(let text) = value, let price = MicroUSD(dollars: text, max: ModelPrice.perMillionMax)
            else {
                throw InvalidPrices(
                    "\(field).\(name) must be a number of dollars from 0 to \(ModelPrice.perMillionMax)")
            }
            return price
        }
        guard let input = try amount("input") else { throw InvalidPrices("\(field).input\(suffix) is required") }
        var details = ModelPrice.Details(
            cacheWrite: try amount("cache_write"), cacheWriteHour: try amount("cache_write_1h"),
            audioInput: try amount("audio_input"), audioOutput: try amount("audio_output"),
            reasoning: try amount("reasoning"))
        if let rates = CacheWriteRates(of: member.name, kind: kind)?.prices(input: input) {
            details.cacheWrite = details.cacheWrite ?? rates.cacheWrite
            details.cacheWriteHour = details.cacheWriteHour ?? rates.cacheWriteHour
        }
        return ModelPrice(
            input: input, output: try amount("output") ?? .zero, cachedInput: try amount("cached_input"),
            details: details)
    }
}

/// What is wrong with prices; begins with what follows their name.
package struct InvalidPrices: Error, Hashable, Sendable {
    package let message: String

    init(_ message: String) { self.message = message }
}
