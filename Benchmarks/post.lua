-- wrk: POSTs the same JSON as the echo gets; the key and the path come from the environment.
wrk.method = "POST"
wrk.body = '{"type": "AGENT_MESSAGE", "actor": "billing", "data": {"message": "the invoice of last month is paid, the receipt follows by mail", "language": "en"}}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("SLUICE_API_KEY") or "")
