/// The outcome of reading a keyring at a start.
package struct KeyringReport: Hashable, Sendable {
    /// Files that were damaged, missing or behind, each with its damage; they are whole now.
    package let mended: [String]
    /// Keys that were in neither file, when the loss was accepted.
    package let loss: KeyringLoss?
    /// True when a new keyring took the place of one that is lost.
    package let isReplacement: Bool
    /// True when an earlier version has written the keyring.
    package let isUpgrade: Bool
    /// Slots of a keyring of format 1 that held nothing whole: half written keys, or damaged ones.
    package let discardedCount: Int

    init(_ contents: KeyringContents, _ files: KeyringFiles, isReplacement: Bool = false) {
        isUpgrade = contents.isEarlierFormat
        mended = contents.isFirstFormat ? [] : contents.problemTexts(files)
        loss = contents.loss
        self.isReplacement = isReplacement
        discardedCount = contents.discardedCount
    }
}

extension KeyringContents {
    /// The damage of each file, for people.
    func problemTexts(_ files: KeyringFiles) -> [String] {
        var texts = KeyringPlace.allCases.compactMap { place in
            problems[place].map { "\(files.path(of: place)): \($0)" }
        }
        if isIDWrong { texts.append("\(files.idPath): it is missing, or not this keyring's") }
        return texts
    }
}
