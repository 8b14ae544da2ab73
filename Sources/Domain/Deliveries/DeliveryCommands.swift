/// A decision by the link of a message.
package struct DecideByLink: Hashable, Sendable {
    package let deliveryID: DeliveryID
    /// SHA-256 of the secret that came.
    package let digest: [UInt8]
    package let approves: Bool
    /// The hash that whoever decides saw.
    package let payloadHash: PayloadHash?
    package let reason: String?

    package init(
        deliveryID: DeliveryID, digest: [UInt8], approves: Bool, payloadHash: PayloadHash?, reason: String?
    ) {
        self.deliveryID = deliveryID
        self.digest = digest
        self.approves = approves
        self.payloadHash = payloadHash
        self.reason = reason
    }
}
