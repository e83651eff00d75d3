"""HTTP/1.x framing without sockets: heads are read strictly and rewritten, bodies are cut and re-
encoded.

Knows RFC 9110 and RFC 9112 and nothing of transports, time, observation or the process it runs in.
What leaves
here is canonical whatever came in: one framing field, no hop-by-hop field, no folded line, no bare
CR or LF.
"""
