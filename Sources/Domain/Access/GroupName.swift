/// The name of a group of approvers, as policies ask for it and keys carry it. Compared byte for byte.
package enum GroupName {
    /// How many groups a key is in, at most.
    package static let perKeyMax = 64
    package static let bytesMax = 128
    package static let rule = "1 to 128 letters, digits, and - _ . : @ / and spaces"

    package static func isValid(_ name: String) -> Bool {
        (1...bytesMax).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { scalar in
                scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "-_. :@/".unicodeScalars.contains(scalar)
            }
    }
}

extension String {
    /// True when both have the same bytes. To `==` canonically equivalent texts are equal, such as a letter K and a Kelvin
    /// sign.
    package func isExactly(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
