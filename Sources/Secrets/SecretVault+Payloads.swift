package import Domain

/// What a sealed payload of a run belongs to: it opens for this and for nothing else.
package struct PayloadScope: Hashable, Sendable {
    package let workspace: WorkspaceName
    package let runID: RunID
    /// What it is within the run, such as `blocked-body/<action>`.
    package let name: String

    package init(workspace: WorkspaceName, runID: RunID, name: String) {
        self.workspace = workspace
        self.runID = runID
        self.name = name
    }
}

/// Payloads of runs: a key for each workspace and day (UTC), so that old ones can be given up a day at a time.
extension SecretVault {
    /// Seals bytes under the key of the time's day, which is durable when this returns. Once that key is there nothing
    /// is waited for.
    ///
    /// - Returns: the sealed bytes, which say what key opens them; 40 to 120 bytes longer than they were.
    package func seal(
        _ bytes: [UInt8], for scope: PayloadScope, at time: Timestamp
    ) async throws(SecretsError) -> [UInt8] {
        let id = PayloadKeyID.prefix + scope.workspace.text + "/" + Self.day(time)
        let key = try await keyring.key(id)
        let sealed = try SealedBytes.seal(bytes, key: key, associated: scope.associated(id))
        return [1, UInt8(id.utf8.count)] + Array(id.utf8) + sealed
    }

    /// - Throws: `keyDestroyed` when its day has been given up; `sealedDamaged` when it is another scope's.
    package func open(_ sealed: [UInt8], for scope: PayloadScope) throws(SecretsError) -> [UInt8] {
        guard let id = PayloadKeyID(sealed: sealed)?.text else {
            throw SecretsError(.sealedDamaged, "these are no sealed bytes")
        }
        let key = try keyring.existingKey(id)
        return try SealedBytes.open(
            Array(sealed[(2 + id.utf8.count)...]), key: key, associated: scope.associated(id))
    }

    /// Destroys the keys of every day that ended before the time's day began: their payloads are unrecoverable. The
    /// keyring keeps that day, so that a key which is missing for another reason is found.
    ///
    /// - Returns: the number of keys that there were.
    package func destroyPayloadKeys(before time: Timestamp) async throws(SecretsError) -> Int {
        let day = PayloadDay(Self.day(time))
        let old = keyring.index.textIDs.filter { id in PayloadKeyID(id).map { $0.day < day } ?? false }
        try await keyring.file.destroy(old, payloadsBefore: day)
        return old.count
    }

    /// `2026-07-23`; such texts sort as their days do.
    private static func day(_ time: Timestamp) -> String { String(time.description.prefix(10)) }
}

extension PayloadScope {
    fileprivate func associated(_ keyID: String) -> [UInt8] {
        AssociatedData("sluice payload 1", [workspace.text, runID.description, name, keyID]).bytes
    }
}

/// The name of a payload key in the keyring.
package struct PayloadKeyID: Hashable, Sendable {
    fileprivate static let prefix = "payload/"

    let text: String
    let day: PayloadDay

    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let date = text.split(separator: "/").last else { return nil }
        self.text = text
        day = PayloadDay(date)
    }

    /// Reads the name of the key that sealed bytes begin with; `nil` for other bytes.
    package init?(sealed: [UInt8]) {
        guard sealed.count > 2, sealed[0] == 1, sealed.count > 2 + Int(sealed[1]),
            let text = String(validating: sealed[2..<2 + Int(sealed[1])], as: UTF8.self)
        else { return nil }
        self.init(text)
    }
}

/// A day (UTC) of payloads.
struct PayloadDay: Hashable, Comparable, Sendable {
    /// Before all days.
    static let none = PayloadDay(number: 0)

    /// 20260723 for July 23, 2026.
    let number: UInt64

    init(number: UInt64) { self.number = number }

    /// - Parameter text: `2026-07-23`.
    init(_ text: some StringProtocol) { number = UInt64(String(text.filter { $0 != "-" })) ?? 0 }

    static func < (left: PayloadDay, right: PayloadDay) -> Bool { left.number < right.number }

    /// The first day whose keys have to be in a keyring; `nil` when nothing is known of that.
    ///
    /// - Parameters:
    ///   - recorded: the day that the keyring has recorded.
    ///   - ids: its keys. Without a recorded day they decide: retention destroys the oldest days first.
    static func firstRequired(_ recorded: PayloadDay, _ ids: some Sequence<String>) -> PayloadDay? {
        recorded > .none ? recorded : ids.lazy.compactMap { PayloadKeyID($0)?.day }.min()
    }
}
