import Crypto
import Domain
import Secrets

/// A keyring and its master key in memory, as a daemon opens them.
struct KeyringWorld {
    static let path = "/data/keyring"
    static let files = [path, path + ".second", path + ".id"]
    static let value: [UInt8] = [1, 2, 3]

    let storage: SimulatedKeyStorage

    init(_ storage: SimulatedKeyStorage = SimulatedKeyStorage()) { self.storage = storage }

    var masterKeyFile: MasterKeyFile { MasterKeyFile(path: "/data/master.key", storage: storage) }

    func keyring(isFirstStart: Bool = false, acceptsLoss: Bool = false) throws(SecretsError) -> Keyring {
        try Keyring.open(
            path: Self.path, configured: nil, masterKeyFile: masterKeyFile, isFirstStart: isFirstStart,
            acceptsLoss: acceptsLoss)
    }

    func vault(isFirstStart: Bool = false, acceptsLoss: Bool = false) async throws(SecretsError) -> SecretVault {
        try await SecretVault(try keyring(isFirstStart: isFirstStart, acceptsLoss: acceptsLoss)) {
            UUIDValue(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
        }
    }

    func rotate() throws(SecretsError) -> Int {
        try Keyring.rotateMasterKey(
            path: Self.path, configured: nil, successor: nil, masterKeyFile: masterKeyFile)
    }

    /// Makes a keyring with that many secrets.
    static func made(secrets count: Int) async throws -> (world: KeyringWorld, sealed: [SealedSecret]) {
        let world = KeyringWorld()
        let secrets = Array(repeating: (reference: VaultFixture.reference(), value: value), count: count)
        return (world, try await world.vault(isFirstStart: true).seal(secrets))
    }

    /// The same files, for one more experiment.
    func copy() -> KeyringWorld { KeyringWorld(storage.survivor(.kept)) }

    /// The number of these secrets that open.
    func openCount(_ sealed: [SealedSecret], _ vault: SecretVault) -> Int {
        sealed.count { (try? vault.open($0, of: VaultFixture.reference())) == Self.value }
    }

    /// Slots of a file that hold keys, by place.
    func slots(_ path: String = path) -> [Int: [UInt8]] {
        let bytes = storage[path] ?? []
        let slots = stride(from: 256, to: bytes.count, by: 256).map { ($0 / 256, Array(bytes[$0..<$0 + 256])) }
        return Dictionary(uniqueKeysWithValues: slots.filter { $0.1.contains { $0 != 0 } })
    }

    /// Rewrites the files as a version wrote them that kept no notes.
    func asSecondFormat() {
        let noteStart = 216
        for path in Self.files[..<2] {
            let bytes = storage[path] ?? []
            var (body, lanes): ([UInt8], [UInt64]) = ([], [0, 0, 0, 0])
            for start in stride(from: 256, to: bytes.count, by: 256) {
                let slot = Self.sealed(Array(bytes[start..<start + noteStart]))
                body += slot
                let hash = Array(SHA256.hash(data: slot[..<248]))
                for lane in 0..<4 {
                    lanes[lane] &+= hash[(8 * lane)..<(8 * lane + 8)].reduce(0) { $0 << 8 | UInt64($1) }
                }
            }
            var header = Array(bytes[..<125])
            header[8] = 2
            for lane in lanes { withUnsafeBytes(of: lane.bigEndian) { header += $0 } }
            storage[path] = Self.sealed(header) + body
        }
    }

    /// Rewrites the files as a version wrote them that kept the keyring once, with those slots.
    func asFirstFormat() throws {
        let (bytes, size) = (storage[Self.path] ?? [], 256)
        let header = Array("SLUICKEY".utf8) + [1] + Array(bytes[9..<69])
        let file = KeyringWorld.sealed(header) + bytes[size...]
        for path in Self.files { storage[path] = nil }
        storage[Self.path] = file
    }
}
