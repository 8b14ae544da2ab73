import Domain
import Foundation

extension EventDocument {
    /// A decision's signature; nothing for a decision without one.
    static func add(_ signature: DecisionSignature?, to json: inout JSONObject) {
        guard let signature else { return }
        json.add(
            "signature",
            JSONText.object { json in
                json.add("principal", signature.principal)
                json.add("sshsig", Data(signature.bytes).base64EncodedString())
                json.add("scope", signature.grant?.scope.rawValue)
                json.add("duration", signature.grant.map { DurationText.format($0.duration) })
            })
    }
}
