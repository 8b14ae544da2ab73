package import Domain
import EventLog

/// What the personal fields of one event held, sealed with a key that the person has for themselves.
package struct PersonalSeal: Hashable, Sendable {
    /// Made from the key: once that is destroyed, nothing says whose it was.
    package let personID: PersonID
    /// A hash of the plaintext, which has secret bytes in it: it says nothing of what it is a hash of, and whoever is
    /// shown a plaintext can tell whether it is the one.
    package let commitment: [UInt8]
    package let ciphertext: [UInt8]
    /// Whether these are the fields that say who caused the event, or all others.
    package let isActor: Bool

    package init(personID: PersonID, commitment: [UInt8], ciphertext: [UInt8], isActor: Bool) {
        self.personID = personID
        self.commitment = commitment
        self.ciphertext = ciphertext
        self.isActor = isActor
    }

    /// Whether the commitment is to that plaintext.
    package func isCommitment(to plaintext: [UInt8]) -> Bool { Self.commitment(to: plaintext) == commitment }

    static func commitment(to plaintext: [UInt8]) -> [UInt8] { MerkleHash.leaf(plaintext) }
}

/// What becomes of a seal.
package enum PersonalData: Hashable, Sendable {
    case plaintext([UInt8])
    /// The key is destroyed.
    case erased
    /// Whoever reads has no keys.
    case unavailable
}

/// Opens what is sealed in records.
package protocol PersonalDataReader: Sendable {
    /// - Parameter event: the seal's own event; it opens in no other.
    func open(_ seal: PersonalSeal, in event: EventID) -> PersonalData
}

/// Seals what records say of people, each person's with a key of their own.
package protocol PersonalDataCipher: PersonalDataReader {
    /// Makes the keys that are not there yet; they are durable on return.
    ///
    /// - Parameter people: each with the actor that names them, for whom a new key counts.
    func makeKeys(of people: [PersonName: Actor]) async throws(EventStoreError)

    /// Seals what the fields of an event held; `nil` when the person has no key, or has lost it since `makeKeys` made it.
    ///
    /// - Returns: the ciphertext, and 16 bytes that nobody knows who has not the key: with them before it, what is sealed
    ///   is the plaintext.
    func seal(
        _ values: [UInt8], of person: PersonName, in event: EventID, isActor: Bool
    ) throws(EventStoreError) -> (personID: PersonID, salt: [UInt8], ciphertext: [UInt8])?
}

/// Reads a log without the keys: what is sealed stays so.
package struct WithoutKeys: PersonalDataReader {
    package init() {}

    package func open(_ seal: PersonalSeal, in event: EventID) -> PersonalData { .unavailable }
}

extension PersonalSeal {
    func write(to writer: inout WireWriter) {
        writer.add(1, personID)
        writer.add(2, commitment)
        writer.add(3, ciphertext)
        writer.add(4, isActor)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var personID: PersonID?
        var (commitment, ciphertext, isActor): ([UInt8], [UInt8], Bool) = ([], [], false)
        while let field = try reader.next() {
            switch field {
            case 1: personID = try reader.id("personal.person_id")
            case 2: commitment = try reader.byteArray()
            case 3: ciphertext = try reader.byteArray()
            case 4: isActor = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(
            personID: try required(personID, "personal.person_id"), commitment: commitment, ciphertext: ciphertext,
            isActor: isActor)
    }
}
