/// The packages and the entry point that an analysis found in the sources of a deploy or a build that did not name them.
///
/// It is a part of the stored document, so that every start of a version uses what was found when it was deployed.
package struct FoundStart: Hashable, Sendable {
    /// Its name in the document of an agent or a build.
    package static let member = "found"

    /// The packages to install, each as a line of a requirements file.
    package let requirements: [String]
    /// Imports that were taken for packages of the same name, because no table knows their packages.
    package let guessed: [String]
    /// Lines of the sources' own requirements that name no package of an index.
    package let leftOut: [String]
    /// The file to import; `nil` for sources without code, which the runtime's own loop answers for.
    package let entryPoint: String?
    /// The reason why the code would not be run, where it would not be.
    package let refusal: String?

    package init(
        requirements: [String] = [], guessed: [String] = [], leftOut: [String] = [], entryPoint: String? = nil,
        refusal: String? = nil
    ) {
        self.requirements = requirements
        self.guessed = guessed
        self.leftOut = leftOut
        self.entryPoint = entryPoint
        self.refusal = refusal
    }

    /// Reads the analyzer's answer, or the member of a document; `nil` when the value is no object.
    package init?(_ value: JSONValue?) {
        guard let value, case .object = value else { return nil }
        self.init(
            requirements: value["requirements"].strings, guessed: value["guessed"].strings,
            leftOut: value["left_out"].strings, entryPoint: Self.text(value["entry_point"]),
            refusal: Self.text(value["refusal"]))
    }

    package var value: JSONValue {
        func list(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
        var members = [JSONValue.Member(name: "requirements", value: list(requirements))]
        if !guessed.isEmpty { members.append(.init(name: "guessed", value: list(guessed))) }
        if !leftOut.isEmpty { members.append(.init(name: "left_out", value: list(leftOut))) }
        if let entryPoint { members.append(.init(name: "entry_point", value: .string(entryPoint))) }
        if let refusal { members.append(.init(name: "refusal", value: .string(refusal))) }
        return .object(members)
    }

    private static func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }
}
