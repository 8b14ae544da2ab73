import Crypto

/// A secret that ties the way to another site and back to one browser, which holds it in a cookie.
package struct BrowserBinding: Hashable, Sendable {
    /// The name of the cookie; of each way a name of its own, so that several may be open in one browser.
    package let name: String
    package let value: String
    /// True when the cookie is for TLS alone.
    package let isSecure: Bool

    init(state: String, value: String, isSecure: Bool) {
        let digest = SHA256.hash(data: Array("consent cookie\n\(state)".utf8))
        name = (isSecure ? "__Host-" : "") + "sluice-consent-" + digest.prefix(8).hexText
        self.value = value
        self.isSecure = isSecure
    }

    /// The field `Set-Cookie` that sets the cookie.
    package var cookie: String { field(value, secondsMax: 600) }

    /// The field `Set-Cookie` that removes the cookie.
    package var removal: String { field("", secondsMax: 0) }

    /// `Lax`: the way back is a navigation from another site, and requests of other kinds bring no cookie.
    private func field(_ value: String, secondsMax: Int) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(secondsMax); HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
    }
}

/// A page of another site to send a person to, and the cookie that they come back with.
package struct Departure: Sendable {
    package let url: String
    package let binding: BrowserBinding
}
