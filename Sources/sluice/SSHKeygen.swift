import Daemon
import Foundation
import Subprocess
import SystemPackage

/// OpenSSH's own program, which has the keys: files, agents and security keys.
struct SSHKeygen {
    private static let signatureBytesMax = 16 * 1024

    let key: String

    /// The armored signature of exactly that text. A passphrase is asked for at the terminal.
    func sign(_ text: String, namespace: String) async throws -> String {
        let result: (status: TerminationStatus, output: String)
        do {
            let ended = try await Subprocess.run(
                .name("ssh-keygen"), arguments: ["-Y", "sign", "-n", namespace, "-f", key],
                input: .fileDescriptor(try Self.file(of: text), closeAfterSpawningProcess: true),
                output: .string(limit: Self.signatureBytesMax),
                error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false))
            result = (ended.terminationStatus, ended.standardOutput)
        } catch {
            throw DaemonError(
                .configuration, "ssh-keygen cannot be run: \(error); install OpenSSH (Debian: openssh-client)")
        }
        guard result.status.isSuccess else {
            throw DaemonError(
                .configuration, "ssh-keygen did not sign with \(key), and says why above; nothing was sent")
        }
        return result.output
    }

    /// A file without a name that has the text: whoever does not read it, as ssh-keygen without its key, breaks no pipe.
    private static func file(of text: String) throws -> FileDescriptor {
        let path = FilePath(FileManager.default.temporaryDirectory.path).appending(
            "sluice-\(UInt64.random(in: 0 ... .max))")
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        do {
            try FileManager.default.removeItem(atPath: path.string)
            try file.writeAll(text.utf8)
            try file.seek(offset: 0, from: .start)
            return file
        } catch {
            try? file.close()
            throw error
        }
    }
}
