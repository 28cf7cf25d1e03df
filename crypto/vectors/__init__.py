"""Known-answer files: JSON with ``what``, ``standard`` and ``cases``, each with ``id`` and ``result`` (valid, invalid, acceptable).

``run_file`` runs every case through the code that serves the product (SM9, ZUC, XTS and foreign curves through
``crypto.reference``).
"""

from crypto.vectors.runner import Outcome, Totals, run_file

__all__ = ["Outcome", "Totals", "run_file"]
