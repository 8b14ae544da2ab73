import Governance
import Testing

/// The addresses that a call may be connected to: host as written, topology, address of the connection.
struct AddressRuleTests {
    private func refusal(
        _ host: String, _ isInternal: Bool, _ address: String, allowed: [String] = []
    ) throws -> AddressRefusal? {
        let rule = AddressRule(allowed: try allowed.map { try #require(AddressBlock($0)) })
        return rule.refusal(of: try #require(IPAddress(address)), for: AddressedHost(host, isInternal: isInternal))
    }

    @Test(arguments: [
        ("8.8.8.8", true), ("2606:4700::1111", true),
        ("10.0.0.1", false), ("172.16.0.1", false), ("192.168.1.1", false), ("100.64.0.1", false), ("127.0.0.1", false),
        ("127.255.255.254", false), ("::1", false), ("fd00::1", false), ("fec0::1", false), ("0.0.0.0", false),
        ("::", false), ("169.254.169.254", false), ("fe80::1", false), ("224.0.0.1", false), ("255.255.255.255", false),
        ("240.0.0.1", false), ("192.0.2.1", false), ("198.18.0.1", false), ("ff02::1", false),
        // Embedded in IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo.
        ("::ffff:127.0.0.1", false), ("::ffff:8.8.8.8", true), ("::ffff:169.254.169.254", false),
        ("::127.0.0.1", false),
        ("::ffff:0:10.0.0.1", false), ("64:ff9b::10.0.0.1", false), ("64:ff9b::8.8.8.8", true),
        ("64:ff9b::169.254.169.254", false), ("64:ff9b:1::1", false), ("2002:7f00:1::", false),
        ("2002:a9fe:a9fe::1", false), ("2001:0:1:2:3:4:80ff:fffe", false),
        // The metadata services of clouds.
        ("fd00:ec2::254", false), ("fd20:ce::254", false), ("100.100.100.200", false), ("192.0.0.192", false),
        ("168.63.129.16", false),
    ])
    func aNameLeadsToTheInternetAlone(address: String, isPermitted: Bool) throws {
        #expect((try refusal("api.example.com", false, address) == nil) == isPermitted)
    }

    @Test(arguments: [
        ("8.8.8.8", true), ("10.0.0.1", true), ("172.31.0.1", true), ("100.64.0.1", true), ("127.0.0.1", true),
        ("::1", true), ("fd00::1", true), ("::ffff:10.0.0.1", true), ("64:ff9b::10.0.0.1", true),
        ("169.254.169.254", false), ("fe80::1", false), ("::ffff:169.254.1.1", false), ("fd00:ec2::254", false),
        ("100.100.100.200", false), ("0.0.0.0", false), ("::", false), ("224.0.0.1", false), ("255.255.255.255", false),
        ("192.0.2.1", false), ("240.0.0.1", false),
    ])
    func anInternalNameAlsoLeadsToTheOwnNetwork(address: String, isPermitted: Bool) throws {
        #expect((try refusal("stripe", true, address) == nil) == isPermitted)
    }

    @Test(
        arguments: [
            ("127.0.0.1", true), ("10.0.0.1", true), ("192.168.0.1", true), ("8.8.8.8", true), ("::1", true),
            ("::ffff:127.0.0.1", true), ("fd00::1", true), ("192.0.2.1", true), ("198.18.0.1", true),
            ("169.254.169.254", false), ("::ffff:169.254.169.254", false), ("64:ff9b::a9fe:a9fe", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false), ("100.100.100.200", false), ("0.0.0.0", false), ("0.1.2.3", false), ("::", false),
            ("224.0.0.1", false), ("255.255.255.255", false), ("240.0.0.1", false), ("192.0.0.192", false),
        ], [true, false])
    func anAddressThatIsWrittenOutIsReached(written: (address: String, isPermitted: Bool), isInternal: Bool) throws {
        let host = written.address.contains(":") ? "[\(written.address)]" : written.address
        #expect((try refusal(host, isInternal, written.address) == nil) == written.isPermitted)
    }

    @Test(
        arguments: [
            ("127.0.0.1", true), ("10.0.0.1", true), ("8.8.8.8", true), ("::1", true), ("fd00::1", true),
            ("203.0.113.80", true), ("198.18.0.1", true), ("169.254.169.254", false), ("fe80::1", false),
            ("::ffff:169.254.169.254", false), ("fd00:ec2::254", false), ("100.100.100.200", false), ("0.0.0.0", false),
            ("224.0.0.1", false),
        ])
    func aNameOfTheOperatorsSettingsLeadsWhereAnAddressWrittenOutDoes(address: String, isPermitted: Bool) throws {
        let connected = try #require(IPAddress(address))
        for host in ["packages.example.com", address] {
            let refusal = AddressRule().refusal(of: connected, for: AddressedHost(configured: host))
            #expect((refusal == nil) == isPermitted, "\(host)")
        }
        let local = AddressRule().refusal(of: connected, for: AddressedHost(configured: "localhost"))
        #expect((local == nil) == (connected.kind == .loopback))
    }

    @Test(arguments: ["localhost", "api.localhost", "a.b.localhost"], [true, false])
    func localhostIsLoopbackAlone(host: String, isInternal: Bool) throws {
        #expect(try refusal(host, isInternal, "127.0.0.1") == nil)
        #expect(try refusal(host, isInternal, "::1") == nil)
        for address in ["10.0.0.1", "169.254.169.254", "8.8.8.8", "0.0.0.0", "fd00::1"] {
            #expect(try refusal(host, isInternal, address) != nil, "\(address)")
        }
    }

    @Test func aNameThatLooksLikeLocalhostIsNone() throws {
        #expect(try refusal("notlocalhost", false, "127.0.0.1") != nil)
        #expect(try refusal("localhost.example.com", false, "127.0.0.1") != nil)
    }

    @Test(arguments: [
        ("169.254.0.0/16", "169.254.169.254", true), ("169.254.169.254", "169.254.169.254", true),
        ("169.254.169.254/32", "169.254.169.253", false), ("169.254.0.0/16", "::ffff:169.254.169.254", true),
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "172.16.0.1", false),
        ("10.0.0.0/8", "64:ff9b::10.0.0.1", true), ("10.0.0.0/8", "64:ff9b:1::10.0.0.1", true),
        ("64:ff9b:1::/48", "64:ff9b:1::169.254.169.254", true), ("10.0.0.0/8", "64:ff9b:1:a00:0:100::", false),
        ("fe80::/10", "fe80::1", true), ("fe80::/10", "169.254.0.1", false), ("fd00:ec2::254", "fd00:ec2::254", true),
        ("0.0.0.0/0", "127.0.0.1", true), ("::/0", "::1", true), ("::/0", "127.0.0.1", false),
    ])
    func theSettingAllowsItsBlocksForEveryHost(block: String, address: String, isPermitted: Bool) throws {
        #expect((try refusal("metadata.example.com", false, address, allowed: [block]) == nil) == isPermitted)
    }

    @Test(arguments: [
        "", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "10.0.0.0/8/8", "host",
        "10.0.0/8", "/8", "fe80::1%eth0/64", "10.0.0.0/0x8",
    ])
    func textThatIsNoBlockIsRefused(text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test func theReasonSaysWhatToDo() throws {
        let own = try #require(try refusal("db", false, "10.0.0.1"))
        #expect(own.reason(allowing: "the tool with spec.connection.topology").contains("topology Internal"))
        #expect(own.reason(allowing: nil).contains("outbound-allow"))
        let metadata = try #require(try refusal("169.254.169.254", true, "169.254.169.254"))
        let reason = metadata.reason(allowing: "the tool with spec.connection.topology")
        #expect(reason.contains("link-local") && reason.contains("outbound-allow") && !reason.contains("Internal"))
    }
}
