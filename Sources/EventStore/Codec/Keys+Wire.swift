package import Domain

extension APIKeyCreated {
    func write(to writer: inout WireWriter) {
        writer.add(1, name)
        writer.add(2, role)
        writer.add(3, digest)
        writer.add(4, prefix)
        writer.add(5, last4)
        writer.add(6, optional: expiresAt)
        for group in groups { writer.add(7, optional: group) }
        writer.add(8, optional: agent)
        writer.add(9, onlyGroups)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (name, role, digest): (String, Role?, String) = ("", nil, "")
        var (prefix, last4, expiresAt): (String, String, Timestamp?) = ("", "", nil)
        var (groups, agent, onlyGroups): ([String], String?, Bool) = ([], nil, false)
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.text()
            case 2: role = try reader.choice("role")
            case 3: digest = try reader.text()
            case 4: prefix = try reader.text()
            case 5: last4 = try reader.text()
            case 6: expiresAt = try reader.time()
            case 7: groups.append(try reader.text())
            case 8: agent = try reader.text()
            case 9: onlyGroups = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(
            name: name, role: try required(role, "role"), digest: digest, prefix: prefix, last4: last4,
            expiresAt: expiresAt, groups: groups, agent: agent, onlyGroups: onlyGroups)
    }
}

extension APIKeyRotated {
    func write(to writer: inout WireWriter) {
        writer.add(1, digest)
        writer.add(2, prefix)
        writer.add(3, last4)
        writer.add(4, optional: expiresAt)
        writer.add(5, optional: previousUntil)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (digest, prefix, last4): (String, String, String) = ("", "", "")
        var (expiresAt, previousUntil): (Timestamp?, Timestamp?) = (nil, nil)
        while let field = try reader.next() {
            switch field {
            case 1: digest = try reader.text()
            case 2: prefix = try reader.text()
            case 3: last4 = try reader.text()
            case 4: expiresAt = try reader.time()
            case 5: previousUntil = try reader.time()
            default: try reader.skip()
            }
        }
        self.init(
            digest: digest, prefix: prefix, last4: last4, expiresAt: expiresAt, previousUntil: previousUntil)
    }
}

extension Role: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .admin: 1
        case .operator: 2
        case .approver: 3
        case .agent: 4
        case .viewer: 5
        case .metrics: 6
        }
    }
}

extension AnswerRecorded {
    func write(to writer: inout WireWriter) {
        writer.add(1) { token.write(to: &$0) }
        writer.add(2, statusCode)
        writer.add(3, body)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (token, statusCode, body): (IdempotencyToken?, UInt32, String) = (nil, 0, "")
        while let field = try reader.next() {
            switch field {
            case 1: token = try IdempotencyToken(try reader.message())
            case 2: statusCode = try reader.unsigned32()
            case 3: body = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(token: try required(token, "idempotency"), statusCode: statusCode, body: body)
    }
}
