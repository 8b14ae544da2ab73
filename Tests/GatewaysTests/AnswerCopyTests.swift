import Gateways
import Testing

@Suite struct AnswerCopyTests {
    @Test func aCopyHasAllPartsUpToTheLimit() {
        var copy = AnswerCopy(bytesMax: 5)
        #expect(copy.bytes == [])
        copy.append([1, 2])
        copy.append([3, 4, 5])
        #expect(copy.bytes == [1, 2, 3, 4, 5])
    }

    @Test func aCopyAboveTheLimitIsGoneForGood() {
        var copy = AnswerCopy(bytesMax: 5)
        copy.append([1, 2, 3])
        copy.append([4, 5, 6])
        #expect(copy.bytes == nil)
        copy.append([] as [UInt8])
        #expect(copy.bytes == nil)
    }
}
