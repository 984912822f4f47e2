"""What people look at: the page to send round (`html`), the terminal report, charts, findings.

Everything here reads a published or finished warehouse, or the live registry; nothing changes them.
"""
