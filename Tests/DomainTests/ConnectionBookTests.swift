import Domain
import Testing

/// Invariant 22: neither strangers nor one principal take the connections that others need.
@Suite struct ConnectionBookTests {
    private func book(_ total: Int, peerMax: Int? = nil) -> ConnectionBook {
        ConnectionBook(ShareRule(total: total, percent: 50), peerMax: peerMax)
    }

    private func person(_ name: String) -> Actor.Kind { .person(Person(provider: "sso", subject: name)) }

    @Test func aFullListenerGivesTheOldestUnauthenticatedConnectionOfTheLargestPeerAway() {
        var book = book(5)
        for id in 1...2 { #expect(book.open(id, from: "small") == .admitted(closing: nil)) }
        for id in 3...5 { #expect(book.open(id, from: "large") == .admitted(closing: nil)) }
        #expect(book.open(6, from: "large") == .admitted(closing: 3))
        #expect(book.open(7, from: "late") == .admitted(closing: 4))
        #expect(book.count == 5)
    }

    @Test func onePeerThatOpensWithoutEndClosesNoConnectionOfAnother() {
        var book = book(8)
        _ = book.open(0, from: "quiet")
        var closed: [Int] = []
        for id in 1...10_000 {
            guard case .admitted(let replaced) = book.open(id, from: "greedy") else { return }
            if let replaced { closed.append(replaced) }
        }
        #expect(closed == Array(1...9993) && book.count == 8)
    }

    @Test func anAuthenticatedConnectionOutlivesThoseOfStrangers() {
        var book = book(4)
        _ = book.open(0, from: "x")
        book.authenticate(0, as: person("admin"))
        #expect(book.rest(0) == nil)
        for id in 1...100 {
            guard case .admitted(let replaced) = book.open(id, from: "x") else { return }
            #expect(replaced != 0)
        }
    }

    @Test func withoutStrangersTheOldestIdleConnectionOfTheLargestPrincipalGoes() {
        var book = ConnectionBook(ShareRule(total: 4, percent: 100), peerMax: nil)
        for (id, principal) in [(1, "a"), (2, "b"), (3, "b"), (4, "b")] {
            _ = book.open(id, from: "x")
            book.authenticate(id, as: person(principal))
            #expect(book.rest(id) == nil)
        }
        book.authenticate(2, as: person("b"))
        #expect(book.open(5, from: "x") == .admitted(closing: 3))
    }

    @Test func aRequestInFlightIsClosedForNoOther() {
        var book = book(2)
        for id in 1...2 {
            _ = book.open(id, from: "x")
            book.authenticate(id, as: person("p\(id)"))
        }
        #expect(book.open(3, from: "x") == .admitted(closing: nil))
        #expect(book.open(4, from: "x") == .admitted(closing: 3))
        #expect(book.count == 3)
    }

    @Test func aPrincipalBeyondItsShareLosesItsOldestIdleConnection() {
        var book = book(8)
        for id in 1...4 {
            _ = book.open(id, from: "x")
            book.authenticate(id, as: person("viewer"))
            #expect(book.rest(id) == nil)
        }
        _ = book.open(5, from: "x")
        book.authenticate(5, as: person("viewer"))
        #expect(book.rest(5) == 1)
        #expect(book.count == 4)
    }

    @Test func aConnectionBelongsToThePrincipalOfItsLastRequest() {
        var book = book(8)
        for id in 1...4 {
            _ = book.open(id, from: "proxy")
            for principal in ["a", "b", "c\(id)"] {
                book.authenticate(id, as: person(principal))
                #expect(book.rest(id) == nil)
            }
        }
        #expect(book.count == 4)
    }

    @Test func aPeerWithItsMaximumIsRefusedUntilItClosesOne() {
        var book = book(100, peerMax: 2)
        for id in 1...2 { _ = book.open(id, from: "agent") }
        #expect(book.open(3, from: "agent") == .refused)
        #expect(book.open(3, from: "other") == .admitted(closing: nil))
        book.close(1)
        book.close(1)
        #expect(book.open(4, from: "agent") == .admitted(closing: nil))
    }
}
