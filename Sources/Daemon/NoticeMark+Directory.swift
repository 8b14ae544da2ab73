import Domain
import EventLog
import Gateways
import Logging

extension NoticeMark {
    /// Keeps the mark in the data directory; without a place for it a restart begins with what is new.
    static func kept(in directory: DataDirectory, _ logger: Logger) -> NoticeMark {
        do {
            let keeper = SnapshotKeeper(try PosixLogStorage(directory: directory.notices))
            return NoticeMark {
                (try? await keeper.newest()).map { Position($0.position) }
            } save: { position in
                do {
                    try await keeper.save(SnapshotFile.Snapshot(position: position.value, contents: []))
                } catch {
                    // An older mark stands: what comes after it is told of again, under the same ids.
                    logger.warning("failed to save the notification cursor", metadata: ["error": "\(error)"])
                }
            }
        } catch {
            logger.warning("security events are told of from now on only", metadata: ["error": "\(error)"])
            return NoticeMark {
                nil
            } save: { _ in
            }
        }
    }
}
