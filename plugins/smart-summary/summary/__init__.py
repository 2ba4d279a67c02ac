"""Extractive summaries of real text, in pure Python: no host, no network, no chance.

`summarize.summarize` is the way in; the other modules each do one step and know nothing of the next.
"""
