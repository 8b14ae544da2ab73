import Domain
import EventStore
import Secrets

/// Seals what events say of people with keys of the keyring.
struct PersonKeys: PersonalDataCipher {
    let vault: SecretVault
    /// Receives what cannot be opened while the log is folded at the start.
    var closed: ClosedSeals?

    func makeKeys(of people: [PersonName: Actor]) async throws(EventStoreError) {
        do throws(SecretsError) {
            try await vault.makeKeys(of: people)
        } catch {
            throw EventStoreError(error)
        }
    }

    func seal(
        _ values: [UInt8], of person: PersonName, in event: EventID, isActor: Bool
    ) throws(EventStoreError) -> (personID: PersonID, salt: [UInt8], ciphertext: [UInt8])? {
        do throws(SecretsError) {
            let place = SealedPlace(event, isActor: isActor)
            return try vault.seal(values, of: person, at: place).map { ($0.personID, $0.salt, $0.sealed) }
        } catch {
            throw EventStoreError(error)
        }
    }

    func open(_ seal: PersonalSeal, in event: EventID) -> PersonalData {
        let data = OpenedPeople(keys: vault.people).open(seal, in: event)
        if data == .erased { closed?.note(seal.personID, in: event) }
        return data
    }
}

/// Opens what events say of people with keys of a keyring.
struct OpenedPeople: PersonalDataReader {
    let keys: PeopleKeys

    func open(_ seal: PersonalSeal, in event: EventID) -> PersonalData {
        do throws(SecretsError) {
            let place = SealedPlace(event, isActor: seal.isActor)
            let (salt, values) = try keys.open(seal.ciphertext, of: seal.personID, at: place)
            return .plaintext(salt + values)
        } catch {
            // Anything but a missing key is a keyring of another log: what it seals stays sealed.
            return error.code == .keyDestroyed ? .erased : .unavailable
        }
    }
}

extension EventStoreError {
    /// No event may be written whose key is not durable: that is as bad as a log that cannot be written.
    fileprivate init(_ error: SecretsError) {
        switch error.code {
        case .keyringNoSpace: self = .backend(.noSpace(error.description))
        default: self = .backend(.stopped(error.description))
        }
    }
}

extension SealedPlace {
    fileprivate init(_ event: EventID, isActor: Bool) { self.init(event.value, isActor ? "actor" : "subject") }
}
