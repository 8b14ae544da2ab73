import Domain

extension ChatRequest {
    /// An image in a `data:` URL (RFC 2397), or the address of one.
    static func image(_ url: String, _ place: String) throws(UntranslatableRequest) -> Image {
        guard url.hasPrefix("data:") else {
            guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
                throw UntranslatableRequest("\(place) must be an http, https or data URL")
            }
            return .url(url)
        }
        guard let comma = url.firstIndex(of: ","), url[..<comma].hasSuffix(";base64") else {
            throw UntranslatableRequest("\(place) must be base64 when it is a data URL")
        }
        let mediaType = url[..<comma].dropFirst("data:".count).prefix { $0 != ";" }
        return .data(
            mediaType: mediaType.isEmpty ? "application/octet-stream" : String(mediaType),
            base64: String(url[url.index(after: comma)...]))
    }
}
