import Domain
import Execution
import Testing

@Suite struct AgentEnvironmentTests {
    private func variables(
        _ document: String, secrets: [String: String] = [:], tool: String = #"{"spec":{}}"#
    ) throws -> [String: String] {
        AgentEnvironment(
            name: "payments", definition: try AgentDefinition(document: JSONValue(parsing: Array(document.utf8))),
            secrets: secrets,
            tools: [.init(name: "big-bank", document: try JSONValue(parsing: Array(tool.utf8)))],
            gate: "http://127.0.0.1:8081/as/t", port: 8080, sourceDirectory: "/bundle/src",
            environmentDirectory: "/bundle/venv"
        ).variables
    }

    @Test func namesTheGateForEverything() throws {
        let found = try variables(#"{"source_files":{"agent.py":"def handler(r): pass"}}"#)
        #expect(found["GOVERNANCE_URL"] == "http://127.0.0.1:8081/as/t")
        #expect(found["LLM_GATEWAY_URL"] == "http://127.0.0.1:8081/as/t/v1/p/default")
        #expect(found["TOOL_URL_BIG_BANK"] == "http://127.0.0.1:8081/as/t/egress/big-bank")
        #expect(found["USER_ENTRY_POINT"] == "agent.py" && found["PORT"] == "8080")
    }

    @Test func theSDKsOfModelsFindTheGateUnlessTheDeploySaysOtherwise() throws {
        let env = #"[{"name":"ANTHROPIC_BASE_URL","value":"https://own.test"}]"#
        let found = try variables(#"{"source_files":{"a.py":""},"spec":{"env":\#(env)}}"#)
        #expect(
            found["OPENAI_BASE_URL"] == "http://127.0.0.1:8081/as/t/v1" && found["OPENAI_API_KEY"]?.isEmpty == false)
        #expect(found["ANTHROPIC_BASE_URL"] == "https://own.test" && found["ANTHROPIC_API_KEY"]?.isEmpty == false)
    }

    @Test func theDeployDoesNotChangeWhatThePlatformSays() throws {
        let env =
            #"[{"name":"PORT","value":"1"},{"name":"TOOL_URL_BIG_BANK","value":"x"},{"name":"MAX_TOOL_ITERATIONS","value":"3"}]"#
        let found = try variables(#"{"source_files":{"a.py":""},"spec":{"env":\#(env)}}"#)
        #expect(found["PORT"] == "8080")
        #expect(found["TOOL_URL_BIG_BANK"]?.hasPrefix("http://127.0.0.1") == true)
        #expect(found["MAX_TOOL_ITERATIONS"] == "3")
    }

    @Test func sealedVariablesWinOverTheDeployAndNotOverThePlatform() throws {
        let env = #"[{"name":"BANK_TOKEN","value":"","secret":true},{"name":"MODE","value":"a"}]"#
        let found = try variables(
            #"{"source_files":{"a.py":""},"spec":{"env":\#(env)}}"#,
            secrets: [
                "BANK_TOKEN": "sealed", "PORT": "1", "TOOL_URL_BIG_BANK": "x", "OTHER": "set later", "A=B": "c",
            ])
        #expect(found["BANK_TOKEN"] == "sealed" && found["MODE"] == "a" && found["OTHER"] == "set later")
        #expect(found["PORT"] == "8080" && found["TOOL_URL_BIG_BANK"] != "x" && found["A=B"] == nil)
    }

    @Test func makesAFunctionOfEachCapability() throws {
        let tool =
            #"{"spec":{"capabilities":[{"method":"post","path":"/transfers/*"},{"method":"GET","path":"/x"}],"connection":{"baseUrl":"https://bank.test/"}}}"#
        let found = try variables(#"{"source_files":{"a.py":""}}"#, tool: tool)
        let expected =
            #"{"big-bank__post_transfers_":{"tool":"big-bank","method":"POST","path":"/transfers/"},"#
            + #""big-bank__get_x":{"tool":"big-bank","method":"GET","path":"/x"}}"#
        #expect(found["TOOL_ROUTES_JSON"] == expected)
        #expect(found["TOOL_DEFINITIONS_JSON"]?.contains(#""name":"big-bank__get_x""#) == true)
        let rewrites = #"{"https://bank.test":"http://127.0.0.1:8081/as/t/egress/big-bank"}"#
        #expect(found["TOOL_URL_REWRITES_JSON"] == rewrites)
    }
}
