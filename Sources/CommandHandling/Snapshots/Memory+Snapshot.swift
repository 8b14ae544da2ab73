import Domain
import EventStore

extension AccessRequestState {
    func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, workspace.text)
        writer.add(3) { requested.write(to: &$0) }
        writer.add(4, isPending)
        writer.add(5, expiresAt)
        writer.add(6, streamSequence)
        if let grant { writer.add(7) { grant.write(to: &$0) } }
        if let requester { writer.add(8) { requester.write(to: &$0) } }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, workspace, requested): (AccessRequestID?, WorkspaceName?, AccessRequested?)
        var (isPending, expiresAt, streamSequence) = (false, Timestamp(microseconds: 0), UInt64(0))
        var (grant, requester): (Grant?, Actor?)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("access request")
            case 2: workspace = WorkspaceName(try reader.text())
            case 3: requested = try AccessRequested(try reader.message())
            case 4: isPending = try reader.bool()
            case 5: expiresAt = try reader.time()
            case 6: streamSequence = try reader.unsigned()
            case 7: grant = try Grant(try reader.message())
            case 8: requester = try Actor(try reader.message())
            default: throw .missing("access request")
            }
        }
        self.init(
            id: try required(id, "access request"), workspace: try required(workspace, "workspace"),
            requested: try required(requested, "request"), requester: requester, isPending: isPending,
            expiresAt: expiresAt, grant: grant, streamSequence: streamSequence)
    }
}

extension AccessRequestState.Grant {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1, scope)
        writer.add(2, grantedAt)
        writer.add(3) { requirement.write(to: &$0) }
        for approver in approvers { writer.add(4) { approver.write(to: &$0) } }
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (scope, requirement): (AccessScope?, RequiredApproval?)
        var (grantedAt, approvers): (Timestamp, [Actor]) = (Timestamp(microseconds: 0), [])
        while let field = try reader.next() {
            switch field {
            case 1: scope = try reader.choice("scope")
            case 2: grantedAt = try reader.time()
            case 3: requirement = try RequiredApproval(try reader.message())
            case 4: approvers.append(try Actor(try reader.message()))
            default: throw .missing("grant")
            }
        }
        self.init(
            scope: try required(scope, "scope"), grantedAt: grantedAt,
            requirement: try required(requirement, "requirement"), approvers: approvers)
    }
}

extension ResourceState {
    func write(to writer: inout WireWriter, _ key: ResourceKey) {
        writer.add(1, key.workspace.text)
        writer.add(2, key.kind)
        writer.add(3, key.name)
        writer.add(4, id)
        writer.add(5, revision)
        writer.add(6, streamSequence)
    }

    static func read(_ reader: consuming WireReader) throws(MalformedRecord) -> (key: ResourceKey, state: ResourceState)
    {
        var (workspace, kind, name): (WorkspaceName?, ResourceKind?, String) = (nil, nil, "")
        var (id, revision, streamSequence): (ResourceID?, UInt64, UInt64) = (nil, 0, 0)
        while let field = try reader.next() {
            switch field {
            case 1: workspace = WorkspaceName(try reader.text())
            case 2: kind = try reader.choice("kind")
            case 3: name = try reader.text()
            case 4: id = try reader.id("resource")
            case 5: revision = try reader.unsigned()
            case 6: streamSequence = try reader.unsigned()
            default: throw .missing("resource")
            }
        }
        let key = ResourceKey(
            workspace: try required(workspace, "workspace"), kind: try required(kind, "kind"), name: name)
        let state = ResourceState(
            id: try required(id, "resource"), revision: revision, streamSequence: streamSequence)
        return (key, state)
    }
}

extension APIKeyState {
    func write(to writer: inout WireWriter, _ id: APIKeyID) {
        writer.add(1, id)
        writer.add(2, workspace.text)
        writer.add(3, name)
        writer.add(4, digest)
        writer.add(5, groups)
        writer.add(6, role)
        writer.add(7, optional: expiresAt)
        writer.add(8, streamSequence)
        writer.add(9, optional: agent)
        writer.add(10, onlyGroups)
    }

    static func read(_ reader: consuming WireReader) throws(MalformedRecord) -> (id: APIKeyID, state: APIKeyState) {
        var (id, workspace, name, digest): (APIKeyID?, WorkspaceName?, String, String) = (nil, nil, "", "")
        var (groups, agent, onlyGroups): ([String], String?, Bool) = ([], nil, false)
        var (role, expiresAt, streamSequence): (Role?, Timestamp?, UInt64) = (nil, nil, 0)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("API key")
            case 2: workspace = WorkspaceName(try reader.text())
            case 3: name = try reader.text()
            case 4: digest = try reader.text()
            case 5: groups.append(try reader.text())
            case 6: role = try reader.choice("role")
            case 7: expiresAt = try reader.time()
            case 8: streamSequence = try reader.unsigned()
            case 9: agent = try reader.text()
            case 10: onlyGroups = try reader.bool()
            default: throw .missing("API key")
            }
        }
        let state = APIKeyState(
            workspace: try required(workspace, "workspace"), name: name, digest: digest, groups: groups,
            role: try required(role, "role"), agent: agent, onlyGroups: onlyGroups, expiresAt: expiresAt,
            streamSequence: streamSequence)
        return (try required(id, "API key"), state)
    }
}

extension IdempotencyIndex.Key {
    func write(to writer: inout WireWriter) {
        writer.add(1, workspace.text)
        writer.add(2, key)
        writer.add(3, scope)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (workspace, key, scope): (WorkspaceName?, String, UInt64) = (nil, "", 0)
        while let field = try reader.next() {
            switch field {
            case 1: workspace = WorkspaceName(try reader.text())
            case 2: key = try reader.text()
            case 3: scope = try reader.unsigned()
            default: throw .missing("idempotency key")
            }
        }
        self.init(workspace: try required(workspace, "workspace"), scope: scope, key: key)
    }
}

extension IdempotencyIndex.Entry {
    func write(to writer: inout WireWriter, _ key: IdempotencyIndex.Key) {
        writer.add(1) { key.write(to: &$0) }
        writer.add(2, fingerprint)
        writer.add(3, first.value)
        writer.add(4, UInt64(count))
        writer.add(5, optional: answer?.value)
        writer.add(6, time)
    }

    static func read(_ reader: consuming WireReader) throws(MalformedRecord) -> (key: IdempotencyIndex.Key, entry: Self)
    {
        var (key, fingerprint): (IdempotencyIndex.Key?, UUIDValue?)
        var (first, count, answer): (UInt64, UInt64, UInt64?) = (0, 0, nil)
        var time = Timestamp(microseconds: 0)
        while let field = try reader.next() {
            switch field {
            case 1: key = try IdempotencyIndex.Key(try reader.message())
            case 2: fingerprint = try reader.optionalUUID("fingerprint")
            case 3: first = try reader.unsigned()
            case 4: count = try reader.unsigned()
            case 5: answer = try reader.unsigned()
            case 6: time = try reader.time()
            default: throw .missing("idempotency key")
            }
        }
        guard !first.addingReportingOverflow(max(count, 1)).overflow else { throw .missing("idempotency key") }
        let entry = IdempotencyIndex.Entry(
            fingerprint: try required(fingerprint, "fingerprint"), first: Position(first), count: Int(clamping: count),
            answer: answer.map(Position.init), time: time)
        return (try required(key, "idempotency key"), entry)
    }
}
