"""Graded work: problems with one check for two places, and the grader's side, from hand-ins to the grade book.

- ``problem``: what is asked, and what counts as right; ``variant``: each student's own numbers
- ``local``: the check in the learner's notebook; ``judge``: the same check, outside the box that holds a student's code
- ``box``, ``worker``, ``wire``: the box, what runs inside, and the only thing that crosses its wall: values
- ``roster``, ``intake``: from downloads to clean notebooks; ``runs``: from these to marks in nbgrader's book
"""
