import Domain
import Testing

@Suite struct ValuesTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"), (1_790_000_000_123_456, "2026-09-21T14:13:20.123456Z"),
        (-1, "1969-12-31T23:59:59.999999Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
    ])
    func timestampsAreRFC3339InBothDirections(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "2026-09-21", "2026-13-01T00:00:00Z", "2026-09-21T24:00:00Z", "x", "2026-09-21T14:13:20",
        "2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-09-21T14:13:60Z", "2026-09-21T14:13:20+99:99", "2026-09-21T14:13:20+24:00", "2026-09-21T14:13:20-01:60",
        "2026-00-10T00:00:00Z", "2026-01-00T00:00:00Z", "2026-09-21T14:60:00Z",
    ])
    func textThatIsNoTimestampIsRefused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func offsetsAreConvertedToUTC() {
        #expect(Timestamp(rfc3339: "2026-09-21T16:13:20.5+02:00")?.description == "2026-09-21T14:13:20.500000Z")
    }

    @Test func theTimeBetweenTimesHasNoEndToFallOff() {
        let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(last.since(first) == .microseconds(Int64.max) && first.since(last) == .microseconds(Int64.min))
        #expect(first.since(first) == .zero && last.since(Timestamp(microseconds: 0)) == .microseconds(Int64.max))
    }

    @Test(arguments: [("30m", 1800), ("4h", 14_400), ("1d", 86_400), ("90s", 90)])
    func durationsAreReadAndWritten(text: String, seconds: Int) {
        #expect(DurationText.parse(text) == .seconds(seconds))
        #expect(DurationText.parse(DurationText.format(.seconds(seconds))) == .seconds(seconds))
    }

    @Test(arguments: ["", "0m", "-1h", "4", "h", "4w", "1.5h", "99999999999999999999d", "99999d", "٣m"])
    func textThatIsNoDurationIsRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: ["", "0193", "01930000-0000-7000-8000-00000000000g", "01930000_0000_7000_8000_000000000001"])
    func textThatIsNoUUIDIsRefused(text: String) {
        #expect(UUIDValue(text: text) == nil)
    }

    @Test func uuidTextAndBytesAreBothFaithful() throws {
        let value = UUIDValue(high: 0x0193_abcd_ef01_7234, low: 0x8765_4321_0fed_cba9)
        #expect(value.text == "0193abcd-ef01-7234-8765-43210fedcba9")
        #expect(UUIDValue(text: value.text.uppercased()) == value)
        #expect(value.withUnsafeBytes { Array($0.prefix(3)) } == [0x01, 0x93, 0xab])
        #expect(value.withUnsafeBytes { UUIDValue(bytes: $0) } == value)
        #expect([UInt8](repeating: 1, count: 15).withUnsafeBytes { UUIDValue(bytes: $0) } == nil)
    }

    @Test(arguments: ["", "-a", "a-", "A", "a_b", "a/b", String(repeating: "a", count: 64)])
    func workspaceNamesAreLabels(text: String) {
        #expect(WorkspaceName(text) == nil)
    }
}
