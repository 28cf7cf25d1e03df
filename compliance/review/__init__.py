"""The auditor's part: comments, requests for evidence and their answers; and hand-out links to one report or one assessment."""
