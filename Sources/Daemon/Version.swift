/// What this build is.
package enum SluiceVersion {
    package static let text = "0.1.0"
}
