import Domain

/// Microsoft Teams: an Adaptive Card to a workflow's webhook. Such a card cannot be changed later.
struct TeamsFormat: ConnectorFormat {
    private let connector: ApprovalConnector

    init(_ connector: ApprovalConnector) { self.connector = connector }

    func ask(_ message: ApprovalMessage, at time: Timestamp) throws(ConnectorProblem) -> ConnectorRequest {
        let facts = message.shownFacts.map { fact in
            JSONValue.members(["title": .string(fact.name), "value": .string(Self.escaped(fact.value))])
        }
        let card = JSONValue.members([
            "$schema": .string("http://adaptivecards.io/schemas/adaptive-card.json"), "type": .string("AdaptiveCard"),
            "version": .string("1.4"),
            "body": .array([
                .members([
                    "type": .string("TextBlock"), "text": .string(Self.escaped(message.title)),
                    "weight": .string("Bolder"), "size": .string("Medium"), "wrap": .bool(true),
                ]),
                .members(["type": .string("FactSet"), "facts": .array(facts)]),
                .members([
                    "type": .string("TextBlock"), "text": .string(Self.escaped(message.hint)), "wrap": .bool(true),
                ]),
            ]),
            "actions": message.link.map { link in
                .array([
                    .members([
                        "type": .string("Action.OpenUrl"), "title": .string("Review and decide"), "url": .string(link),
                    ])
                ])
            },
        ])
        return ConnectorRequest(
            connector.connection.endpoint,
            .members([
                "type": .string("message"),
                "attachments": .array([
                    .members([
                        "contentType": .string("application/vnd.microsoft.card.adaptive"), "contentUrl": .null,
                        "content": card,
                    ])
                ]),
            ]))
    }

    /// The texts of cards are Markdown.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            if "\\`*_[]()#<>|~".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
    }
}
