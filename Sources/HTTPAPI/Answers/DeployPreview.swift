import Domain
import EventStreaming

/// What a deploy would lead to, in the published words.
struct DeployPreview: Hashable, Sendable {
    let outlook: AgentRecords.Outlook

    var json: JSONText {
        .object { json in
            json.add("user_state", userState)
            json.add("state_label", label)
            json.add("eta_range", duration)
            json.add("confidence", confidence)
            json.add("short_reason", reason)
            json.add(
                "advanced_details",
                JSONText.object { details in
                    details.add("execution_mode", execution.mode)
                    details.add("build_required", buildProfile != nil)
                    details.add("build_profile", buildProfile)
                    details.add("decision_reason", reason)
                    details.add("execution_kind", execution.kind)
                    details.add("support_level", isSupported ? "supported" : "unsupported")
                })
        }
    }

    private var isSupported: Bool { if case .fails = outlook { false } else { true } }

    private var userState: String {
        switch outlook {
        case .isElsewhere, .isBuilt: "instant"
        case .isInstalled, .isFetched: "preparing_runtime"
        case .fails: "compatibility_setup"
        }
    }

    private var label: String {
        switch outlook {
        case .isElsewhere, .isBuilt: "Ready at once"
        case .isInstalled: "Packages are installed first"
        case .isFetched: "The image is fetched first, unless it is there"
        case .fails: "Needs a change before it runs"
        }
    }

    /// Nobody has measured this very agent: these are what such builds take on the whole.
    private var duration: String {
        switch outlook {
        case .isElsewhere: "none"
        case .isBuilt: "1-5 seconds"
        case .isInstalled(let requirements): requirements == 0 ? "5-30 seconds" : "10 seconds to some minutes"
        case .isFetched: "some seconds to some minutes"
        case .fails: "unknown"
        }
    }

    private var confidence: String {
        switch outlook {
        case .isElsewhere, .isBuilt, .fails: "high"
        case .isInstalled(let requirements): requirements == 0 ? "high" : "medium"
        case .isFetched: "low"
        }
    }

    private var reason: String {
        switch outlook {
        case .isElsewhere: "the agent runs elsewhere and is called at its invoke_url"
        case .isBuilt: "an environment with the same requirements is built already"
        case .isInstalled(0): "the agents' runtime is installed once, for all agents without requirements"
        case .isInstalled(1): "one requirement is installed into an environment of its own"
        case .isInstalled(let count): "\(count) requirements are installed into an environment of their own"
        case .isFetched: "a container engine runs the image"
        case .fails(let reason): reason
        }
    }

    private var execution: (mode: String, kind: String) {
        switch outlook {
        case .isElsewhere: ("external", "remote")
        case .isBuilt, .isInstalled: ("sandbox", "python")
        case .isFetched: ("container", "image")
        case .fails: ("none", "unknown")
        }
    }

    private var buildProfile: String? { if case .isInstalled = outlook { "python-requirements" } else { nil } }
}
