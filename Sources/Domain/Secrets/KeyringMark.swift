/// A state of the keyring. What a log needs of the keys at one state, it finds at each later one of the same keyring.
package struct KeyringMark: Hashable, Sendable {
    package let keyringID: UUIDValue
    /// Counts every change of the keyring.
    package let generation: UInt64
    /// The generation at which a loss of keys was accepted last; 0 when none was.
    package let lossGeneration: UInt64

    package init(keyringID: UUIDValue, generation: UInt64, lossGeneration: UInt64) {
        self.keyringID = keyringID
        self.generation = generation
        self.lossGeneration = lossGeneration
    }

    /// True when this state lacks no key of an earlier one but those that were destroyed on purpose.
    package func continues(_ earlier: KeyringMark) -> Bool {
        keyringID == earlier.keyringID && generation >= earlier.generation && lossGeneration <= earlier.generation
    }
}
