/// Divides the process's file descriptors between what the settings allow and a reserve for the log and the read models.
///
/// A setting given by the operator is kept or refused; a default is lowered to what fits.
struct DescriptorPlan {
    /// A setting that limits something that holds file descriptors.
    struct Demand {
        let key: SettingKey
        let value: Int
        let isDefault: Bool
        /// File descriptors that one unit may hold.
        let descriptorsEach: Int
        /// The smallest value that a default is lowered to.
        let valueMin: Int

        /// The part that is never given up: an explicit setting as it is, a default's smallest value.
        fileprivate var fixed: Int { (isDefault ? min(value, valueMin) : value) * descriptorsEach }
        fileprivate var wanted: Int { value * descriptorsEach }
    }

    /// The values that fit, by setting; those that were lowered differ from their demand.
    let values: [SettingKey: Int]

    /// Fits the demands beside the reserve into the limit.
    ///
    /// - Throws: `DaemonError` that names the settings and the descriptors that they need.
    init(_ demands: [Demand], reserve: Int, limit: Int) throws(DaemonError) {
        let fixed = demands.map(\.fixed).reduce(reserve, +)
        guard fixed <= limit else { throw Self.refusal(demands, needed: fixed, limit) }
        let wanted = demands.map { $0.wanted - $0.fixed }.reduce(0, +)
        let free = min(limit - fixed, wanted)
        values = Dictionary(
            uniqueKeysWithValues: demands.map { demand in
                let extra = wanted == 0 ? 0 : (demand.wanted - demand.fixed) * free / wanted
                return (demand.key, (demand.fixed + extra) / demand.descriptorsEach)
            })
    }

    /// The descriptors that are left beside the reserve and what is never given up of the demands.
    static func spare(_ demands: [Demand], reserve: Int, limit: Int) -> Int {
        max(0, limit - demands.map(\.fixed).reduce(reserve, +))
    }

    private static func refusal(_ demands: [Demand], needed: Int, _ limit: Int) -> DaemonError {
        let parts = demands.filter { !$0.isDefault }.map {
            "\($0.key.rawValue) \($0.value) needs \($0.wanted)"
        }
        let reasons = parts + ["the log, the read models and defaults need \(needed - explicit(demands))"]
        return DaemonError(
            .configuration,
            "the limits do not fit into \(limit) file descriptors: \(reasons.joined(separator: ", ")); raise "
                + "`ulimit -n` to at least \(needed), or lower the settings")
    }

    private static func explicit(_ demands: [Demand]) -> Int {
        demands.filter { !$0.isDefault }.map(\.wanted).reduce(0, +)
    }
}
