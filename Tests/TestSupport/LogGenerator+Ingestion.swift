import Domain

/// Analyses, and builds in every state.
extension LogGenerator {
    mutating func ingestionCommand() -> Command {
        let open = state.builds.values.sorted { $0.id < $1.id }
        if let build = open.last, random.chance(70) {
            workspace = build.workspace
            if random.chance(50) { return .startBuild(build.id) }
            return .finishBuild(
                build.id,
                BuildFinished(
                    error: random.maybe("no such package"), log: random.pick(["", "Collecting x\n"]),
                    imageID: random.maybe("sha256:00"), imageError: random.maybe("no registry")))
        }
        if random.chance(40) {
            return .recordAnalysis(id: newID(), document: JSONText(verified: #"{"tools":[],"framework":"plain"}"#))
        }
        return .requestBuild(
            id: newID(),
            BuildRequested(
                name: random.pick(Self.names), image: "sluice/x:00",
                document: JSONText(verified: #"{"source_files":{"agent.py":"X = 1"}}"#)))
    }
}
