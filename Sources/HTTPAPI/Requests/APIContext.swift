import Domain
package import Hummingbird
import Logging
import NIOCore

/// What the middlewares find out about a request.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    var principal: Principal?
    var requestID = ""
    /// The client's connection.
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// Who a request comes from, and for which workspace.
struct Principal: Sendable {
    let keyID: APIKeyID
    let name: String
    let role: Role
    let workspace: WorkspaceName
    /// The groups of approvers that the key stands for.
    let groups: [String]
    /// The agent that the key is for; `nil` when it may speak for any.
    let agent: String?

    var actor: Actor { Actor(kind: .apiKey(keyID), name: name) }
}

/// Which of the two published APIs a path belongs to.
enum Era: Sendable {
    /// `/api/…`, `/runs`, `/governance/requests`: documented fields and the names that old clients read.
    case v1alpha
    /// `/api/v1/…`: documented fields alone.
    case v1

    init(path: String) { self = path == "/api/v1" || path.hasPrefix("/api/v1/") ? .v1 : .v1alpha }
}
