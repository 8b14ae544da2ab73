package import Domain

extension BedrockFormat: ProviderFormat {
    package static var kinds: [String] { ["bedrock"] }

    package init(kind: String) { self.init() }

    package func endpoint(region: String?) -> String? {
        region.map { "https://bedrock-runtime.\($0).amazonaws.com" }
    }

    package var endpointAdvice: String {
        "send spec.region, such as us-east-1, or the address of an endpoint of your own"
    }

    package var probe: ProviderProbe {
        .impossible("Bedrock has nothing to ask that costs nothing: call a model to see whether it answers")
    }

    package func authentication(_ auth: JSONValue?, region: String?) -> JSONValue? {
        guard auth?["type"]?.string == "AWSSignature" else { return auth }
        let service = (ModelProvider.signing(auth)?["service"] ?? auth?["service"])?.string ?? "bedrock"
        return .members([
            "type": .string("AWSSignature"), "region": region.map { .string($0) }, "service": .string(service),
        ])
    }

    package var embeddings: (any EmbeddingsTranslator)? { BedrockEmbeddings() }

    package var pricing: ProviderPricing { .published }
}
