"""The six lessons: what each step says, asks and answers, and where in the lab it is seen.

A step's link leads to the real page with its state set; names of runs are those of the bundled demonstration.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One step of a lesson; what the page calls so stands in *italics*.

    Attributes:
        says: one or two sentences.
        asks: a question to answer before looking.
        answer: shown when asked for.
        page: where it is seen, a name in `app.base.navigation.PAGES`.
        state: what the address of that page is given.
        does: what the link says.
    """

    says: str
    asks: str
    answer: str
    page: str
    state: dict[str, str] = field(default_factory=dict)
    does: str = "Do it for me"


@dataclass(frozen=True)
class Lesson:
    """A few steps about one idea.

    Attributes:
        title: as a question of the visitor's.
        idea: what is to be understood, in one sentence.
        steps: four to six.
    """

    title: str
    idea: str
    steps: tuple[Step, ...]


LESSONS: tuple[Lesson, ...] = (
    Lesson(
        "What is forgetting?",
        "A model that goes on learning with the same weights loses what it knew.",
        (
            Step(
                "One adapter learns five tasks, one after the other, and is scored on all of them after each.",
                "Where in the matrix does a task stand that was just learnt?",
                "On the diagonal: row and column are the same task. What lies below it was learnt longer ago.",
                "forgetting",
                {"run": "sequential"},
            ),
            Step(
                "Read a column downwards: that is one task, again and again.",
                "Which task lost most by the end?",
                "Look for the column whose last row is darkest against its diagonal; "
                "*Change since each task was learnt* shows the loss.",
                "forgetting",
                {"run": "sequential", "task": "1 restaurants"},
            ),
            Step(
                "Forgetting is a number: for each task the best it ever was less what it is now, averaged.",
                "Can forgetting be negative?",
                "Yes: where a later task helped an earlier one, which is then better than it ever was before.",
                "forgetting",
                {"run": "sequential", "lesson": "true"},
            ),
            Step(
                "Now the same tasks with one adapter for each.",
                "What happened to the columns?",
                "They stay nearly as they were: nothing that a later task trains belongs to an earlier one.",
                "forgetting",
                {"run": "adapters"},
            ),
        ),
    ),
    Lesson(
        "What does isolation cost?",
        "An adapter per task forgets nothing, if somebody says which task a sample is of.",
        (
            Step(
                "This run is told the true task of every sample: no router can choose better.",
                "Why is that no rival of the others?",
                "In practice nobody says. Whatever chooses adapters by itself can at best choose as well.",
                "routing",
                {"run": "adapters"},
            ),
            Step(
                "Here a router has to find out from the text alone.",
                "How far is it from the run that is told?",
                "Compare *Average accuracy*. Wrong routes and merging cost something; here DAM is ahead "
                "all the same, as each of its adapters starts from the last one, and those of the run that is told "
                "from nothing.",
                "forgetting",
                {"run": "dam"},
            ),
            Step(
                "Each adapter costs parameters.",
                "Do more tasks make inference slower?",
                "Hardly: a sample uses as many adapters as the router keeps, however many there are.",
                "compare",
                {"run": "dam"},
            ),
            Step(
                "An adapter can be left out after the fact.",
                "What becomes of a sample whose true-task adapter is gone?",
                "The next best moves up; the prediction may still be right, where tasks are similar.",
                "sample",
                {"run": "dam", "sample": "restaurants/test/9", "drop": "1 restaurants"},
            ),
        ),
    ),
    Lesson(
        "How does a centroid choose?",
        "A task is remembered by its centroid, the mean of its training features; a sample goes to the nearest one.",
        (
            Step(
                "The frozen backbone turns each text into a point; tasks are clouds.",
                "Which tasks overlap?",
                "Those that share a region of the map. Their samples will be confused most.",
                "map",
                {"run": "dam"},
            ),
            Step(
                "The *numbered ring* of each task is its centroid.",
                "Is the nearest on the map the nearest indeed?",
                "Not always: the map bends distances. *Cosine similarity of the tasks* has the exact numbers.",
                "map",
                {"run": "dam"},
            ),
            Step(
                "One sample, its cosines, and the two adapters that it gets.",
                "Why are the weights so different where the cosines are so similar?",
                "The softmax divides by a small temperature: 0.03 of cosine is a factor of 20 at 0.01.",
                "sample",
                {"run": "dam", "sample": "restaurants/test/147"},
            ),
            Step(
                "*True task and top-1 adapter* counts which adapter samples of each task got.",
                "Which confusion is the largest, and did the map show it?",
                "Look off the diagonal; the pair should be neighbours on the map.",
                "routing",
                {"run": "dam"},
            ),
        ),
    ),
    Lesson(
        "Why does merging forgive a wrong route?",
        "Half of the right adapter's weights is often enough.",
        (
            Step(
                "With k = 1 a sample gets one adapter, right or wrong.",
                "What happens to a wrong route?",
                "The right adapter has no say at all: this urgent-looking ticket is predicted wrongly.",
                "sample",
                {"run": "dam", "sample": "tickets/test/96", "k": "1"},
            ),
            Step(
                "With k = 2 the second best has a share.",
                "How often is the true task among the two best?",
                "*Top-2 recall* says; it is well above *Routing accuracy*.",
                "routing",
                {"run": "dam"},
            ),
            Step(
                "Merging means one adapter made of two, for this sample alone.",
                "Is that the same as averaging two predictions?",
                "No: the weights are averaged before the nonlinearity, and it costs one pass, not two.",
                "sample",
                {"run": "dam", "sample": "tickets/test/96", "k": "2", "lesson": "true"},
            ),
            Step(
                "Look at *Right predictions despite a wrong route*.",
                "Is the share above chance?",
                "Compare it with the classes: two labels are guessed rightly half of the time.",
                "routing",
                {"run": "dam"},
            ),
        ),
    ),
    Lesson(
        "Can routing be learnt?",
        "L2R keeps a few samples of each task and trains a small router in every block.",
        (
            Step(
                "No centroid: each block has a router of its own, read from its own hidden state.",
                "Do all blocks agree?",
                "Look at the rows: early blocks often have nearly uniform weights, later ones decide.",
                "sample",
                {"run": "l2r-wavg", "sample": "tickets/test/96"},
            ),
            Step(
                "The routers were trained at the end, on the memory of all tasks.",
                "What does that cost that a centroid does not?",
                "Samples must be kept, and every new task means training the routers again.",
                "forgetting",
                {"run": "l2r-wavg"},
            ),
            Step(
                "Each bar is the share that an adapter has of a sample's weights, which add up to 1.",
                "What does a gate for each adapter allow that a softmax does not?",
                "Several gates may be fully open, as sigmoids do not compete; the shares shown are the gates divided "
                "by their sum.",
                "routing",
                {"run": "l2r-wavg"},
            ),
            Step(
                "Side by side with DAM.",
                "Which one is ahead here, and is that sure?",
                "One seed says little: look for the badge, and run both with more seeds.",
                "compare",
                {"run": "dam"},
            ),
        ),
    ),
    Lesson(
        "On earlier tasks' shoulders",
        "I2I starts a new adapter from what the old ones, fused, make of the new task.",
        (
            Step(
                "First the old adapters are fused on the new task's samples.",
                "What moves in that phase?",
                "Only the fusion: which old adapter to listen to, at each site, for each token.",
                "train",
                {"run": "i2i-ff", "show": "New run", "recipe": "i2i-ff"},
            ),
            Step(
                "Then a fresh adapter learns to imitate the fused one, and the fusion is thrown away.",
                "Why not keep it?",
                "It grows with every task; the distilled adapter is as small as any other.",
                "forgetting",
                {"run": "i2i-ff"},
            ),
            Step(
                "Last the adapter is trained on the task, from there.",
                "What is knowledge transfer?",
                "How much better the task is learnt than by an adapter that started from nothing.",
                "forgetting",
                {"run": "i2i-ff", "lesson": "true"},
            ),
            Step(
                "Against plain adapters.",
                "When would you expect it to help most?",
                "Where the new task has few samples and is like an old one.",
                "compare",
                {"run": "dam"},
            ),
        ),
    ),
)
