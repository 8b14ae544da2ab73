import Domain

/// Messages of a format whose turns alternate: what follows without a turn of the other's is one message.
struct ChatTurns {
    /// The member that holds a turn's content.
    private let contentName: String
    private var turns: [(role: String, content: [JSONValue])] = []

    init(contentName: String = "content") { self.contentName = contentName }

    mutating func add(_ role: String, _ content: [JSONValue]) {
        guard !content.isEmpty else { return }
        if turns.last?.role == role { turns[turns.count - 1].content += content } else { turns.append((role, content)) }
    }

    /// Adds a turn of the user's, which has to have content: without it the next answer would follow another message.
    mutating func addUser(_ content: [JSONValue]) throws(UntranslatableRequest) {
        guard !content.isEmpty else {
            throw UntranslatableRequest("a user message must hold more than white space for this model's provider")
        }
        add("user", content)
    }

    var documents: [JSONValue] {
        turns.map { turn in
            .object([
                .init(name: "role", value: .string(turn.role)), .init(name: contentName, value: .array(turn.content)),
            ])
        }
    }
}
