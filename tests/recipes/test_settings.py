"""Settings by their flat names, recipes, and the messages of their mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cl_core.errors import Faults, UserError
from cl_core.recipes.named import RECIPES, load_recipe
from cl_core.recipes.recipe import SLOTS, Recipe
from cl_core.recipes.settings import GROUPS, flat_names, make_settings, parse_assignments
from cl_core.settings import Settings, descriptions


def test_every_setting_has_a_name_of_its_own() -> None:
    names = flat_names()
    assert {
        "epochs",
        "limit",
        "k",
        "temperature",
        "backbone",
        "reduction",
        "head_rule",
    } <= names.keys()


def test_every_setting_says_what_it_means_in_lists_and_in_schemas() -> None:
    for group, model in GROUPS.items():
        described = descriptions(model)
        assert described.keys() == model.model_fields.keys(), group
        assert all(described.values()), group
        properties = model.model_json_schema()["properties"]
        assert {name: said["description"] for name, said in properties.items()} == described


def test_what_a_field_means_is_the_text_under_it_also_where_it_is_inherited() -> None:
    class Base(Settings):
        first: int = 0
        """One
        line."""
        silent: int = 0
        both: int = 0
        """Of the base."""

    class Derived(Base):
        both: int = 1
        """Of its own."""
        """Of nothing."""
        last: int = 0
        """Last."""

    assert descriptions(Derived) == {"first": "One\nline.", "both": "Of its own.", "last": "Last."}
    assert descriptions(Base)["both"] == "Of the base."
    by_hand = type("ByHand", (Base,), {})
    assert descriptions(by_hand) == descriptions(Base)


def test_later_layers_win_over_earlier_ones_and_all_over_the_preset() -> None:
    settings = make_settings({"epochs": 7, "k": 3}, {"k": 1}, preset="dam-published")
    assert (settings.train.epochs, settings.router.k, settings.train.learning_rate) == (7, 1, 5e-5)


def test_dotted_names_mean_the_same() -> None:
    assert make_settings({"train.epochs": 2}) == make_settings({"epochs": 2})


def test_all_mistakes_are_told_at_once_with_the_closest_known_name() -> None:
    with pytest.raises(Faults) as error:
        make_settings({"epoch": 2, "k": 0, "router.epochs": 1})
    message = str(error.value)
    assert "there is no setting 'epoch'. Did you mean 'epochs'?" in message
    assert "k=0" in message
    assert "there is no setting 'router.epochs'" in message


def test_values_are_read_as_yaml() -> None:
    values = parse_assignments(["epochs=1", "clip=null", "weights=[0.5, 0.5]", "sites=pfeiffer"])
    assert values == {"epochs": 1, "clip": None, "weights": [0.5, 0.5], "sites": "pfeiffer"}


def test_names_of_tasks_are_typed_side_by_side_or_as_a_list() -> None:
    for typed in ("hold_out=films, books", "hold_out=[films, books]"):
        assert make_settings(parse_assignments([typed])).data.hold_out == ("films", "books")
    assert make_settings(parse_assignments(["hold_out=films"])).data.hold_out == ("films",)


def test_an_assignment_without_a_value_is_a_mistake() -> None:
    with pytest.raises(Faults, match="name=value"):
        parse_assignments(["epochs"])


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_every_recipe_of_the_table_can_work_and_its_settings_exist(recipe: Recipe) -> None:
    recipe.check()
    make_settings(recipe.settings)


def test_dam_is_what_the_paper_says() -> None:
    dam = RECIPES["dam"]
    assert [getattr(dam, slot) for slot in SLOTS] == ["previous", "isolated", "centroid", "merge"]
    settings = make_settings(dam.settings)
    assert (settings.router.k, settings.router.temperature, settings.router.layer) == (2, 0.01, -4)


def test_a_slot_can_be_exchanged_and_the_name_says_so() -> None:
    recipe = load_recipe("dam", route="oracle", compose=None)
    assert recipe.route == "oracle"
    assert recipe.name == "dam+route=oracle"


def test_a_recipe_is_a_yaml_file_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("initialise: random\ntrain: isolated\nroute: centroid\ncompose: average\n")
    recipe = load_recipe(str(file))
    assert (recipe.name, recipe.compose) == ("mine", "average")


def test_a_mix_that_cannot_work_is_refused_with_every_reason() -> None:
    with pytest.raises(Faults) as error:
        load_recipe("sequential", initialise="random", route="centroid")
    assert len(error.value.faults) == 2
    assert "keeps one adapter" in str(error.value)


def test_an_unknown_recipe_or_choice_is_named_with_the_closest_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'dam'"):
        load_recipe("damm")
    with pytest.raises(Faults, match="Did you mean 'centroid'"):
        load_recipe("dam", route="centroids")
    file = tmp_path / "bad.yaml"
    file.write_text("initialise: random\nrouter: centroid\n")
    with pytest.raises(UserError, match="router"):
        load_recipe(str(file))


@pytest.mark.parametrize("setting", ["epochs", "k", "patience", "layer", "limit", "temperature"])
def test_true_is_no_number(setting: str) -> None:
    for value in ("true", "false"):
        with pytest.raises(Faults, match=rf"{setting}={value}: Input should be a valid"):
            make_settings(parse_assignments([f"{setting}={value}"]))


def test_true_is_no_number_in_a_list_either() -> None:
    assert make_settings({"weights": [1, 0.5]}).router.weights == (1.0, 0.5)
    with pytest.raises(Faults, match=r"weights.*valid number"):
        make_settings({"weights": [True, 0.5]})


def test_true_is_taken_where_it_is_asked_for_and_numbers_as_before() -> None:
    settings = make_settings(parse_assignments(["masked=true", "clip_changes=false", "epochs=1"]))
    assert settings.backbone.masked is True
    assert settings.backbone.clip_changes is False
    assert settings.train.epochs == 1
    assert make_settings({"epochs": 2.0}).train.epochs == 2


def test_a_recipe_file_with_other_fields_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("initialise: random\ntrain: isolated\nrouter: oracle\ncompose: [select]\n")
    with pytest.raises(Faults) as caught:
        load_recipe(str(file))
    said = str(caught.value)
    assert f"recipe file '{file}': 3 faults" in said
    assert "it lacks 'route'; choose one of centroid" in said
    assert "'router' is no field of a recipe. Did you mean 'route'? Allowed: name, summary" in said
    assert "compose=['select']: Input should be a valid string" in said
    assert "pydantic" not in said
    file.write_text("1: 2\n")
    with pytest.raises(Faults, match=r"'1'|1=|lacks"):
        load_recipe(str(file))
