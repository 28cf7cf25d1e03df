"""Documents for people outside of the console: one model, written as PDF (typst) and as DOCX (python-docx).

Bulletins, incident reports and duty reports build a :class:`Document` and know nothing of files; nothing in a text is ever taken as
markup, so what an attacker wrote into a log line stays text.
"""

from operations.documents.docx import docx
from operations.documents.model import Bar, Bars, Block, Bullets, Document, Facts, Heading, Paragraph, Table
from operations.documents.pdf import pdf

__all__ = ["Bar", "Bars", "Block", "Bullets", "Document", "Facts", "Heading", "Paragraph", "Table", "docx", "pdf"]
