extension JSONValue {
    /// The object with the first member of that name changed; any other value as it is.
    package func replacing(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(var members) = self, let index = members.firstIndex(where: { $0.name == name }) else {
            return self
        }
        members[index] = Member(name: name, value: change(members[index].value))
        return .object(members)
    }
}
