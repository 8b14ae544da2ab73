/// The fields of a record that say something of a person. `schemas/events.proto` marks the same ones, and says of every
/// other that it is plain; a test compares the two, so no field is in clear text by omission.
package enum PersonalFields {
    package enum Kind: Sendable {
        /// Who it is.
        case name
        case text
        case json
        /// May be left out.
        case bytes
    }

    package enum Owner: Sendable {
        /// Whoever the event is about.
        case subject
        /// Whoever caused it, when that is a person.
        case actor
    }

    package enum Rule: Sendable {
        case personal(Kind, Owner)
        /// A message with such fields in it.
        case message
        case plain

        package var isPersonal: Bool { if case .personal = self { true } else { false } }
        package var isMessage: Bool { if case .message = self { true } else { false } }
    }

    /// True when a field of the envelope may have personal fields in it.
    static func mayHold(_ envelopeField: UInt64) -> Bool {
        envelopeField == 8 || envelopeField >= 32
    }

    /// The rule for a field of a message in the envelope.
    package static func rule(_ message: UInt64, _ field: UInt64) -> Rule {
        switch (message, field) {
        // The actor.
        case (8, 2): .personal(.name, .actor)
        case (8, 3): .message
        // RunCreated: user_id, conversation_id, initial_message, input, invoke_address.
        case (35, 3): .personal(.name, .subject)
        case (35, 4), (35, 6), (35, 11): .personal(.text, .subject)
        case (35, 9): .personal(.json, .subject)
        // RunCreated: user.
        case (35, 10): .message
        // RunEventAdded: actor, data.
        case (36, 2): .personal(.text, .subject)
        case (36, 4): .personal(.json, .subject)
        // Reasons of RunStatusChanged, ActionApproved, ActionRejected and ActionFailed.
        case (37, 2), (39, 3), (40, 2), (43, 2): .personal(.text, .subject)
        // ActionBlocked: url, call, stated_capability.
        case (38, 6), (38, 11): .personal(.text, .subject)
        case (38, 9): .message
        // AccessRequested: subject, url, stated_capability.
        case (44, 1): .personal(.name, .subject)
        case (44, 10), (44, 16): .personal(.text, .subject)
        // AccessApproved, AccessRejected and ActionVoted: approver_id, reason.
        case (45, 1), (46, 1), (63, 2): .personal(.name, .actor)
        case (45, 5), (46, 2), (63, 4): .personal(.text, .subject)
        // Signatures of decisions.
        case (39, 5), (40, 3), (45, 6), (46, 3), (63, 5): .message
        // CheckpointSaved, ToolResultRecorded: document.
        case (48, 3), (49, 2): .personal(.json, .subject)
        // InvokeCompleted: response. InvokeFailed: error.
        case (51, 4): .personal(.json, .subject)
        case (52, 4): .personal(.text, .subject)
        // AnswerRecorded: body.
        case (55, 3): .personal(.json, .subject)
        // ToolCallStarted and ToolCalled: call; error, answer.
        case (56, 1), (57, 1): .message
        case (57, 4): .personal(.text, .subject)
        case (57, 7): .personal(.bytes, .subject)
        // ToolCallRefused: url.
        case (59, 3): .personal(.text, .subject)
        // SecretStored and SecretDeleted: name, which says whose consent it is.
        case (61, 3), (62, 3): .personal(.name, .subject)
        // ModelCalled: user_id, error.
        case (65, 7): .personal(.name, .subject)
        case (65, 11): .personal(.text, .subject)
        // ModelAnswerRecorded: answer.
        case (75, 3): .personal(.bytes, .subject)
        // PersonErasureRequested: user_id.
        case (66, 1): .personal(.name, .subject)
        default: .plain
        }
    }

    /// The rule for a field of a message within such a message.
    package static func rule(_ message: UInt64, _ inner: UInt64, _ field: UInt64) -> Rule {
        switch (message, inner, field) {
        // The actor's person: subject, address.
        case (8, 3, 2), (8, 3, 3): .personal(.name, .actor)
        // The user as a token proved them: subject, address.
        case (35, 10, 2), (35, 10, 3): .personal(.name, .subject)
        // BlockedCall: headers, payload.
        case (38, 9, 4): .personal(.json, .subject)
        case (38, 9, 5): .personal(.bytes, .subject)
        // DecisionSignature: principal, sshsig.
        case (39, 5, 1), (40, 3, 1), (45, 6, 1), (46, 3, 1), (63, 5, 1): .personal(.name, .actor)
        case (39, 5, 2), (40, 3, 2), (45, 6, 2), (46, 3, 2), (63, 5, 2): .personal(.bytes, .actor)
        // ToolCall: url.
        case (56, 1, 5), (57, 1, 5): .personal(.text, .subject)
        default: .plain
        }
    }
}
