import Execution
import Foundation
import Gateways
import HTTPAPI
package import Logging
import Projections
import Scheduling

extension DaemonConfiguration {
    /// Descriptors that no setting limits: the log, the read models, the keyring, event loops, builds, deliveries.
    private static var descriptorReserve: Int { 64 + 8 * ProcessInfo.processInfo.activeProcessorCount }

    /// The configuration with limits that fit into that many file descriptors.
    ///
    /// - Throws: `DaemonError` when a setting that the operator gave does not fit.
    package func fitting(
        descriptors limit: Int, _ settings: Settings, _ logger: Logger
    ) throws(DaemonError) -> DaemonConfiguration {
        func demand(_ key: SettingKey, _ value: Int, each: Int, min: Int) -> DescriptorPlan.Demand {
            DescriptorPlan.Demand(
                key: key, value: value, isDefault: settings.isDefault(key), descriptorsEach: each, valueMin: min)
        }
        let demands = [
            // The API's listener and the agents' socket may each have as many.
            demand(.connectionsMax, http.connectionsMax, each: 2, min: 16),
            demand(.egressCallsMax, egress.callsMax, each: 1, min: 8),
            demand(.llmCallsMax, llm.callsMax, each: 1, min: 8),
            // Pipes of the process, and the connections of the invokes that it answers.
            demand(.agentInstancesMax, agents.instancesMax, each: 4 + scheduler.agentConcurrencyMax, min: 2),
        ]
        var fitted = self
        // Without bases, answers about the past take longer and are the same: no setting has to give way to them.
        let spare = DescriptorPlan.spare(demands, reserve: Self.descriptorReserve, limit: limit)
        fitted.history.basesMax = min(history.basesMax, max(16, limit / 16), spare)
        let plan = try DescriptorPlan(
            demands, reserve: Self.descriptorReserve + fitted.history.basesMax, limit: limit)
        for demand in demands {
            guard let value = plan.values[demand.key], value != demand.value else { continue }
            fitted.set(demand.key, value)
            logger.warning(
                "default limit lowered to fit file descriptors",
                metadata: ["setting": "\(demand.key.rawValue)", "value": "\(value)", "descriptors": "\(limit)"])
        }
        return fitted
    }

    private mutating func set(_ key: SettingKey, _ value: Int) {
        switch key {
        case .connectionsMax: http.connectionsMax = value
        case .egressCallsMax: egress.callsMax = value
        case .llmCallsMax: llm.callsMax = value
        case .agentInstancesMax: agents.instancesMax = value
        default: preconditionFailure("\(key.rawValue) holds no file descriptors")
        }
    }
}
