"""THE CORE: one learner, one lesson, one kernel. Executes a cell, judges it, records it.

The app and every headless command hold one Session and nothing else of the kernel.
`execute` yields outputs as they come and verdicts last; progress is on disk before a
verdict is yielded.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tutor import messages, verdicts, wire
from tutor.errors import KernelDiedError, TutorError, WireError
from tutor.graph.trace import Trace, TraceRequest
from tutor.kernel.base import Completion, Kernel, KernelOptions, KernelState
from tutor.kernel.outputs import Done, Failure, Output, Payload, Stream
from tutor.lesson.schema import CodeCell, ExerciseCell, Lesson, QuestionCell
from tutor.progress import LessonProgress, Progress
from tutor.training.run import Finished, Points
from tutor.training.spec import RaceSpec
from tutor.verdicts import Verdict
