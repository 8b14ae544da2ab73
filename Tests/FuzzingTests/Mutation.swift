import TestSupport

/// Changes inputs as libFuzzer does, but the same way for the same seed.
struct Mutation {
    private var random: SeededRandom
    private let corpus: [[UInt8]]

    init(seed: UInt64, corpus: [[UInt8]]) {
        random = SeededRandom(seed: seed)
        self.corpus = corpus
    }

    /// One of the corpus, changed in one to four places.
    mutating func next() -> [UInt8] {
        var input = random.pick(corpus)
        for _ in 0...Int.random(in: 0..<4, using: &random) { change(&input) }
        return input
    }

    private mutating func change(_ input: inout [UInt8]) {
        let place = Int.random(in: 0...input.count, using: &random)
        let count = min(input.count - place, Int.random(in: 1...16, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where count > 0: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where count > 0: input[place] = random.pick([0, 1, 0x7f, 0x80, 0xff, UInt8(place & 0xff)])
        case 2: input.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: input.removeSubrange(place..<place + count)
        case 4: input.insert(contentsOf: input[place..<place + count], at: place)
        case 5:
            let other = random.pick(corpus)
            input = Array(input.prefix(place) + other.dropFirst(place))
        case 6: input = Array(input.prefix(place))
        default:
            let number = random.pick([0, 1, UInt64.max, 1 << 31, 1 << 63, random.next()])
            let bytes = withUnsafeBytes(of: number) { Array($0) }.prefix(random.pick([2, 4, 8]))
            input.replaceSubrange(place..<min(input.count, place + bytes.count), with: bytes)
        }
    }
}
