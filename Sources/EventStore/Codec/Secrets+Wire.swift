package import Domain

extension SecretStored {
    func write(to writer: inout WireWriter) {
        writer.add(1, kind)
        writer.add(2, owner)
        writer.add(3, name)
        writer.add(4, sealed.keyID)
        writer.add(5, sealed.ciphertext)
        writer.add(6, replacedKeyID)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (kind, owner, name): (ResourceKind?, String, String) = (nil, "", "")
        var (keyID, ciphertext, replacedKeyID): (DataKeyID?, [UInt8], DataKeyID?) = (nil, [], nil)
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.choice("owner_kind")
            case 2: owner = try reader.text()
            case 3: name = try reader.text()
            case 4: keyID = try reader.id("key_id")
            case 5: ciphertext = try reader.byteArray()
            case 6: replacedKeyID = try reader.id("replaced_key_id")
            default: try reader.skip()
            }
        }
        self.init(
            kind: try required(kind, "owner_kind"), owner: owner, name: name,
            sealed: SealedSecret(keyID: try required(keyID, "key_id"), ciphertext: ciphertext),
            replacedKeyID: replacedKeyID)
    }
}

extension SecretDeleted {
    func write(to writer: inout WireWriter) {
        writer.add(1, kind)
        writer.add(2, owner)
        writer.add(3, name)
        writer.add(4, keyID)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (kind, owner, name, keyID): (ResourceKind?, String, String, DataKeyID?) = (nil, "", "", nil)
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.choice("owner_kind")
            case 2: owner = try reader.text()
            case 3: name = try reader.text()
            case 4: keyID = try reader.id("key_id")
            default: try reader.skip()
            }
        }
        self.init(
            kind: try required(kind, "owner_kind"), owner: owner, name: name, keyID: try required(keyID, "key_id"))
    }
}
