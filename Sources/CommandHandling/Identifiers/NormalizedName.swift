import Domain
import Foundation

extension String {
    /// True for text in Unicode normalization form C, in which texts that are canonically equivalent have the same bytes.
    package var isNormalized: Bool {
        utf8.allSatisfy { $0 < 0x80 } || precomposedStringWithCanonicalMapping.isExactly(self)
    }
}

extension Command {
    /// The refusal of a command that would bring a name into the log that equals another one by Swift's `==` and not by
    /// its bytes, as SQLite compares (decision 0049); `nil` for every other command.
    var nameRejection: Rejection? {
        newNames.first { !$0.name.isNormalized }.map { field, _ in
            Rejection(.invalidArgument, "\(field) must be in Unicode normalization form C (NFC)")
        }
    }
}
