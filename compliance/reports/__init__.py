"""Reports about a system: typed documents first (material), and renderers that only read them.

oscal      catalogue, profile, system security plan, assessment plan and results, plan of action (OSCAL 1.2)
checklist  a workbook to fill in, and back
papers     self-assessment, gaps, remediation, summary for the board, protection work plan
package    evidence with a signed manifest
"""
