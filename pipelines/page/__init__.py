"""What people look at: the terminal report, charts, Markdown tables, the doctor's findings.

Everything here reads a published or finished warehouse, or the live registry; nothing changes them.
"""
