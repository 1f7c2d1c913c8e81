"""Language models over the network: one way to call, retry, cancel and fail, and a wire form for each protocol."""
