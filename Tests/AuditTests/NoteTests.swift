import Audit
import Foundation
import Testing

/// Notes as C2SP signed-note has them, and Go's note package writes them.
@Suite struct NoteTests {
    /// The example of Go's golang.org/x/mod/sumdb/note.
    static let verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    static let signer = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    static let note = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

        """

    @Test func aNoteOfGosPackageIsVerified() throws {
        let key = try #require(NoteVerifier(Self.verifier))
        let note = try #require(SignedNote(Self.note))
        #expect(key.isSigned(note))
        #expect(key.text == Self.verifier)
        #expect(note.note == Self.note)
    }

    @Test func aKeyOfGosPackageSignsTheSameNote() throws {
        let signer = try #require(NoteSigner(Self.signer))
        let note = try #require(SignedNote(Self.note))
        #expect(signer.text == Self.signer)
        #expect(signer.verifier.text == Self.verifier)
        #expect(signer.verifier.isSigned(try signer.sign(note.text)))
    }

    @Test func aNoteWithAnotherTextIsNotSigned() throws {
        let key = try #require(NoteVerifier(Self.verifier))
        let note = try #require(SignedNote(Self.note.replacingOccurrences(of: "answer", with: "amswer")))
        #expect(!key.isSigned(note))
    }

    @Test func aKeyOfTheSameNameDoesNotStandForAnother() throws {
        let note = try NoteSigner(name: "log").sign("text\n")
        #expect(!NoteSigner(name: "log").verifier.isSigned(note))
    }

    @Test(arguments: [
        "", "\n\n", "text", "text\n", "text\n\n", "text\n\nnot a signature\n", "text\n\n\u{2014} name !!!!\n",
        "text\n\n\u{2014} name AAAA\n", "te\u{7}xt\n\n\u{2014} name AAAAAAAA\n", "text\n\n\u{2014} name AAAAAAAA",
        "text\n\n\u{2014} na+me AAAAAAAA\n",
    ])
    func whatIsNoNoteIsRefused(_ text: String) {
        #expect(SignedNote(text) == nil)
    }

    @Test(arguments: [
        "", "+", "a+b+c", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+AQ==",
    ])
    func whatIsNoKeyIsRefused(_ text: String) {
        #expect(NoteVerifier(text) == nil)
        #expect(NoteSigner(text) == nil)
    }

    @Test func newKeysHaveNamesOfTheirOwn() throws {
        let signer = NoteSigner()
        #expect(signer.name != NoteSigner().name)
        #expect(NoteSigner(signer.text)?.verifier == signer.verifier)
    }

    @Test(arguments: [
        "", "a\n1\n", "a\n01\n\n", "a\n1\nAAAA\n", "\n1\n" + Data(count: 32).base64EncodedString() + "\n",
    ])
    func whatIsNoCheckpointIsRefused(_ text: String) {
        #expect(Checkpoint(text) == nil)
    }
}
