"""Do the tests notice? Named mutations each fail their test; of those drawn by seed, survivors are explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.mutants import drawing
from tests.mutants.rooms import Mutation, Room, rooms
from tests.mutants.running import Copies, Job, Outcome

pytestmark = pytest.mark.soak

ROOMS = rooms()
SEED = 1
# Drawn in all, as evenly over the rooms as it goes.
DRAWN = 100

Done = Callable[[Job], Outcome]


def _share(number: int) -> int:
    """How many are drawn of the room with this number."""
    return DRAWN // len(ROOMS) + (number < DRAWN % len(ROOMS))


def _drawn(room: Room, mutation: Mutation) -> object:
    return pytest.param(Job(mutation, room.tests), room, id=f"{room.name}: {mutation}")


@pytest.fixture(scope="module")
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """Gives a job's outcome; all that this session asks for begin at the first, a copy of the repository a core."""
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    copies = Copies(tmp_path_factory.mktemp("mutants"))
    begun = copies.start(each["job"] for each in parameters if isinstance(each.get("job"), Job))
    yield lambda job: begun[job].result()
    copies.close()


@pytest.mark.parametrize("job", [pytest.param(Job(None, room.tests), id=room.name) for room in ROOMS])
def test_without_a_mutation_the_tests_pass(done: Done, job: Job) -> None:
    outcome = done(job)
    assert not outcome.noticed, outcome.said


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(Job(named.mutation, (named.test,)), id=f"{room.name}: {named.name}")
        for room in ROOMS
        for named in room.named
    ],
)
def test_a_named_mutation_fails_its_test(done: Done, job: Job) -> None:
    assert done(job).noticed, f"survives {job.tests[0]}: {job.mutation}"


@pytest.mark.parametrize(
    ("job", "room"),
    [
        _drawn(room, mutation)
        for number, room in enumerate(ROOMS)
        for mutation in drawing.drawn(room, SEED, _share(number))
    ],
)
def test_a_drawn_mutation_is_noticed_or_explained(done: Done, job: Job, room: Room) -> None:
    why, noticed = room.why(job.mutation), done(job).noticed
    if why is None:
        assert noticed, f"survives; write a test, or explain it in {room.name}.toml: {job.mutation}"
    else:
        print(f"survives, because {why}: {job.mutation}")
        assert not noticed, f"is noticed now; remove its explanation from {room.name}.toml: {job.mutation}"
