import Domain
import EventStreaming
import Testing

@Suite struct TimelineVocabularyTests {
    /// The types that the published document of the current API lists.
    private static let published: Set = [
        "USER_MESSAGE", "AGENT_MESSAGE", "TOOL_REQUEST", "TOOL_RESPONSE", "APPROVAL_REQUIRED", "CONSENT_REQUIRED",
        "APPROVED", "REJECTED", "RESUMED", "RUN_CREATED", "INVOKE_REQUESTED", "INVOKE_COMPLETED", "INVOKE_FAILED",
        "TOOL_CALLED", "COMPLETED", "FAILED",
    ]

    @Test func everyTypeOfTheServerHasAPublishedNameThatFindsIt() {
        for type in TimelineType.allCases {
            let names = Self.published.filter { TimelineVocabulary.v1.recordedTypes($0).contains(type.rawValue) }
            #expect(names.count == 1, "\(type.rawValue) is shown as \(names)")
        }
    }

    @Test func olderNamesAreThoseOfTheLog() {
        for type in TimelineType.allCases {
            #expect(TimelineVocabulary.v1alpha.recordedTypes(type.rawValue) == [type.rawValue])
        }
        #expect(TimelineVocabulary.v1.recordedTypes("a type of a client's") == ["a type of a client's"])
    }
}
