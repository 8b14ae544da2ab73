extension ActiveState {
    func recordAnalysis(
        _ id: AnalysisID, _ document: JSONText, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        try checkDocument(document, "the analysis", context.settings.limits)
        let analyzed = SourcesAnalyzed(
            document: document, expiresAt: context.time.adding(context.settings.analysisRetention))
        return [context.event(0, stream: .analysis(id), sequence: 1, .sourcesAnalyzed(analyzed))]
    }

    func requestBuild(
        _ id: BuildID, _ requested: BuildRequested, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        try checkText(requested.name, "name", required: true, bytesMax: 253)
        try checkText(requested.image, "image", required: true, bytesMax: limits.textBytesMax)
        try checkDocument(requested.document, "the build", limits)
        try usage.check(
            1, of: .builds, max: limits.openBuildsMax, context.workspace, context.actor.keyKind, limits)
        return [context.event(0, stream: .build(id), sequence: 1, .buildRequested(requested))]
    }

    /// Begins a build, or begins it again after it was cut off.
    func startBuild(_ id: BuildID, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let build = try openBuild(id, context)
        return [
            context.event(
                0, stream: .build(id), sequence: build.streamSequence + 1,
                .buildStarted(BuildStarted(attempt: build.attempts + 1)))
        ]
    }

    func finishBuild(
        _ id: BuildID, _ finished: BuildFinished, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let build = try openBuild(id, context)
        return [context.event(0, stream: .build(id), sequence: build.streamSequence + 1, .buildFinished(finished))]
    }

    private func openBuild(_ id: BuildID, _ context: DecisionContext) throws(Rejection) -> BuildState {
        guard let build = builds[id], build.workspace == context.workspace else {
            throw Rejection(.buildNotOpen, "the build does not exist or has ended")
        }
        return build
    }
}
