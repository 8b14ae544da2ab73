package import Domain

/// A call that an agent wants to make: all that decides on it, and nothing that changes.
package struct CallFacts: Hashable, Sendable {
    package let agent: GovernedAgent
    /// The name that the call gives the tool, known or not.
    package let tool: String
    package let method: String
    /// As the agent sent it.
    package let url: String
    /// Tags of the call beside those of the tool and its capability.
    package let tags: RiskTags

    package init(agent: GovernedAgent, tool: String, method: String, url: String, tags: RiskTags = RiskTags([])) {
        self.agent = agent
        self.tool = tool
        self.method = method.uppercased()
        self.url = url
        self.tags = tags
    }
}

/// A policy that a deploy bound to an agent, as it was found.
package struct BoundPolicy: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case policy(Policy)
        /// The deploy names it, and there is none of that name.
        case missing
        /// Its document cannot be read, for this reason.
        case unreadable(String)
    }

    package let name: String
    package let content: Content

    package init(name: String, _ content: Content) {
        self.name = name
        self.content = content
    }

    /// Reads a stored document; `nil` when there is none of that name.
    package init(name: String, document: JSONText?) {
        guard let document else {
            self.init(name: name, .missing)
            return
        }
        do throws(InvalidDocument) {
            self.init(name: name, .policy(try Policy(document: document.value)))
        } catch {
            self.init(name: name, .unreadable(error.message))
        }
    }
}
