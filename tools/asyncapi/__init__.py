"""The AsyncAPI document and the page of telegrams, made from the code and from SPEC.md.

Types, ranges and defaults come from the code that enforces them; sentences come from SPEC.md, which
tests hold against the code. Nothing about the protocol is written here a second time.
"""
