package import Domain

/// What an operator says that the models of a provider cost: `spec.prices` of its document.
package struct ModelPrices: Hashable, Sendable {
    package static let modelsMax = 1_000

    private var prices: [String: ModelPrice] = [:]

    /// Reads what was checked before; what cannot be read is left out.
    package init(_ document: JSONValue?) {
        guard case .object(let members)? = document else { return }
        for member in members { prices[member.name] = try? Self.price(member) }
    }

    /// The price of a model; `nil` when the document has none.
    package subscript(_ model: String) -> ModelPrice? { prices[model] }

    /// Refuses a document that is not what it should be; the error names the member.
    package static func check(_ document: JSONValue?) throws(InvalidPrices) {
        guard let document, document != .null else { return }
        guard case .object(let members) = document else { throw InvalidPrices("must be an object of models") }
        guard members.count <= modelsMax else { throw InvalidPrices("has more than \(modelsMax) models") }
        for member in members { _ = try price(member) }
    }

    private static func price(_ member: JSONValue.Member) throws(InvalidPrices) -> ModelPrice {
        let field = "[\"\(member.name.excerpt)\"]"
        guard case .object(let members) = member.value else {
            throw InvalidPrices("\(field) must be an object with input_per_million_usd and output_per_million_usd")
        }
        let names = ["input_per_million_usd", "output_per_million_usd", "cached_input_per_million_usd"]
        for member in members where !names.contains(member.name) {
            throw InvalidPrices(
                "\(field) must not have \(member.name.excerpt); known are \(names.joined(separator: ", "))")
        }
        func amount(_ name: String) throws(InvalidPrices) -> MicroUSD? {
            guard let value = member.value[name], value != .null else { return nil }
            guard case .number(let text) = value, let price = MicroUSD(dollars: text, max: ModelPrice.perMillionMax)
            else {
                throw InvalidPrices(
                    "\(field).\(name) must be a number of dollars from 0 to \(ModelPrice.perMillionMax)")
            }
            return price
        }
        guard let input = try amount(names[0]) else { throw InvalidPrices("\(field).\(names[0]) is required") }
        return ModelPrice(input: input, output: try amount(names[1]) ?? .zero, cachedInput: try amount(names[2]))
    }
}

/// What is wrong with prices; begins with what follows their name.
package struct InvalidPrices: Error, Hashable, Sendable {
    package let message: String

    init(_ message: String) { self.message = message }
}
