import Domain

extension DecisionSignature {
    func write(to writer: inout WireWriter) {
        writer.add(1, principal)
        writer.add(2, bytes)
        if let grant {
            writer.add(3, grant.scope)
            writer.add(4, grant.duration)
        }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (principal, bytes): (String, [UInt8]) = ("", [])
        var (scope, duration): (AccessScope?, Duration) = (nil, .zero)
        while let field = try reader.next() {
            switch field {
            case 1: principal = try reader.text()
            case 2: bytes = try reader.byteArray()
            case 3: scope = try reader.choice("scope")
            case 4: duration = try reader.duration()
            default: try reader.skip()
            }
        }
        self.init(
            principal: principal, bytes: bytes, grant: scope.map { SignedGrant(scope: $0, duration: duration) })
    }
}
