/// The rule for the path of a deployed source file: relative, and inside its bundle on every file system.
package enum SourcePath {
    package static let bytesMax = 255

    package static func isValid(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && $0 != "\\" }
        return !path.isEmpty && path.utf8.count <= bytesMax && isPlain
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }
}
