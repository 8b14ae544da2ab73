/// Images in results of tools, for a format whose tool messages hold text alone: they follow the last result of a turn,
/// in a message of the user.
struct ResultImages {
    private var parts: [ChatRequest.Part] = []

    /// The text of a result; its images are kept for later.
    mutating func text(of result: [ChatRequest.Part], call id: String) -> String {
        var text = ""
        var hasImage = false
        for part in result {
            switch part {
            case .text(let more): text += more
            case .image:
                if !hasImage { parts.append(.text("The result of the call \(id):")) }
                hasImage = true
                parts.append(part)
            }
        }
        return hasImage && text.isBlank ? "The result is an image, which follows." : text
    }

    /// The images that are due; `nil` when there are none.
    mutating func take() -> [ChatRequest.Part]? {
        defer { parts = [] }
        return parts.isEmpty ? nil : parts
    }
}
