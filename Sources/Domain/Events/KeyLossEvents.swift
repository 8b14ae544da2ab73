/// The operator has accepted that keys are lost which the log needs: what they sealed in earlier events can never be read
/// again.
package struct KeyLossAccepted: Hashable, Sendable {
    /// People whose data cannot be read.
    package let people: UInt64
    /// Secrets that are deleted because they cannot be opened.
    package let secrets: UInt64
    /// Days of workspaces whose payloads cannot be opened.
    package let payloadDays: UInt64

    package init(people: UInt64, secrets: UInt64, payloadDays: UInt64) {
        self.people = people
        self.secrets = secrets
        self.payloadDays = payloadDays
    }
}
