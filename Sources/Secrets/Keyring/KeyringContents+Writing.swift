/// Makes both files of a keyring whole.
///
/// Files are overwritten in place, and one at a time, while the other one is whole: no block of the disk keeps a key
/// that is destroyed later.
extension KeyringContents {
    private static var chunkSlots: Int { 4096 }

    /// Writes what is not as it should be, all durable on return.
    func repair(_ files: KeyringFiles) throws(SecretsError) {
        if whole == nil {
            // What is joined of two damaged files is in neither of them: both stay until it is in a new one.
            let old = try files.storage.open(files.second, isWritable: true)
            try create(.second, files)
            try old?.erase()
            try write(.first, files)
        } else {
            for place in KeyringPlace.allCases where problems[place] != nil { try write(place, files) }
        }
        if isIDWrong { try files.writeID(header.keyringID) }
    }

    /// Writes both files, in a state that replaces theirs: when that ends early, one of them is whole.
    func replace(_ files: KeyringFiles) throws(SecretsError) {
        try write(.second, files)
        try write(.first, files)
    }

    /// Makes the keyring's files, where there are none.
    func make(_ files: KeyringFiles) throws(SecretsError) {
        try create(.first, files)
        try create(.second, files)
        try files.writeID(header.keyringID)
    }

    /// Says in both files that they have this version's format; slots of an earlier one are as they should be.
    mutating func upgrade(_ files: KeyringFiles) throws(SecretsError) {
        guard header.version < KeyringFormat.version else { return }
        header.version = KeyringFormat.version
        header.generation += 1
        for place in KeyringPlace.allCases {
            guard let file = try files.storage.open(files.path(of: place), isWritable: true) else { continue }
            try file.write(KeyringFormat.header(header), at: 0)
            try file.sync()
        }
    }

    private func create(_ place: KeyringPlace, _ files: KeyringFiles) throws(SecretsError) {
        try files.storage.create(files.path(of: place)) { (file) throws(SecretsError) in try write(to: file) }
    }

    private func write(_ place: KeyringPlace, _ files: KeyringFiles) throws(SecretsError) {
        guard let file = try files.storage.open(files.path(of: place), isWritable: true) else {
            return try create(place, files)
        }
        try write(to: file)
    }

    /// Overwrites a file with these keys, durably: its header comes last.
    func write(to file: any KeyFile) throws(SecretsError) {
        try writeSlots(to: file)
        try file.sync()
        try file.write(KeyringFormat.header(header), at: 0)
        try file.truncate(to: header.slotCount * KeyringFormat.slotBytes)
        try file.sync()
    }

    /// Writes a keyring of format 1, as it was found.
    func writeFirstFormat(to file: any KeyFile) throws(SecretsError) {
        try writeSlots(to: file)
        try file.write(KeyringFormat.firstHeader(check: header.check), at: 0)
    }

    private func writeSlots(to file: any KeyFile) throws(SecretsError) {
        let size = KeyringFormat.slotBytes
        var names = [KeyName?](repeating: nil, count: header.slotCount)
        keys.forEach { name, place, _ in names[place] = name }
        for first in stride(from: 1, to: header.slotCount, by: Self.chunkSlots) {
            var bytes: [UInt8] = []
            for name in names[first..<min(first + Self.chunkSlots, header.slotCount)] {
                let slot = name.flatMap { name in keys[name].map { KeyringFormat.slot(name.id, $0) } }
                bytes += slot ?? [UInt8](repeating: 0, count: size)
            }
            try file.write(bytes, at: first * size)
        }
        try file.eraseUnsynced(from: header.slotCount * size)
    }
}
