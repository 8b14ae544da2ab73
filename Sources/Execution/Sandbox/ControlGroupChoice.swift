import Logging

/// The answer to whether agents and builds share one memory limit each here, found out once.
actor ControlGroupChoice {
    private let logger: Logger
    private let executor = BlockingExecutor(label: "sluice.control-groups")
    private var found: Result<ControlGroups, AgentRefusal>?
    private var count = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(logger: Logger) { self.logger = logger }

    /// The reason why memory is limited for each process alone; `nil` when a whole agent has one limit.
    func refusal() -> AgentRefusal? {
        if case .failure(let refusal) = current() { refusal } else { nil }
    }

    /// A new group with these limits; `nil` where none can be made: then limits hold for each process.
    func group(_ limits: SandboxLimits) -> ControlGroups.Group? {
        guard case .success(let groups) = current() else { return nil }
        count += 1
        do throws(AgentRefusal) {
            return try groups.make(
                String(count), memoryBytesMax: limits.memoryBytesMax, processesMax: limits.processesMax)
        } catch {
            logger.warning("failed to make a control group", metadata: ["error": "\(error)"])
            return nil
        }
    }

    func remove(_ group: ControlGroups.Group) { group.remove() }

    private func current() -> Result<ControlGroups, AgentRefusal> {
        if let found { return found }
        let result: Result<ControlGroups, AgentRefusal>
        do throws(AgentRefusal) {
            result = .success(try ControlGroups.find())
            logger.info("agents have one memory limit each", metadata: ["by": "control groups"])
        } catch {
            result = .failure(error)
            logger.notice("memory is limited per process", metadata: ["reason": "\(error)"])
        }
        found = result
        return result
    }
}
