import Domain

/// The things that change after a moment, and which of their earlier events are needed to say what they were.
struct EarlierFacts {
    /// Streams whose first event is still to be found: runs, access requests and keys.
    private var streams: Set<StreamID> = []
    /// Things with a name whose last complete state is still to be found.
    private var things: Set<HistoryThing> = []
    private var seenStreams: Set<StreamID> = []
    private var seenThings: Set<HistoryThing> = []

    /// True when no earlier event is needed any more.
    var isComplete: Bool { streams.isEmpty && things.isEmpty }

    /// Takes up an event that came after the moment; these come in the log's order.
    mutating func note(_ event: Event) {
        if event.stream.kind.hasOwnFacts {
            guard seenStreams.insert(event.stream).inserted, !event.payload.beginsStream else { return }
            streams.insert(event.stream)
        } else if let thing = HistoryThing(named: event) {
            guard seenThings.insert(thing).inserted, !event.payload.isFirstRevision else { return }
            things.insert(thing)
        }
    }

    /// True when an event of that stream may be needed; says so without the event.
    func mayNeed(_ stream: StreamID) -> Bool {
        stream.kind.hasOwnFacts ? streams.contains(stream) : !things.isEmpty
    }

    /// Takes up an earlier event; these come in the reverse of the log's order.
    ///
    /// - Returns: true when it is needed.
    mutating func take(_ event: Event) -> Bool {
        if event.stream.kind.hasOwnFacts {
            guard streams.contains(event.stream) else { return false }
            if event.payload.beginsStream { streams.remove(event.stream) }
            return true
        }
        guard let thing = HistoryThing(named: event), things.contains(thing) else { return false }
        if event.payload.isComplete { things.remove(thing) }
        return true
    }
}

extension StreamID.Kind {
    /// True when the stream is of one thing, whose facts begin with the stream.
    fileprivate var hasOwnFacts: Bool { self == .run || self == .accessRequest || self == .apiKey }
}

extension EventPayload {
    fileprivate var beginsStream: Bool {
        switch self {
        case .runCreated, .accessRequested, .apiKeyCreated: true
        default: false
        }
    }

    /// True when nothing of that name was there before.
    fileprivate var isFirstRevision: Bool {
        if case .resourceStored(let stored) = self { stored.revision == 1 } else { false }
    }

    /// True when the facts after it depend on nothing before it.
    fileprivate var isComplete: Bool {
        switch self {
        case .resourceStored, .resourceDeleted, .secretStored, .secretDeleted: true
        default: false
        }
    }
}
