import AsyncHTTPClient
package import NIOCore
import NIOHTTP1

/// A response whose body is read as it arrives.
package struct OutboundResponse: Sendable {
    package let status: Int
    package internal(set) var headers: [(name: String, value: String)]
    /// The body. It can be read once.
    package internal(set) var body: Body

    package struct Body: AsyncSequence, Sendable {
        package typealias Element = ByteBuffer

        struct Decoding: Hashable, Sendable {
            let coding: ContentCoding
            let bytesMax: Int
        }

        let chunks: HTTPClientResponse.Body
        /// The coding that is taken off while the body is read.
        var decoding: Decoding?

        package struct AsyncIterator: AsyncIteratorProtocol {
            var chunks: HTTPClientResponse.Body.AsyncIterator
            let decoder: BodyDecoder?

            /// - Throws: `OutboundError`.
            package mutating func next() async throws -> ByteBuffer? {
                guard let decoder else { return try await nextAsSent() }
                while true {
                    if let part = try decoder.next() { return part }
                    guard let chunk = try await nextAsSent() else {
                        try decoder.finish()
                        return nil
                    }
                    decoder.take(chunk)
                }
            }

            private mutating func nextAsSent() async throws -> ByteBuffer? {
                do { return try await chunks.next() } catch { throw OutboundError(error) }
            }
        }

        package func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(
                chunks: chunks.makeAsyncIterator(),
                decoder: decoding.map { BodyDecoder($0.coding, bytesMax: $0.bytesMax) })
        }

        /// Reads the body and keeps its beginning.
        ///
        /// - Returns: up to `bytesMax` bytes, and the number of those that follow, as far as the request's limit lets
        ///   them be read.
        package func beginning(_ bytesMax: Int) async throws(OutboundError) -> (bytes: [UInt8], bytesCut: Int) {
            var (bytes, bytesCut): ([UInt8], Int) = ([], 0)
            do {
                for try await chunk in self {
                    let kept = Swift.min(chunk.readableBytes, bytesMax - bytes.count)
                    bytes += chunk.readableBytesView.prefix(kept)
                    bytesCut += chunk.readableBytes - kept
                }
            } catch {
                guard case .tooLarge(let readMax) = OutboundError(error) else { throw OutboundError(error) }
                bytesCut = Swift.max(bytesCut, readMax - bytes.count)
            }
            return (bytes, bytesCut)
        }

        /// Reads the whole body, which the request's limit bounds.
        package func collect() async throws(OutboundError) -> [UInt8] {
            var bytes: [UInt8] = []
            do {
                for try await chunk in self { bytes += chunk.readableBytesView }
            } catch {
                throw OutboundError(error)
            }
            return bytes
        }
    }

    init(_ response: HTTPClientResponse) {
        status = Int(response.status.code)
        headers = response.headers.map { ($0.name, $0.value) }
        body = Body(chunks: response.body)
    }

    /// The first header of that name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The media type in lower case, without parameters (RFC 9110, section 8.3.1).
    package var mediaType: String? {
        header("content-type").map { type in
            String(decoding: type.utf8.prefix { $0 != UInt8(ascii: ";") && $0 > 0x20 }, as: UTF8.self).lowercased()
        }
    }

    /// True when the body is encoded, so that its bytes are not those of its text.
    package var hasContentEncoding: Bool {
        headers.contains { $0.name.lowercased() == "content-encoding" && $0.value.lowercased() != "identity" }
    }
}
