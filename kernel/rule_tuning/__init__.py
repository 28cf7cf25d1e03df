"""What holds a rule's detections back: exceptions and switched-off rules, as workers read them (ARCHITECTURE, "rule states").

    Measure        an exception with its conditions, or a rule that is off
    TuningSource   the measures in force, out of a file that is replaced atomically
    Screen         applied by the pipeline to detections, never to events

An event that a measure matches is stored like any other: only the detection is dropped, and counted.
"""
