import Domain
import Foundation

/// Refuses text that is no absolute http or https URL, or that carries a user name or password.
func checkURL(_ text: String, _ field: String) throws(APIError) {
    guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(),
        scheme == "http" || scheme == "https", let host = url.host, !host.isEmpty
    else { throw .badRequest("\(field) must be an http or https URL") }
    guard url.user == nil, url.password == nil else {
        throw .badRequest("\(field) must not carry a user name or password")
    }
    // A port that is no number for Foundation is none, and yet it stands there.
    guard url.port.map((1...65_535).contains) ?? (url.rangeOfPort?.isEmpty ?? true) else {
        throw .badRequest("\(field) must have a port from 1 to 65535, or none")
    }
}
