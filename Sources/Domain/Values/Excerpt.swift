extension String {
    /// The beginning of what somebody sent, for a message about it: at most 256 bytes.
    ///
    /// Counted in scalars, because one character can be any number of combining ones.
    package var excerpt: String { String(Substring(unicodeScalars.prefix(64))) }
}
