import Domain
import EventStore

extension DeliveryState {
    func write(to writer: inout WireWriter) {
        writer.add(1, workspace.text)
        writer.add(2) { label.write(to: &$0) }
        if let link { writer.add(3) { link.write(to: &$0) } }
        writer.add(4, purpose)
        writer.add(5, attempt)
        switch stage {
        case .inFlight: break
        case .waiting(let time):
            writer.add(6, 1 as UInt64)
            writer.add(7, time)
        case .delivered: writer.add(6, 2 as UInt64)
        case .failed: writer.add(6, 3 as UInt64)
        }
        writer.add(8, optional: reference)
        writer.add(9, isClosed)
        writer.add(10, isLinkUsed)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (workspace, label, link): (WorkspaceName?, DeliveryLabel?, DecisionLink?)
        var (purpose, attempt, kind): (DeliveryPurpose?, UInt32, UInt64) = (nil, 0, 0)
        var (time, reference): (Timestamp, String?) = (Timestamp(microseconds: 0), nil)
        var (isClosed, isLinkUsed) = (false, false)
        while let field = try reader.next() {
            switch field {
            case 1: workspace = WorkspaceName(try reader.text())
            case 2: label = try DeliveryLabel(try reader.message())
            case 3: link = try DecisionLink(try reader.message())
            case 4: purpose = try reader.choice("purpose")
            case 5: attempt = try reader.unsigned32()
            case 6: kind = try reader.unsigned()
            case 7: time = try reader.time()
            case 8: reference = try reader.text()
            case 9: isClosed = try reader.bool()
            case 10: isLinkUsed = try reader.bool()
            default: throw .missing("message")
            }
        }
        let stage: Stage
        switch kind {
        case 0: stage = .inFlight
        case 1: stage = .waiting(time)
        case 2: stage = .delivered
        case 3: stage = .failed
        default: throw .missing("stage")
        }
        self.init(
            workspace: try required(workspace, "workspace"), label: try required(label, "label"), link: link,
            purpose: try required(purpose, "purpose"), attempt: attempt, stage: stage, isClosed: isClosed,
            isLinkUsed: isLinkUsed, reference: reference)
    }
}
