package import Domain

/// What is otherwise at one position of the log than at an earlier one.
package struct HistoryDiff {
    /// A thing that is new, gone, or has other fields than before.
    package struct Change: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable { case created, changed, deleted }

        package struct Field: Hashable, Sendable {
            /// Members of members are parted by dots.
            package let name: String
            package let before: JSONText?
            package let after: JSONText?
        }

        package let kind: Kind
        package let thing: HistoryThing
        /// Sorted by name.
        package let fields: [Field]
    }

    private var facts = HistoryFacts()
    private var hasBegun = false
    /// The last event that was folded.
    package private(set) var position = Position.zero
    /// The last one before `begin`.
    package private(set) var start = Position.zero
    /// How many events of each type there were since.
    package private(set) var eventCounts: [String: Int] = [:]

    package init() {}

    /// From here on changes count. The end of a run's life before is forgotten: nothing of it changes any more.
    ///
    /// - Parameter position: the last event that is not later than the first moment. Of the events before, those are
    ///   enough that say what the things were which change later.
    package mutating func begin(after position: Position) {
        hasBegun = true
        facts.watch()
        self.position = position
        start = position
    }

    /// Folds the next event.
    package mutating func add(_ recorded: RecordedEvent) {
        position = recorded.position
        if hasBegun { eventCounts[recorded.event.payload.typeName, default: 0] += 1 }
        facts.evolve(recorded)
    }

    /// What has changed, sorted; what was changed and changed back is not in it.
    package var changes: [Change] {
        facts.before.keys.sorted().compactMap { thing in
            let (old, new) = (facts.before[thing] ?? nil, facts.things[thing])
            let fields = Self.fields(old.map(Self.flat) ?? [:], new.map(Self.flat) ?? [:])
            return switch (old, new) {
            case (nil, nil): nil
            case (nil, _): Change(kind: .created, thing: thing, fields: fields)
            case (_, nil): Change(kind: .deleted, thing: thing, fields: [])
            default: fields.isEmpty ? nil : Change(kind: .changed, thing: thing, fields: fields)
            }
        }
    }

    private static func fields(_ old: [String: JSONText], _ new: [String: JSONText]) -> [Change.Field] {
        Set(old.keys).union(new.keys).sorted().compactMap { name in
            old[name] == new[name] ? nil : Change.Field(name: name, before: old[name], after: new[name])
        }
    }

    /// Documents by their members' members; arrays are values.
    private static func flat(_ facts: HistoryFacts.Facts) -> [String: JSONText] {
        var fields: [String: JSONText] = [:]
        for (name, value) in facts { flatten(value.value, name, into: &fields) }
        return fields
    }

    private static func flatten(_ value: JSONValue, _ name: String, into fields: inout [String: JSONText]) {
        guard case .object(let members) = value, !members.isEmpty else {
            fields[name] = value.text
            return
        }
        for member in members {
            flatten(member.value, name.isEmpty ? member.name : "\(name).\(member.name)", into: &fields)
        }
    }
}
