"""The process that runs the learner's code, seen from our side.

Empty of imports: Jupyter must stay out of the first frame.
"""
