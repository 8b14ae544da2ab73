import Execution
import Foundation
import Testing

@Suite struct DirectoryTreeTests {
    private let root = NSTemporaryDirectory() + "sluice-tree-\(UInt64.random(in: 0 ... .max))"

    init() throws {
        #expect(mkdir(root, 0o700) == 0)
    }

    private func write(_ path: String, _ byteCount: Int = 1) {
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        #expect(descriptor >= 0)
        let bytes = [UInt8](repeating: 1, count: byteCount)
        #expect(Foundation.write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    private func names(in path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path) }

    /// Directories below each other, longer together than any path may be.
    private func nest(_ count: Int, in path: String) {
        var directory = open(path, O_RDONLY | O_DIRECTORY)
        for _ in 0..<count {
            let name = String(repeating: "d", count: 100)
            #expect(mkdirat(directory, name, 0o700) == 0)
            let next = openat(directory, name, O_RDONLY | O_DIRECTORY)
            close(directory)
            directory = next
        }
        close(directory)
    }

    @Test func removesTreesDeeperThanAnyPath() throws {
        let path = root + "/deep"
        mkdir(path, 0o700)
        nest(200, in: path)
        #expect(DirectoryTree.remove(path))
        #expect(try names(in: root).isEmpty)
        #expect(rmdir(root) == 0)
    }

    @Test func removesNamesThatAreNoText() throws {
        let path = root + "/raw"
        mkdir(path, 0o700)
        let directory = open(path, O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        for name: [CChar] in [[-1, -2, 0], [-64, 0], [10, 34, 0]] {
            #expect(mkdirat(directory, name, 0o700) == 0)
            let child = openat(directory, name, O_RDONLY | O_DIRECTORY)
            #expect(mkdirat(child, name, 0o700) == 0)
            close(openat(child, [-128, 0], O_CREAT | O_WRONLY, 0o600))
            close(child)
        }
        #expect(DirectoryTree.remove(path))
        #expect(try names(in: root).isEmpty)
        #expect(rmdir(root) == 0)
    }

    @Test func followsNoLinkAndOpensWhatIsClosed() throws {
        let (path, outside) = (root + "/links", root + "/outside")
        mkdir(path, 0o700)
        mkdir(outside, 0o700)
        write(outside + "/kept")
        #expect(symlink(outside, path + "/link") == 0)
        #expect(symlink(outside + "/kept", path + "/file") == 0)
        mkdir(path + "/closed", 0o700)
        mkdir(path + "/closed/inner", 0o700)
        write(path + "/closed/inner/file")
        #expect(mkfifo(path + "/closed/pipe", 0o600) == 0)
        chmod(path + "/closed/inner", 0)
        chmod(path + "/closed", 0)
        chmod(path, 0o500)
        #expect(DirectoryTree.remove(path))
        #expect(try names(in: root) == ["outside"])
        #expect(try names(in: outside) == ["kept"])
        #expect(DirectoryTree.remove(root))
    }

    @Test func whatIsRemovedHasANameThatIsNeverRead() {
        #expect(DirectoryTree.isRemainder(".building-3") && DirectoryTree.isRemainder(".removing-77"))
        #expect(!DirectoryTree.isRemainder(String(repeating: "a", count: 64)))
        #expect(DirectoryTree.remove(root + "/none"))
        #expect(DirectoryTree.remove(root))
    }

    @Test func countsUntilALimitAndRefusesWhatIsTooDeep() {
        mkdir(root + "/counted", 0o700)
        for number in 0..<20 { write(root + "/counted/\(number)", 8192) }
        let all = DirectoryTree.size(of: root, bytesMax: .max, entriesMax: .max)
        #expect(all.entries == 21 && all.bytes >= 20 * 8192)
        #expect(DirectoryTree.size(of: root, bytesMax: .max, entriesMax: 5).entries == 6)
        #expect(DirectoryTree.size(of: root, bytesMax: 10_000, entriesMax: .max).bytes > 10_000)
        nest(DirectoryTree.depthMax + 1, in: root)
        #expect(DirectoryTree.size(of: root, bytesMax: .max, entriesMax: .max).entries == .max)
        #expect(DirectoryTree.remove(root))
    }

    @Test func installsWholeDirectoriesAndReplacesRemainders() throws {
        let (staging, path) = (root + "/.building-1", root + "/built")
        mkdir(staging, 0o700)
        mkdir(staging + "/code", 0o700)
        write(staging + "/code/module.py")
        close(open(staging + "/code/run", O_CREAT | O_WRONLY, 0o4700))
        // What an interrupted removal of an older version has left.
        mkdir(path, 0o700)
        write(path + "/half")
        #expect(!BundleFiles.isComplete(path))
        try BundleFiles.install(staging, as: path)
        #expect(BundleFiles.isComplete(path))
        #expect(try names(in: root) == ["built"])
        #expect(try Set(names(in: path)) == ["code", "complete"])
        var status = stat()
        #expect(stat(path + "/code/module.py", &status) == 0 && status.st_mode & 0o7777 == 0o444)
        #expect(stat(path + "/code/run", &status) == 0 && status.st_mode & 0o7777 == 0o555)
        #expect(DirectoryTree.remove(root))
    }

    @Test func installsNothingThatIsTooDeep() throws {
        let staging = root + "/.building-2"
        mkdir(staging, 0o700)
        nest(DirectoryTree.depthMax + 1, in: staging)
        #expect(throws: AgentRefusal.self) { try BundleFiles.install(staging, as: root + "/built") }
        #expect(!BundleFiles.isComplete(root + "/built"))
        #expect(DirectoryTree.remove(root))
    }
}
