/// What was found in sources that somebody sent to be analysed. The sources themselves are not kept.
package struct SourcesAnalyzed: Hashable, Sendable {
    /// The findings as the API shows them; no secret's value is in them.
    package let document: JSONText
    /// From then on nobody is shown it.
    package let expiresAt: Timestamp

    package init(document: JSONText, expiresAt: Timestamp) {
        self.document = document
        self.expiresAt = expiresAt
    }
}

/// Somebody wants sources to be built.
package struct BuildRequested: Hashable, Sendable {
    package let name: String
    /// The name of what comes of it, which follows from the content.
    package let image: String
    /// An object: `source_files`, and `requirements`, `entry_point` and `framework` where they were given.
    package let document: JSONText

    package init(name: String, image: String, document: JSONText) {
        self.name = name
        self.image = image
        self.document = document
    }
}

/// A build is being made from now on; again, when the one before was cut off.
package struct BuildStarted: Hashable, Sendable {
    /// Counted from 1.
    package let attempt: UInt32

    package init(attempt: UInt32) { self.attempt = attempt }
}

/// A build has ended.
package struct BuildFinished: Hashable, Sendable {
    /// What went wrong; `nil` when nothing did.
    package let error: String?
    /// The end of what the package installer and the builder of images said.
    package let log: String
    /// The id of the image that was made; `nil` when none was.
    package let imageID: String?
    /// What kept it from an image that was wanted, but not needed.
    package let imageError: String?

    package init(error: String?, log: String, imageID: String? = nil, imageError: String? = nil) {
        self.error = error
        self.log = log
        self.imageID = imageID
        self.imageError = imageError
    }
}
