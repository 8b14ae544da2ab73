import Domain
import Testing

@Suite struct AgentAddressTests {
    @Test(arguments: ["payments", "a b", "ä:@%", "x/y"])
    func namesTheAgentItWasMadeOf(name: String) {
        let url = AgentAddress.invokeURL(ofAgent: name)
        #expect(AgentAddress.agentName(url) == name)
        #expect(url.hasPrefix("sluice://agents/") && url.utf8.allSatisfy { (0x21...0x7e).contains($0) })
    }

    @Test(arguments: [
        "https://agents/x", "sluice://agents/", "sluice://agents/%", "sluice://agents/%zz", "sluice://agents/%+1",
        "sluice://agents/%ff", "sluice://x",
    ])
    func isNothingElse(url: String) {
        #expect(AgentAddress.agentName(url) == nil)
    }
}
