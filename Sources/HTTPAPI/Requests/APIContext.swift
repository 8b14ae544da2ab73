import Domain
import Gateways
package import Hummingbird
import Logging
import NIOCore

/// What the middlewares find out about a request.
package struct APIContext: RequestContext {
    /// Behind one reference, because every middleware copies the context.
    private final class SignedIn: Sendable {
        let principal: Principal

        init(_ principal: Principal) { self.principal = principal }
    }

    package var coreContext: CoreRequestContextStorage
    private var signedIn: SignedIn?
    /// The client that sent the request, once it has signed in.
    var caller: CallerPresence?
    var requestID = ""
    /// The shared resources that the request has taken; `nil` for one without a principal.
    var holdings: RequestHoldings?
    /// The client's connection.
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The caller, once it has signed in.
    var principal: Principal? {
        get { signedIn?.principal }
        set { signedIn = newValue.map(SignedIn.init) }
    }
}

/// Who a request comes from, and for which workspace.
struct Principal: Sendable {
    /// A key, or a person who signed in.
    let caller: Actor.Kind
    let name: String
    /// `nil` for a person who may do nothing but invoke agents.
    let role: Role?
    let workspace: WorkspaceName
    /// The groups of approvers that the key stands for, or the person is in.
    let groups: [String]
    /// The agent that the key is for; `nil` when it may speak for any.
    let agent: String?
    /// True for an agent that Sluice runs, known by its instance's token.
    var isManagedAgent = false
    /// The runs that the instance of an agent that Sluice runs is called for.
    var turns: Set<RunID>?
    /// True for such an instance until it is called for a run.
    var isStarting = false
    /// Whom a token proves that came with the request: the caller itself, or whom its key acts for.
    var endUser: EndUser?
    /// The standing of the access that admitted the principal, at a moment.
    var access: @Sendable (AccessTime) -> AccessStanding

    var actor: Actor { Actor(kind: caller, name: name) }

    /// True for an admin of the default workspace, who may enter every other one.
    var mayChooseWorkspace: Bool { role == .admin && workspace == .default }

    /// The agent, for the writer; `nil` for every other role.
    var actingAgent: ActingAgent? {
        role == .agent ? ActingAgent(name: agent, isManaged: isManagedAgent, turns: turns, isStarting: isStarting) : nil
    }

    /// What to tell the writer of a person's groups; those of keys it knows.
    var actorGroups: [String] {
        switch caller {
        case .person: groups
        case .apiKey, .decisionLink, .system: []
        }
    }

    /// What tells its requests from everybody else's.
    var scope: String { endUser.map { "\(callerScope)\n\($0.provider)\n\($0.userID)" } ?? callerScope }

    /// The same for all whom it acts for.
    var callerScope: String {
        switch caller {
        case .apiKey(let id): id.description
        case .person(let person): "person\n\(person.provider)\n\(person.subject)"
        case .decisionLink(let link): "link\n\(link.deliveryID)"
        case .system: "system"
        }
    }
}

/// A person whose token was verified.
struct EndUser: Hashable, Sendable {
    let workspace: WorkspaceName
    let person: Person
    let userID: String

    /// The name of the identity provider.
    var provider: String { person.provider }
}

/// Which of the two published APIs a path belongs to.
enum Era: Sendable {
    /// `/api/…`, `/runs`, `/governance/requests`.
    case v1alpha
    /// `/api/v1/…`.
    case v1

    init(path: String) { self = path == "/api/v1" || path.hasPrefix("/api/v1/") ? .v1 : .v1alpha }
}
