"""Do the tests notice? Named mutations each fail their test; of those drawn by seed, survivors are explained."""

from __future__ import annotations

import pytest

from tests.mutants import drawing
from tests.mutants.rooms import Mutation, Named, Room, rooms
from tests.mutants.running import Copy

pytestmark = pytest.mark.soak

ROOMS = rooms()
SEED = 1
# Drawn in all, as evenly over the rooms as it goes.
DRAWN = 100
PER_ROOM = -(-DRAWN // len(ROOMS))


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("mutants") / "copy")


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_without_a_mutation_the_tests_pass(copy: Copy, room: Room) -> None:
    done = copy.run(room.tests)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "named", [pytest.param(named, id=f"{room.name}: {named.name}") for room in ROOMS for named in room.named]
)
def test_a_named_mutation_fails_its_test(copy: Copy, named: Named) -> None:
    assert copy.noticed(named.mutation, [named.test]), f"survives {named.test}: {named.mutation}"


@pytest.mark.parametrize(
    ("room", "mutation"),
    [
        pytest.param(room, mutation, id=f"{room.name}: {mutation}")
        for room in ROOMS
        for mutation in drawing.drawn(room, SEED, PER_ROOM)
    ],
)
def test_a_drawn_mutation_is_noticed_or_explained(copy: Copy, room: Room, mutation: Mutation) -> None:
    why = room.explained.get((mutation.line.strip(), mutation.becomes.strip()))
    noticed = copy.noticed(mutation, room.tests)
    if why is None:
        assert noticed, f"survives; write a test, or explain it in {room.name}.toml: {mutation}"
    else:
        print(f"survives, because {why}: {mutation}")
        assert not noticed, f"is noticed now; remove its explanation from {room.name}.toml: {mutation}"
