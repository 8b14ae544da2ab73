import Domain
import Synchronization

/// A request, and whom it goes to as what.
struct ProviderCall: Sendable {
    let provider: ModelProvider
    let model: String
    let request: LLMRequest

    /// What is asked, in no provider's words.
    func chat(_ dialect: ChatDialect) throws(ModelCallFailure) -> ChatRequest {
        do throws(UntranslatableRequest) {
            return try dialect.request(request.document, model: model)
        } catch {
            throw .request(error.reason)
        }
    }

    /// The body as it came, unless the provider gets another document.
    var body: [UInt8] { adapted.map { Array($0.text.text.utf8) } ?? request.body }

    /// The document that the provider gets in the place of the caller's: for another model, without ids that are signed
    /// for another provider, in the form that the provider accepts; `nil` when the body can pass as it came.
    var adapted: JSONValue? {
        let isMarked = CallSignature.isMarked(request.body)
        let bare = isMarked ? request.document.withoutCallSignatures : request.document
        let accepted = provider.format.accepted(bare)
        guard model != request.model || isMarked || accepted != nil else { return nil }
        return (accepted ?? bare).replacing("model") { _ in .string(model) }
    }
}

/// An answer on its way, in the words of whoever asked.
struct ProviderAnswer: Sendable {
    let answer: EgressAnswer
    /// What the provider said of it, once all of it has come.
    var report = AnswerReport()
}

/// What is known of an answer beside what the agent gets.
final class AnswerReport: Sendable {
    /// True when the answer is written by us: what it says of the usage is the report's, or nothing that is known.
    let isOfTranslation: Bool
    private let state = Mutex<(usage: TokenUsage?, failure: String?)>((nil, nil))

    init(isOfTranslation: Bool = false) { self.isOfTranslation = isOfTranslation }

    var usage: TokenUsage? { state.withLock { $0.usage } }
    /// Why the answer is not whole.
    var failure: String? { state.withLock { $0.failure } }

    func note(usage: TokenUsage?) { state.withLock { $0.usage = usage } }
    func note(failure: String) { state.withLock { $0.failure = failure } }
}
