import Domain
import Gateways
import Testing

/// A refresh that is refused asks for consent again, in whatever words; one that failed does not.
@Suite struct TokenRefusalTests {
    private func code(_ status: UInt, _ text: String, isRefresh: Bool = true) -> CredentialErrorCode? {
        do throws(CredentialError) {
            _ = try HTTPTokenEndpoint.read(status, Array(text.utf8), askedAt: Fixture.start, isRefresh: isRefresh)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        arguments: [
            (400, #"{"error":"invalid_grant"}"#), (401, #"{"error":"invalid_grant"}"#),
            (200, #"{"error":"bad_refresh_token","error_description":"x"}"#),
            (200, "error=bad_refresh_token&error_description=The+refresh+token"),
            (400, #"{"error":"interaction_required","error_codes":[50076]}"#),
            (400, #"{"error":"invalid_request","error_description":"AADSTS9002313"}"#),
            (200, #"{"ok":false,"error":"invalid_refresh_token"}"#), (200, #"{"ok":false,"error":"token_revoked"}"#),
            (200, #"{"ok":false}"#), (403, #"{"error":"access_denied"}"#), (400, #"{"error":{"code":"expired"}}"#),
            (400, ""), (401, "<html>no</html>"), (400, #"{"message":"Refresh token expired"}"#),
        ] as [(UInt, String)])
    func aRefusedRefreshAsksForConsentAgain(status: UInt, text: String) {
        #expect(code(status, text) == .grantRefused)
    }

    @Test(
        arguments: [
            (500, #"{"error":"invalid_grant"}"#), (503, ""), (429, #"{"error":"invalid_grant"}"#), (408, ""),
            (400, #"{"error":"temporarily_unavailable"}"#), (200, #"{"ok":false,"error":"ratelimited"}"#),
        ] as [(UInt, String)])
    func aFailureThatPassesKeepsTheToken(status: UInt, text: String) {
        #expect(code(status, text) == .tokenUnreachable)
    }

    @Test(
        arguments: [
            (401, #"{"error":"invalid_client"}"#), (200, #"{"error":"incorrect_client_credentials"}"#),
            (404, "not here"),
            (302, ""), (200, "<html>sign in</html>"),
        ] as [(UInt, String)])
    func aFaultOfTheClientOrItsSettingsKeepsTheToken(status: UInt, text: String) {
        #expect(code(status, text) == .tokenRefused)
    }

    @Test(
        arguments: [
            ("60", 60), (#""60""#, 60), (#""nan""#, 300), (#""-nan""#, 300), (#""nan(0x7)""#, 300), ("[]", 300),
            (#""inf""#, 31_536_000), ("1e400", 31_536_000), ("-1e400", 0), (#""-infinity""#, 0),
        ] as [(String, Int64)])
    func aLifetimeOfAnyWordingIsReadOrLeftOut(written: String, seconds: Int64) throws {
        let text = #"{"access_token":"t","expires_in":\#(written)}"#
        let token = try HTTPTokenEndpoint.read(200, Array(text.utf8), askedAt: Fixture.start)
        #expect(token.expiresAt == Fixture.start.adding(.seconds(seconds)))
    }

    @Test func otherGrantsAreRefusedInTheWordsOfTheStandardAlone() {
        #expect(code(400, #"{"error":"invalid_grant"}"#, isRefresh: false) == .grantRefused)
        #expect(code(200, #"{"error":"bad_verification_code"}"#, isRefresh: false) == .tokenRefused)
    }
}
