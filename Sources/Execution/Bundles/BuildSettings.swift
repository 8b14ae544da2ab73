/// The limits of builds, and where their packages come from.
package struct BuildSettings: Hashable, Sendable {
    /// Hosts that builds may reach beside those of the configured package indexes.
    package var hosts: Set<PackageHost> = []
    /// Maximum disk space of a build, in bytes.
    package var bytesMax = 10 * 1024 * 1024 * 1024
    /// Maximum files, directories and links of a build.
    package var filesMax = 500_000

    package init() {}
}
