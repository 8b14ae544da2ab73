/// Whether and how builds make images of what they build.
package struct ImageSettings: Hashable, Sendable {
    static let automatic = "auto"
    static let off = "off"

    /// `auto`, `off`, or the name or path of a builder.
    package var builder = automatic
    /// The image that all begin with; it has `python3` and its pip.
    package var base = "docker.io/library/python:3.12-slim"
    /// What stands before each of the builder's commands; empty takes the container engine's, when it is the same program.
    package var arguments: [String] = []
    /// What follows `build`, such as `--network host`.
    package var options: [String] = []

    package init() {}

    var isOff: Bool { builder == Self.off }
    /// Whether a build without an image has failed. Otherwise it has what agents run by default, and says what kept it
    /// from an image.
    var isRequired: Bool { builder != Self.automatic && !isOff }
}
