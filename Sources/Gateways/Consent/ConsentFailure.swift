/// The reason why a person's consent is not taken, in words for that person.
package struct ConsentFailure: Error, Hashable, Sendable {
    package let status: Int
    package let message: String

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    static let notWaiting = ConsentFailure(410, "Nothing waits for this consent any more.")
    static let otherBrowser = ConsentFailure(
        403,
        "This answer came from another browser than the one that opened the link, so nothing was done with it. Open the "
            + "link again, and stay in one browser; cookies must be allowed.")
    static let notSignedIn = ConsentFailure(
        401,
        "This consent is given after signing in. Open the link from the application in which you use the agent: it sends "
            + "your token along.")

    static func otherUser(_ signedIn: String, of user: String) -> ConsentFailure {
        ConsentFailure(403, "You are signed in as \(signedIn), and this consent is for \(user) to give.")
    }
}
