package import Domain

/// A recipe for an image that runs what a build is made of, for whoever makes images with tools of their own.
package enum Dockerfile {
    /// - Parameter document: a build's content.
    package static func text(_ document: JSONValue, runtime: String) -> String {
        let requirements = document["requirements"]?.string ?? ""
        let lines = requirements.split(whereSeparator: \.isNewline).map { line in
            String(line.prefix { $0 != "#" }).split(separator: " ").joined(separator: " ")
        }.filter { !$0.isEmpty }
        let packages = ([runtime] + lines).map(quoted).joined(separator: " ")
        var text = """
            FROM python:3.12-slim
            WORKDIR /app
            RUN pip install --no-cache-dir -- \(packages)
            COPY . /app
            ENV RUNAGENTS_USER_CODE_DIR=/app PYTHONUNBUFFERED=1

            """
        if let entry = document["entry_point"]?.string { text += "ENV USER_ENTRY_POINT=\(quoted(entry))\n" }
        return text + """
            USER 65534:65534
            EXPOSE 8080
            CMD ["python3", "-m", "runagents.runtime"]

            """
    }

    /// In double quotes, for the shell and for `ENV` alike.
    private static func quoted(_ text: String) -> String {
        let plain = text.map { "\"\\$`".contains($0) ? "\\\($0)" : String($0) }.joined()
        return "\"\(plain)\""
    }
}
