import Domain
import Metrics

/// Counters of calls of models. Their labels are names of registered providers and models: as many as operators make.
struct ModelMetrics {
    func count(_ called: ModelCalled) {
        let outcome =
            switch called.outcome {
            case .answered(let status): status < 400 ? "answered" : "refused_by_provider"
            case .failed: "failed"
            case .overBudget: "over_budget"
            }
        let model = [("provider", called.provider), ("model", called.model)]
        Counter(label: "sluice_model_calls_total", dimensions: model + [("outcome", outcome)]).increment()
        if let cost = called.cost {
            Counter(label: "sluice_model_cost_micro_usd_total", dimensions: model).increment(by: cost.value)
        }
        guard let usage = called.usage else { return }
        for (kind, tokens) in [("prompt", usage.prompt), ("completion", usage.completion)] {
            Counter(label: "sluice_model_tokens_total", dimensions: model + [("kind", kind)]).increment(by: tokens)
        }
    }
}
