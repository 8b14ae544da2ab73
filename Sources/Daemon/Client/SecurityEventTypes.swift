import Gateways

/// Types of recorded events that `sluice tail --security` shows.
package enum SecurityEventTypes {
    package static let recorded = SecurityEventKind.allCases.compactMap(\.recordedType)
}
