// EventStreaming
