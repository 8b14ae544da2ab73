import Crypto
import Domain

/// AWS Signature Version 4 (docs.aws.amazon.com, "Create a signed AWS API request"), as botocore signs.
struct SigV4Signer: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"

    let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String?
    let region: String
    let service: String

    /// The call with its date, its token and `Authorization`.
    ///
    /// Signed are `Host`, `Content-Type`, `Content-MD5` and every `X-Amz-` header: others may be changed on the way.
    func sign(_ call: OutgoingCall, at time: Timestamp) throws(CredentialError) -> OutgoingCall {
        var call = call
        let date = Self.date(time)
        for name in ["Authorization", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-Date", "Date"] {
            call.removeHeader(name)
        }
        try call.setHeader("X-Amz-Date", date)
        if let sessionToken { try call.setHeader("X-Amz-Security-Token", sessionToken) }
        let bodyHash = SHA256.hash(data: call.body).hexText
        if service == "s3" { try call.setHeader("X-Amz-Content-Sha256", bodyHash) }
        let headers = signedHeaders(call)
        let names = headers.map(\.name).joined(separator: ";")
        let scope = "\(date.prefix(8))/\(region)/\(service)/aws4_request"
        let request = canonicalRequest(call, headers, names, bodyHash)
        let text = [Self.algorithm, date, scope, SHA256.hash(data: Array(request.utf8)).hexText]
            .joined(separator: "\n")
        let signature = Self.code(text, key: signingKey(String(date.prefix(8)))).hexText
        try call.setHeader(
            "Authorization",
            "\(Self.algorithm) Credential=\(accessKeyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)")
        return call
    }

    private func canonicalRequest(
        _ call: OutgoingCall, _ headers: [(name: String, value: String)], _ names: String, _ bodyHash: String
    ) -> String {
        let url = URLParts(call.url)
        let query = url.queryPairs.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
        return [call.method.uppercased(), canonicalPath(url.path), query, lines, names, bodyHash]
            .joined(separator: "\n")
    }

    /// S3 takes the path as it is; all others without dot segments, its escapes escaped once more.
    private func canonicalPath(_ path: String) -> String {
        guard service != "s3" else { return path.isEmpty ? "/" : path }
        var segments: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
        }
        let joined = "/" + segments.joined(separator: "/")
        let isFolder = path.hasSuffix("/") && !segments.isEmpty
        return PercentEncoding.encode(isFolder ? joined + "/" : joined, keeping: "/")
    }

    private func signedHeaders(_ call: OutgoingCall) -> [(name: String, value: String)] {
        var values: [String: [String]] = ["host": [URLParts(call.url).host]]
        for (name, value) in call.headers {
            let lowered = name.lowercased()
            guard lowered.hasPrefix("x-amz-") || lowered == "content-type" || lowered == "content-md5" else { continue }
            values[lowered, default: []].append(
                value.split { $0 == " " || $0 == "\t" }.joined(separator: " "))
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
    }

    private func signingKey(_ day: String) -> SymmetricKey {
        var key = SymmetricKey(data: Array("AWS4\(secretAccessKey)".utf8))
        for part in [day, region, service, "aws4_request"] {
            key = SymmetricKey(data: Self.code(part, key: key))
        }
        return key
    }

    private static func code(_ text: String, key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }

    /// `20260723T101112Z`
    private static func date(_ time: Timestamp) -> String {
        time.description.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }
}

/// Signs every call with the time it goes out at.
struct AWSSignatureInjector: CredentialInjector {
    let signer: SigV4Signer
    let now: @Sendable () -> Timestamp

    var secrets: [String] {
        [signer.accessKeyID, signer.secretAccessKey] + [signer.sessionToken].compactMap(\.self)
    }

    func apply(to call: OutgoingCall) async throws(CredentialError) -> OutgoingCall {
        try signer.sign(call, at: now())
    }
}
