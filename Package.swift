// swift-tools-version: 6.1
import PackageDescription

// The rooms of docs/ARCHITECTURE.md, lowest first. A target may import what its line names and nothing else:
// the explicit-import check is an error (Makefile), and imports are internal and not re-exported by default.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = [], embedding files: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: files.map { .embedInCode($0) }, swiftSettings: strict)
}

func suite(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: strict)
}

extension Target.Dependency {
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let protobuf = product(name: "SwiftProtobuf", package: "swift-protobuf")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let sqlite = product(name: "GRDBSQLite", package: "GRDB.swift")
    static let httpClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdTesting = product(name: "HummingbirdTesting", package: "hummingbird")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let arguments = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let heap = product(name: "HeapModule", package: "swift-collections")
    static let jwtKit = product(name: "JWTKit", package: "jwt-kit")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let yams = product(name: "Yams", package: "Yams")
    static let system = product(name: "SystemPackage", package: "swift-system")
}

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "sluice", targets: ["sluice"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
    ],
    targets: [
        // Level 0: knows nothing of ours.
        .systemLibrary(name: "CLZ4", path: "Sources/CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CMalloc", path: "Sources/CMalloc"),
        // Files that the binary brings along.
        .target(name: "CAssets"),
        room("Domain"),
        // Level 1
        room("Authentication", ["Domain", .crypto, .cryptoExtras, .jwtKit]),
        room("Governance", ["Domain", .crypto]),
        room("EventLog", ["CLZ4", .crypto, .logging, .metrics]),
        room("Secrets", ["Domain", .crypto]),
        room("Catalog", ["Domain"], embedding: ["Agents"]),
        // Level 2
        room("EventStore", ["Domain", "EventLog"]),
        room("Outbound", ["CZlib", "Governance", .httpClient, .nioCore, .nioHTTP1, .nioPosix, .nioSSL]),
        // Level 3
        room("CommandHandling", ["Domain", "EventStore", .deque, .logging, .metrics]),
        room("Projections", ["Domain", "EventLog", "EventStore", .grdb, .sqlite, .logging, .metrics]),
        room("EventStreaming", ["Domain", "EventStore"]),
        // Level 4
        room(
            "Audit",
            ["Domain", "Authentication", "EventLog", "EventStore", "EventStreaming", "Secrets", .crypto, .logging]),
        room("Scheduling", ["Domain", "EventStore", "CommandHandling", .deque, .heap, .logging]),
        room(
            "Execution",
            [
                "Domain", "EventStore", "CommandHandling", "Outbound", .crypto, .deque, .nioCore, .nioPosix,
                .subprocess, .system, .logging,
            ],
            embedding: [
                "Python/answers.py",
                "Python/attempts.py",
                "Python/clients.py",
                "Python/contexts.py",
                "Python/entry.py",
                "Python/event_loop.py",
                "Python/handlers.py",
                "Python/imports.py",
                "Python/interrupts.py",
                "Python/package_repairs.py",
                "Python/results.py",
                "Python/rewrites.py",
                "Python/runtime_changes.py",
                "Python/threads.py",
                "Python/Frameworks/ag2_agents.py",
                "Python/Frameworks/agent_framework_agents.py",
                "Python/Frameworks/agno_agents.py",
                "Python/Frameworks/autogen_agents.py",
                "Python/Frameworks/crewai_crews.py",
                "Python/Frameworks/dspy_programs.py",
                "Python/Frameworks/google_adk_agents.py",
                "Python/Frameworks/haystack_agents.py",
                "Python/Frameworks/langchain_runnables.py",
                "Python/Frameworks/langgraph_graphs.py",
                "Python/Frameworks/llama_index_agents.py",
                "Python/Frameworks/openai_agents.py",
                "Python/Frameworks/pydantic_ai_agents.py",
                "Python/Frameworks/smolagents_agents.py",
                "Python/Frameworks/strands_agents.py",
            ]),
        room(
            "Gateways",
            [
                "Domain", "Authentication", "EventStore", "Governance", "CommandHandling", "Outbound", "Projections",
                "Secrets", .crypto, .heap, .nioCore, .logging, .metrics,
            ]),
        room(
            "Ingestion", ["Domain", "EventStore", "CommandHandling", .crypto, .logging],
            embedding: [
                "Python/limits.py",
                "Python/tables.py",
                "Python/secrets.py",
                "Python/findings.py",
                "Python/modules.py",
                "Python/names.py",
                "Python/values.py",
                "Python/models.py",
                "Python/http_calls.py",
                "Python/tools.py",
                "Python/python_sources.py",
                "Python/scripts.py",
                "Python/script_sources.py",
                "Python/requirements.py",
                "Python/entry_points.py",
                "Python/overview.py",
                "Python/main.py",
            ]),
        // Level 5
        room(
            "HTTPAPI",
            [
                "Domain", "Governance", "CommandHandling", "Projections", "EventStreaming", "Authentication", "Secrets",
                "Gateways", "Catalog", "Ingestion", "CAssets", "Audit", "Outbound", .crypto, .yams,
                .hummingbird, .hummingbirdCore, .httpTypes, .lifecycle, .nioCore, .nioHTTP1, .nioHTTPTypes, .logging,
                .metrics,
            ]),
        // Level 6
        room(
            "Daemon",
            [
                "Domain", "Authentication", "EventLog", "EventStore", "CommandHandling", "Projections",
                "EventStreaming", "Scheduling", "Execution", "Gateways", "Governance", "Ingestion", "HTTPAPI",
                "Outbound", "Secrets", "Audit", "CMalloc", .hummingbird,
                .configuration, .lifecycle, .logging, .metrics, .nioCore, .nioPosix, .system, .unixSignals,
            ]),
        // Level 7
        .executableTarget(
            name: "sluice",
            dependencies: [
                "Audit", "Daemon", "Domain", "EventLog", "EventStreaming", .arguments, .logging, .metrics,
                .subprocess, .system,
            ],
            swiftSettings: strict),
        // Benchmarks
        .executableTarget(
            name: "EchoServer", dependencies: [.hummingbird, .httpTypes, .logging, .nioCore], path: "Benchmarks/echo",
            swiftSettings: strict),
        .executableTarget(
            name: "EncodingBenchmark", dependencies: ["CLZ4", "Domain", "EventStore", "Secrets", "TestSupport"],
            path: "Benchmarks/encoding", swiftSettings: strict),
        .executableTarget(
            name: "KeyringBenchmark", dependencies: ["Domain", "Secrets", "TestSupport"], path: "Benchmarks/keyring",
            swiftSettings: strict),
        .executableTarget(
            name: "AuditBenchmark",
            dependencies: ["Audit", "Domain", "EventLog", "EventStore", "TestSupport", .logging],
            path: "Benchmarks/audit", swiftSettings: strict),
        .executableTarget(
            name: "BacktestBenchmark", dependencies: ["Domain", "Governance"], path: "Benchmarks/backtest",
            swiftSettings: strict),
        .executableTarget(
            name: "QueryBenchmark", dependencies: ["Domain", "EventStore", "Projections", "TestSupport", .logging],
            path: "Benchmarks/queries", swiftSettings: strict),
        .executableTarget(
            name: "HistoryGenerator",
            dependencies: ["CommandHandling", "Domain", "EventLog", "EventStore", "TestSupport", .logging],
            path: "Benchmarks/history", swiftSettings: strict),
        // Tests
        .target(
            name: "TestSupport", dependencies: ["Domain"], path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "Simulation",
            dependencies: ["CommandHandling", "Domain", "EventLog", "EventStore", "Scheduling", "TestSupport"],
            path: "Tests/Simulation", swiftSettings: strict),
        .executableTarget(
            name: "Simulate", dependencies: ["Simulation", .arguments], path: "Tests/Simulate", swiftSettings: strict),
        .target(
            name: "Fuzzing",
            dependencies: [
                "CommandHandling", "Domain", "EventLog", "EventStore", "EventStreaming", "HTTPAPI", "Outbound",
                "TestSupport", .nioCore, .nioEmbedded, .nioHTTP1,
            ],
            path: "Tests/Fuzzing", exclude: ["Corpus", "corpus.py"], swiftSettings: strict),
        suite("Fuzzing", ["Fuzzing", "TestSupport"]),
        suite("Simulation", ["Simulation"]),
        suite("Domain", ["Domain", "TestSupport"]),
        suite("Authentication", ["Domain", "Authentication", .crypto, .jwtKit]),
        suite("Governance", ["Domain", "Governance", "TestSupport"]),
        suite("EventLog", ["EventLog", "TestSupport", .crypto, .logging]),
        suite("EventStore", ["Domain", "EventLog", "EventStore", "TestSupport", .logging, .protobuf]),
        suite("EventStreaming", ["Domain", "EventLog", "EventStore", "EventStreaming", .logging]),
        suite("CommandHandling", ["Domain", "EventLog", "EventStore", "CommandHandling", "TestSupport", .logging]),
        suite("Projections", ["Domain", "EventLog", "EventStore", "Projections", "TestSupport", .grdb, .logging]),
        suite("Scheduling", ["Domain", "Scheduling"]),
        suite(
            "Gateways",
            [
                "Domain", "Authentication", "CommandHandling", "Gateways", "Governance", "Projections", "Secrets",
                "TestSupport", .logging,
            ]),
        suite("Outbound", ["Fuzzing", "Outbound", .nioCore, .nioEmbedded, .nioHTTP1]),
        suite("Secrets", ["Domain", "Secrets", "TestSupport", .crypto]),
        suite("Execution", ["Domain", "Execution"]),
        suite("Ingestion", ["Domain", "Ingestion"]),
        suite("HTTPAPI", ["Domain", "HTTPAPI", "Projections", .nioCore]),
        suite("Daemon", ["Daemon", .lifecycle, .logging]),
        suite("Audit", ["Domain", "EventLog", "EventStore", "Audit", "TestSupport", .crypto, .logging]),
    ]
)

// Two builds that no other build knows of.

// `make fuzz`: libFuzzer's driver, and coverage of the rooms that it is to see into.
if Context.environment["SLUICE_FUZZ"] != nil {
    for room in package.targets where room.path == nil && room.type == .regular {
        room.swiftSettings?.append(.unsafeFlags(["-sanitize=fuzzer"]))
    }
    package.targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz",
            swiftSettings: strict + [.enableExperimentalFeature("Extern")],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}

// `make tsan`: the thread sanitizer is told what the standard library's mutex promises, and shown a race.
if Context.environment["SLUICE_TSAN"] != nil {
    package.targets.append(
        .executableTarget(name: "PlantedRace", path: "Tests/PlantedRace", swiftSettings: strict))
    for target in package.targets where target.type != .system { target.dependencies.append("SanitizedMutex") }
    package.targets.append(
        .target(name: "SanitizedMutex", path: "Tests/SanitizedMutex", publicHeadersPath: "."))
}
