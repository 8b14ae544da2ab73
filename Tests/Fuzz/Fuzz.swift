import Fuzzing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Gives libFuzzer's inputs to the target that `FUZZ_TARGET` names.
///
/// A variable and not an argument, because libFuzzer starts itself again with the arguments that it knows.
@main
struct Fuzz {
    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(run(&count, &arguments))
    }

    private static func run(_ count: inout CInt, _ arguments: inout Arguments) -> CInt {
        runDriver(&count, &arguments, runOne)
    }
}

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

private let target: FuzzTarget = {
    guard let name = getenv("FUZZ_TARGET"), let target = FuzzTarget(rawValue: String(cString: name)) else {
        preconditionFailure("FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
}()

private func runOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        // What a precondition says is left out of an optimised build.
        "broken promise: \(error)\n".withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
        abort()
    }
    return 0
}

/// libFuzzer as a library (llvm.org/docs/LibFuzzer.html): SwiftPM gives every executable a `main` of its own.
@_extern(c, "LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
