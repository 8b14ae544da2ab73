import SwiftProtobuf

/// Brings records of older schema versions to the current one, a step a version.
///
/// A step reads what its version wrote and returns the same fact as the next version writes it. The log itself is
/// never rewritten; `schemas/golden/` keeps records of every released version and the tests replay them.
enum Upcasting {
    typealias Step = @Sendable (Proto) throws -> Proto

    /// `steps[v]` turns version v into v + 1. Version 1 is the first, so there is none yet.
    static let steps: [UInt32: Step] = [:]

    static func upcast(
        _ envelope: Proto, to version: UInt32 = EventCodec.schemaVersion, steps: [UInt32: Step] = steps
    ) throws -> Proto {
        guard envelope.schemaVersion != version else { return envelope }
        guard envelope.schemaVersion < version else {
            throw MalformedRecord(
                "it was written with schema version \(envelope.schemaVersion), and this sluice knows \(version): "
                    + "upgrade sluice")
        }
        var upcast = envelope
        while upcast.schemaVersion < version {
            guard let step = steps[upcast.schemaVersion] else {
                throw MalformedRecord("schema version \(upcast.schemaVersion) was never released")
            }
            let before = upcast.schemaVersion
            upcast = try step(upcast)
            upcast.schemaVersion = before + 1
        }
        return upcast
    }
}
