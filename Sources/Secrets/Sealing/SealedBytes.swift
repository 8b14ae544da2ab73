import Crypto
import Foundation

/// AES-256-GCM with a random nonce: nonce, ciphertext, tag, in this order (NIST SP 800-38D).
enum SealedBytes {
    static let overheadBytes = 28

    /// - Parameter associated: what the bytes belong to; the same has to be given to open them.
    static func seal(
        _ bytes: [UInt8], key: SymmetricKey, associated: [UInt8]
    ) throws(SecretsError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(bytes, using: key, authenticating: associated)
            return [UInt8](box.nonce) + [UInt8](box.ciphertext) + [UInt8](box.tag)
        } catch {
            throw SecretsError(.sealedDamaged, "the bytes could not be sealed")
        }
    }

    /// Seals with a nonce that is known from elsewhere: ciphertext, tag. It must never come twice with the same key.
    static func seal(
        _ bytes: [UInt8], key: SymmetricKey, associated: [UInt8], nonce: [UInt8]
    ) throws(SecretsError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(
                bytes, using: key, nonce: AES.GCM.Nonce(data: nonce), authenticating: associated)
            return [UInt8](box.ciphertext) + [UInt8](box.tag)
        } catch {
            throw SecretsError(.sealedDamaged, "the bytes could not be sealed")
        }
    }

    static func open(
        _ sealed: [UInt8], key: SymmetricKey, associated: [UInt8], nonce: [UInt8]
    ) throws(SecretsError) -> [UInt8] { try open(nonce + sealed, key: key, associated: associated) }

    static func open(
        _ sealed: [UInt8], key: SymmetricKey, associated: [UInt8]
    ) throws(SecretsError) -> [UInt8] {
        do {
            return [UInt8](
                try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: key, authenticating: associated))
        } catch {
            throw SecretsError(
                .sealedDamaged, "what was sealed does not open: it was changed, or belongs to another name or key")
        }
    }
}

/// A ciphertext says how long its plaintext is: short ones are brought to a few lengths first.
enum Padding {
    private static let block = 64
    private static let mark: UInt8 = 0x80

    /// ISO/IEC 7816-4: a mark, then zeros up to the next power of two times the block.
    static func pad(_ bytes: [UInt8]) -> [UInt8] {
        var length = block
        while length < bytes.count + 1 { length *= 2 }
        return bytes + [mark] + [UInt8](repeating: 0, count: length - bytes.count - 1)
    }

    /// `nil` when nothing was padded.
    static func unpad(_ bytes: [UInt8]) -> [UInt8]? {
        guard let end = bytes.lastIndex(where: { $0 != 0 }), bytes[end] == mark else { return nil }
        return Array(bytes[..<end])
    }
}

/// Parts one after the other, each with its length, so that no two lists of parts give the same bytes.
struct AssociatedData {
    private(set) var bytes: [UInt8] = []

    init(_ purpose: String, _ parts: [String]) {
        for part in [purpose] + parts {
            withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes += part.utf8
        }
    }
}
