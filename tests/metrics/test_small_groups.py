"""What leaders may see: nobody can be singled out, not even by subtracting."""

from __future__ import annotations

from datetime import UTC, datetime

from integration.metrics.figures import PodFigures, ProgramFigures
from integration.metrics.participation import frequency, participation
from integration.metrics.satisfaction import satisfaction
from integration.metrics.small_groups import in_words, may_publish_again, published_mean, shown

AT = datetime(2026, 3, 9, tzinfo=UTC)


def pod(pod_id: int, people: int, *, held: int = 1, not_held: int = 0, unknown: int = 0) -> PodFigures:
    return PodFigures(pod_id, f"Pod {pod_id}", people, participation([]), held, not_held, unknown, None)


def program(*pods: PodFigures) -> ProgramFigures:
    people = sum(pod.people for pod in pods)
    return ProgramFigures(
        "Pilot", AT, people, participation([]), frequency([]), None, satisfaction([], asked=0), pods
    )


def test_pods_of_four_are_never_shown_as_figures_and_their_program_is() -> None:
    assert shown(program(pod(1, 4), pod(2, 4)), k=5).program_shown
    assert shown(program(pod(1, 4), pod(2, 4)), k=5).pods_shown == frozenset()


def test_a_program_of_four_people_shows_no_rate_at_all() -> None:
    assert not shown(program(pod(1, 4)), k=5).program_shown


def test_the_small_pod_cannot_be_computed_by_subtracting_the_large_ones() -> None:
    # 6 + 7 + 3: showing both large pods beside the program would tell the rate of the three.
    assert shown(program(pod(1, 6), pod(2, 7), pod(3, 3)), k=5).pods_shown == {2}


def test_two_small_pods_together_may_be_left_over() -> None:
    assert shown(program(pod(1, 6), pod(2, 3), pod(3, 3)), k=5).pods_shown == {1}


def test_a_small_pod_appears_in_words() -> None:
    assert in_words(pod(1, 4)) == "meets"
    assert in_words(pod(1, 4, held=0, not_held=2)) == "has not met"
    assert in_words(pod(1, 4, held=0, unknown=2)) == "not known whether it meets"


def test_a_mean_is_shown_in_halves_to_no_small_group_and_never_when_all_agree() -> None:
    answers = [(person, score) for person, score in enumerate((5, 4, 4, 5, 3))]
    assert published_mean(satisfaction(answers, asked=6), k=5) == 4.0
    assert published_mean(satisfaction(answers[:4], asked=6), k=5) is None
    assert published_mean(satisfaction([(person, 5) for person in range(6)], asked=6), k=5) is None


def test_one_eager_person_answering_five_times_is_no_group() -> None:
    assert published_mean(satisfaction([(1, score) for score in (1, 2, 3, 4, 5)], asked=5), k=5) is None


def test_published_feedback_waits_for_answers_of_five_more_people() -> None:
    assert not may_publish_again(people_with_new_answers=4, k=5)
    assert may_publish_again(people_with_new_answers=5, k=5)
