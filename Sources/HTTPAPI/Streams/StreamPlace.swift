import Domain

/// One stream of a principal's share, for as long as it is sent.
struct StreamPlace: Sendable {
    let permit: SharePool<Actor.Kind>.Permit
    let registration: AccessWatch.Registration
}
