import Governance
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("0.0.0.0", AddressKind.unspecified), ("0.255.255.255", .unspecified), ("1.0.0.0", .global),
        ("9.255.255.255", .global), ("10.0.0.0", .private), ("10.255.255.255", .private), ("11.0.0.0", .global),
        ("100.63.255.255", .global), ("100.64.0.0", .shared), ("100.127.255.255", .shared), ("100.128.0.0", .global),
        ("126.255.255.255", .global), ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("128.0.0.0", .global),
        ("169.253.255.255", .global), ("169.254.169.254", .linkLocal), ("169.255.0.0", .global),
        ("172.15.255.255", .global), ("172.16.0.0", .private), ("172.31.255.255", .private), ("172.32.0.0", .global),
        ("192.0.0.8", .reserved), ("192.0.2.1", .documentation), ("192.0.3.0", .global), ("192.88.99.1", .reserved),
        ("192.167.255.255", .global), ("192.168.0.0", .private), ("192.168.255.255", .private),
        ("192.169.0.0", .global),
        ("198.17.255.255", .global), ("198.18.0.0", .benchmarking), ("198.19.255.255", .benchmarking),
        ("198.20.0.0", .global), ("198.51.100.7", .documentation), ("203.0.113.7", .documentation),
        ("223.255.255.255", .global), ("224.0.0.1", .multicast), ("239.255.255.255", .multicast),
        ("240.0.0.0", .reserved), ("255.255.255.254", .reserved), ("255.255.255.255", .broadcast),
        ("::", .unspecified), ("::1", .loopback), ("::2", .reserved), ("::7f00:1", .reserved),
        ("::ffff:127.0.0.1", .loopback), ("::ffff:169.254.169.254", .linkLocal), ("::ffff:8.8.8.8", .global),
        ("64:ff9b::10.0.0.1", .private), ("64:ff9b::8.8.8.8", .global), ("64:ff9b:1::1", .unspecified),
        ("2002:7f00:1::1", .loopback), ("2002:a9fe:a9fe::", .linkLocal), ("2002:808:808::1", .global),
        ("100::1", .reserved), ("2001::1", .reserved), ("2001:1ff:ffff::", .reserved), ("2001:200::1", .global),
        ("2001:2::1", .benchmarking), ("2001:db8::1", .documentation), ("2606:4700::1111", .global),
        ("3fff:fff::1", .documentation), ("3fff:1000::", .global), ("4000::1", .reserved), ("5f00::1", .reserved),
        ("fc00::1", .private), ("fdff:ffff::1", .private), ("fe00::1", .reserved), ("fe80::1", .linkLocal),
        ("febf::1", .linkLocal), ("fec0::1", .private), ("ff02::1", .multicast),
    ])
    func anAddressIsWhatTheRegistrySays(text: String, kind: AddressKind) throws {
        #expect(try #require(IPAddress(text)).kind == kind)
    }

    /// RFC 6052, section 2.4, gives the layouts of each prefix length.
    @Test(arguments: [
        ("64:ff9b:1::169.254.169.254", AddressKind.linkLocal), ("64:ff9b:1:a9fe:a9:fe00::", .linkLocal),
        ("64:ff9b:1:a9:fe:a9fe::", .linkLocal), ("64:ff9b:1:0:a9:fea9:fe00:0", .linkLocal),
        ("64:ff9b:1::127.0.0.1", .loopback), ("64:ff9b:1::10.0.0.1", .private), ("64:ff9b:1:5::10.0.0.1", .private),
        ("64:ff9b:1::100.100.100.200", .metadata), ("64:ff9b:1::8.8.8.8", .global), ("64:ff9b:1:808:8:800::", .global),
        ("64:ff9b:1::", .unspecified), ("64:ff9b:1::100:0:0:1", .reserved), ("64:ff9b:2::8.8.8.8", .reserved),
        ("::ffff:0:169.254.169.254", .linkLocal), ("2001:0:1:2::5601:5601", .linkLocal),
    ])
    func anAddressThatIsTranslatedIsWhatItCarries(text: String, kind: AddressKind) throws {
        #expect(try #require(IPAddress(text)).kind == kind)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.+4", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "g::",
        "1:2:3:4:5:6:7:8:9", "::1.2.3", "1.2.3.4::", "fe80::1%eth0", "[::1]", "12345::", "1:2:3:4:5:6:7:8::",
    ])
    func textThatIsNoAddressIsRefused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("0:0:0:0:0:0:0:0", "::"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
        ("::ffff:1.2.3.4", "::ffff:102:304"), ("1::", "1::"), ("127.0.0.1", "127.0.0.1"),
    ])
    func anAddressIsWrittenInOneWay(text: String, written: String) throws {
        #expect(try #require(IPAddress(text)).description == written)
    }
}
