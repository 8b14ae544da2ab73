import Domain
import Gateways
import Testing

/// A service's wish for a pause is heeded, within bounds.
@Suite struct RetryAfterTests {
    /// 2026-09-21T14:13:20Z
    private let now = Timestamp(microseconds: 1_790_000_000_000_000)

    @Test(arguments: [
        ("0", 0), ("7", 7), (" 120 ", 120), ("3600", 3600), ("86400", 3600), ("99999999999999999999", 3600),
        ("Mon, 21 Sep 2026 14:13:50 GMT", 30), ("Monday, 21-Sep-26 14:13:50 GMT", 30),
        ("Mon Sep 21 14:13:50 2026", 30), ("Mon, 21 Sep 2026 14:00:00 GMT", 0), ("Tue, 22 Sep 2026 14:13:20 GMT", 3600),
    ])
    func secondsAndDatesAreRead(text: String, seconds: Int) {
        #expect(RetryAfter.pause(text, at: now) == .seconds(seconds))
    }

    @Test(arguments: [
        "", "soon", "-1", "1.5", "Mon, 31 Feb 2026 14:13:50 GMT", "Mon, 21 Sep 2026 14:13:50",
        "Mon, 21 Xyz 2026 1:2:3 GMT",
    ])
    func otherTextsAreNot(text: String) {
        #expect(RetryAfter.pause(text, at: now) == nil)
    }
}
