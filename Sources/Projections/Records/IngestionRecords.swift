package import Domain
import GRDB

/// An analysis as readers see it.
package struct AnalysisRecord: Hashable, Sendable {
    package let id: AnalysisID
    package let document: JSONText
    package let createdAt: Timestamp
    package let expiresAt: Timestamp

    init(_ row: Row) throws {
        id = try row.identifier("id")
        document = JSONText(verified: try row.column("document"))
        createdAt = try row.time("created_at")
        expiresAt = try row.time("expires_at")
    }
}

/// Where a build stands.
package enum BuildStatus: String, Hashable, Sendable, CaseIterable {
    case pending = "PENDING"
    case building = "BUILDING"
    case succeeded = "SUCCEEDED"
    case failed = "FAILED"
}

/// A build as readers see it.
package struct BuildRecord: Hashable, Sendable {
    package let id: BuildID
    package let name: String
    package let image: String
    /// What is built: `source_files`, `requirements`, `entry_point`, `framework`.
    package let document: JSONText
    package let status: BuildStatus
    package let attempts: UInt32
    package let error: String?
    package let log: String
    /// The id of the container image that was made.
    package let imageID: String?
    /// What kept it from a container image, when it did not need one.
    package let imageError: String?
    package let createdAt: Timestamp
    package let startedAt: Timestamp?
    package let completedAt: Timestamp?
    package let position: Position

    init(_ row: Row) throws {
        id = try row.identifier("id")
        name = try row.column("name")
        image = try row.column("image")
        document = JSONText(verified: try row.column("document"))
        status = try row.value("status")
        attempts = UInt32(clamping: try row.column("attempts") as Int64)
        error = try row.freeText("error")
        log = try row.freeText("log") ?? ""
        imageID = try row.column("image_id")
        imageError = try row.freeText("image_error")
        createdAt = try row.time("created_at")
        startedAt = try row.optionalTime("started_at")
        completedAt = try row.optionalTime("completed_at")
        position = try row.position()
    }
}
