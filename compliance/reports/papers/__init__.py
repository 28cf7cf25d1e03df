"""Reports to read and print, as documents of operations.documents (PDF, DOCX). Pure: everything comes from the material."""

from compliance.reports.papers.kinds import PAPERS, paper

__all__ = ["PAPERS", "paper"]
