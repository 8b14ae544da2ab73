/// A UUID that says what it identifies, so that a run's id cannot be passed for an action's.
package struct Identifier<Entity>: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let value: UUIDValue

    package init(_ value: UUIDValue) { self.value = value }

    /// Reads the canonical UUID text; `nil` for anything else.
    package init?(_ text: String) {
        guard let value = UUIDValue(text: text) else { return nil }
        self.init(value)
    }

    package var description: String { value.text }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

package enum RunEntity {}
package enum ActionEntity {}
package enum AccessRequestEntity {}
package enum APIKeyEntity {}
package enum ResourceEntity {}
package enum CheckpointEntity {}
package enum EventEntity {}
package enum ToolCallEntity {}
package enum ModelCallEntity {}
package enum SecretEntity {}
package enum DataKeyEntity {}
package enum DeliveryEntity {}
package enum AnalysisEntity {}
package enum BuildEntity {}
package enum PersonEntity {}
package enum ControlEntity {}

package typealias RunID = Identifier<RunEntity>
package typealias ActionID = Identifier<ActionEntity>
package typealias AccessRequestID = Identifier<AccessRequestEntity>
package typealias APIKeyID = Identifier<APIKeyEntity>
package typealias ResourceID = Identifier<ResourceEntity>
package typealias CheckpointID = Identifier<CheckpointEntity>
package typealias EventID = Identifier<EventEntity>
package typealias ToolCallID = Identifier<ToolCallEntity>
package typealias ModelCallID = Identifier<ModelCallEntity>
package typealias SecretID = Identifier<SecretEntity>
package typealias DataKeyID = Identifier<DataKeyEntity>
package typealias DeliveryID = Identifier<DeliveryEntity>
package typealias AnalysisID = Identifier<AnalysisEntity>
package typealias BuildID = Identifier<BuildEntity>
package typealias ControlID = Identifier<ControlEntity>
/// A person as the log knows them: made from the key that their data is sealed with, and of no meaning without it.
package typealias PersonID = Identifier<PersonEntity>

/// The place of an event in the log: dense from 1. Zero stands before the first event.
package struct Position: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    /// Before the first event.
    package static let zero = Position(0)

    package var next: Position { Position(value + 1) }
    package var description: String { String(value) }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// A workspace (an old client's namespace): the border of every resource, run and key.
package struct WorkspaceName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Accepts a DNS label (RFC 1123): 1-63 of `a-z`, `0-9` and `-`, not at either end.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-"),
            bytes.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            })
        else { return nil }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    package static let `default` = WorkspaceName(unchecked: "default")

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
