package import Domain

/// The model that is part of Sluice, for a first agent, a demo or a test.
package struct PlaygroundFormat: ProviderFormat {
    package static var kinds: [String] { ["playground"] }

    package init(kind: String) {}

    package var probe: ProviderProbe { .needless }

    package var chat: ChatService { .local(PlaygroundModel()) }

    package var pricing: ProviderPricing { .free }
}
