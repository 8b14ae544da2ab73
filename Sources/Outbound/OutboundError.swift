import AsyncHTTPClient
import Foundation
package import Governance
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The reason why a request has no response, or only a part of one.
package enum OutboundError: Error, Hashable, Sendable {
    /// The request cannot be sent as it is.
    case invalidRequest(String)
    /// The connection led to an address that the rule does not permit.
    case addressRefused(AddressRefusal)
    /// Nothing listens at the address.
    case refused
    /// No connection could be made.
    case unreachable(String)
    /// The bytes to be sent were not those of the request. This is a fault of the daemon's own.
    case altered(String)
    /// The peer's response breaks the protocol.
    case malformed(String)
    case timedOut(String)
    /// The response's body has more bytes than the request's limit.
    case tooLarge(bytesMax: Int)
    /// The connection ended before the response did.
    case brokeOff(String)
    case cancelled

    /// True when nothing of the request was sent, as far as can be known.
    package var isNeverSent: Bool {
        switch self {
        case .invalidRequest, .addressRefused, .refused, .unreachable, .altered: true
        case .malformed, .timedOut, .tooLarge, .brokeOff, .cancelled: false
        }
    }
}

extension OutboundError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidRequest(let reason): reason
        case .addressRefused(let refusal): refusal.reason(allowing: nil)
        case .refused: "connection refused"
        case .unreachable(let reason): "no connection: \(reason)"
        case .altered(let reason): "internal error: \(reason); nothing was sent"
        case .malformed(let reason): "the response breaks HTTP: \(reason)"
        case .timedOut(let stage): "timed out waiting for \(stage)"
        case .tooLarge(let bytesMax): "the response is larger than \(bytesMax) bytes"
        case .brokeOff(let reason): "the connection broke off: \(reason)"
        case .cancelled: "cancelled"
        }
    }
}

extension OutboundError {
    /// The error in the words of this room.
    init(_ error: any Error) {
        switch error {
        case let error as OutboundError: self = error
        case is CancellationError: self = .cancelled
        case let error as HTTPClientError: self = Self.of(error)
        case let error as NIOConnectionError: self = Self.of(error)
        case let error as HTTPParserError: self = .malformed("\(error)")
        case let error as NIOSSLError: self = Self.of(error)
        case is NIOSSLExtraError, is BoringSSLError: self = .unreachable("TLS: \(error)")
        case ChannelError.connectTimeout: self = .unreachable("timed out connecting")
        case let error as IOError: self = Self.of(error)
        default: self = .brokeOff("\(error)")
        }
    }

    private static func of(_ error: HTTPClientError) -> Self {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: .unreachable("timed out connecting")
        case .tlsHandshakeTimeout: .unreachable("timed out in the TLS handshake")
        case .emptyHost, .invalidURL, .missingSocketPath: .invalidRequest("the URL names no host")
        case .deadlineExceeded, .readTimeout, .writeTimeout: .timedOut("the response")
        case .cancelled: .cancelled
        case .remoteConnectionClosed: .brokeOff("the peer closed it")
        default:
            error.isAboutRequest ? .invalidRequest("\(error)") : .brokeOff(error.shortDescription)
        }
    }

    private static func of(_ error: NIOConnectionError) -> Self {
        let errors = error.connectionErrors.map(\.error)
        if !errors.isEmpty, errors.allSatisfy({ OutboundError($0) == .refused }) { return .refused }
        if let first = errors.first { return .unreachable("\(first)") }
        return .unreachable("\(error.host) is not known")
    }

    private static func of(_ error: NIOSSLError) -> Self {
        if case .uncleanShutdown = error { return .brokeOff("the peer closed it without ending TLS") }
        return .unreachable("TLS: \(error)")
    }

    private static func of(_ error: IOError) -> Self {
        switch error.errnoCode {
        // Only connecting fails with these.
        case ECONNREFUSED, ENOENT: .refused
        case EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH: .unreachable("\(error)")
        default: .brokeOff("\(error)")
        }
    }
}

extension HTTPClientError {
    fileprivate var isAboutRequest: Bool {
        let text = shortDescription
        return text.hasPrefix("Invalid header field") || text == "Trace request with body"
    }
}
