"""Images from a recipe: the same bytes whenever, wherever and on however many cores."""

from __future__ import annotations

import json

RECIPE = """\
recipe: 1
observations: [28229, 90006]
data: data
products: products
archive: [none]
engine: native
stages:
  rate_image: {bands: [broad]}
"""


def test_images_are_the_same_on_one_core_and_on_two_and_elsewhere(chandra_run, shared_data, tmp_path):
    digests = []
    for number, name in ((1, "here"), (2, "somewhere else")):
        project = tmp_path / name
        (project / "data").mkdir(parents=True)
        (project / "data/28229").symlink_to(shared_data / "real/28229")
        (project / "data/90006").symlink_to(shared_data / "sim/90006")
        (project / "recipe.yaml").write_text(RECIPE)
        answer = chandra_run(project / "recipe.yaml", "--cores", str(number), "--json")
        assert answer.code == 0, answer.err
        manifests = [project / f"products/{obsid}/rate_image/manifest.json" for obsid in (28229, 90006)]
        outputs = [output for path in manifests for output in json.loads(path.read_text())["outputs"]]
        digests.append({output["path"]: output["digest"] for output in outputs})
    assert digests[0] == digests[1]
    # Three exposures: image, exposure, rate and PSF map, each with its picture.
    assert len(digests[0]) == 3 * 4 * 2
    warnings = json.loads(manifests[0].read_text())["warnings"]
    assert any("the dither is rebuilt from the positions of the events" in warning for warning in warnings)
