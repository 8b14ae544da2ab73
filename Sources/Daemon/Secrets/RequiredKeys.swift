import Domain
import Secrets

/// The keys that a log needs and a keyring lacks, folded from the log.
///
/// Memory holds what is erased or lost, not what is there.
struct RequiredKeys {
    private let present: PresentKeys
    private var people: Set<PersonID> = []
    private var secrets: [UUIDValue: DataKeyID] = [:]
    private var payloads: Set<PayloadKeyID> = []
    /// People whose erasure is recorded.
    private(set) var erased: Set<PersonID> = []

    init(_ present: PresentKeys) { self.present = present }

    /// Folds one event.
    ///
    /// - Parameter sealed: the people that something in it is sealed for and cannot be opened.
    mutating func evolve(_ event: Event, closedFor sealed: Set<PersonID>) {
        if !sealed.isEmpty { people.formUnion(sealed.subtracting(erased)) }
        switch event.payload {
        case .personErasureRequested, .personErased:
            erased.insert(PersonID(event.stream.id))
            people.remove(PersonID(event.stream.id))
        case .secretStored(let stored):
            secrets[event.stream.id] = present.contains(stored.sealed.keyID) ? nil : stored.sealed.keyID
        case .secretDeleted: secrets[event.stream.id] = nil
        // The keys that were missing at that time were given up.
        case .keyLossAccepted: (people, secrets, payloads) = ([], [:], [])
        case .actionBlocked(let blocked): take(blocked.call?.payload)
        case .toolCalled(let called): take(called.answer)
        case .modelAnswerRecorded(let recorded): take(recorded.answer)
        default: break
        }
    }

    private mutating func take(_ sealed: [UInt8]?) {
        guard let sealed, let key = PayloadKeyID(sealed: sealed), !present.contains(key) else { return }
        payloads.insert(key)
    }

    /// The keys that are lost.
    ///
    /// - Parameter state: the secrets of now, when the log was folded from a snapshot on.
    func lost(_ state: ActiveState? = nil) -> LostKeys {
        let known = state.map { $0.secrets.values.flatMap { $0.values.map(\.keyID) } } ?? Array(secrets.values)
        return LostKeys(
            people: people.count, secrets: Set(known.filter { !present.contains($0) }),
            payloadDays: present.unexpired(payloads).count)
    }
}

/// Keys that a log needs and that are in no keyring, by kind.
struct LostKeys: Hashable, Sendable {
    let people: Int
    let secrets: Set<DataKeyID>
    /// Keys of payloads: each is for a workspace and a day.
    let payloadDays: Int

    var isEmpty: Bool { people == 0 && secrets.isEmpty && payloadDays == 0 }

    var text: String {
        "\(people) people whose data the log holds, \(secrets.count) secrets and \(payloadDays) days of payloads"
    }

    /// The reason to refuse a start, and the ways out.
    func refusal(_ directory: DataDirectory) -> DaemonError {
        DaemonError(
            .secretsUnusable,
            "the keyring \(directory.keyring) lacks the keys of \(text): put the newest backup's keyring in its place, "
                + "as docs/backup.md says. What the lost keys sealed can never be read again; to give it up, start with "
                + "--accept-key-loss")
    }
}
