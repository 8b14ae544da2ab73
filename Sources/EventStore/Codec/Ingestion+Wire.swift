import Domain

extension SourcesAnalyzed {
    func write(to writer: inout WireWriter) {
        writer.add(1, document.text)
        writer.add(2, expiresAt)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (document, expiresAt) = (JSONText(verified: ""), Timestamp(microseconds: 0))
        while let field = try reader.next() {
            switch field {
            case 1: document = try reader.json()
            case 2: expiresAt = try reader.time()
            default: try reader.skip()
            }
        }
        self.init(document: document, expiresAt: expiresAt)
    }
}

extension BuildRequested {
    func write(to writer: inout WireWriter) {
        writer.add(1, name)
        writer.add(2, image)
        writer.add(3, document.text)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (name, image, document) = ("", "", JSONText(verified: ""))
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.text()
            case 2: image = try reader.text()
            case 3: document = try reader.json()
            default: try reader.skip()
            }
        }
        self.init(name: name, image: image, document: document)
    }
}

extension BuildStarted {
    func write(to writer: inout WireWriter) { writer.add(1, attempt) }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var attempt: UInt32 = 0
        while let field = try reader.next() {
            switch field {
            case 1: attempt = try reader.unsigned32()
            default: try reader.skip()
            }
        }
        self.init(attempt: attempt)
    }
}

extension BuildFinished {
    func write(to writer: inout WireWriter) {
        writer.add(1, optional: error)
        writer.add(2, log)
        writer.add(3, optional: imageID)
        writer.add(4, optional: imageError)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (error, log): (String?, String) = (nil, "")
        var (imageID, imageError): (String?, String?) = (nil, nil)
        while let field = try reader.next() {
            switch field {
            case 1: error = try reader.text()
            case 2: log = try reader.text()
            case 3: imageID = try reader.text()
            case 4: imageError = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(error: error, log: log, imageID: imageID, imageError: imageError)
    }
}
