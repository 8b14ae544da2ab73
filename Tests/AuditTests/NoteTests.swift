import Audit
import Testing

@Suite struct NoteTests {
    @Test func aKeysIDDependsOnItsName() {
        let key = [UInt8](repeating: 7, count: 32)
        #expect(
            NoteVerifier(name: "one", kind: .note, publicKey: key).keyID
                != NoteVerifier(name: "two", kind: .note, publicKey: key).keyID)
    }
}
