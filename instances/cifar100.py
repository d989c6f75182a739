"""cifar100: CIFAR-100 as one-against-the-rest tasks, 100 fine or 20 coarse classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instances.images.cifar import read_cifar100_binary
from instances.images.class_tasks import LabelledImages
from instances.images.image_instance import ImageInstance
from instances.reading.published_files import Publisher
from instances.reading.training_info import training_info, with_tasks

_FINE = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel "
    "can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur "
    "dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion "
    "lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree "
    "pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea "
    "seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table "
    "tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman "
    "worm"
)
_COARSE = (
    "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices "
    "household_furniture insects large_carnivores large_man-made_outdoor_things "
    "large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals non-insect_invertebrates "
    "people reptiles small_mammals trees vehicles_1 vehicles_2"
)


class Cifar100(ImageInstance):
    """CIFAR-100: colour images of 32 × 32 pixels, 50000 for training and 10000 for testing.

    Looked for in the folder ``cifar-100-binary`` of a data folder, the publisher's binary version.

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.images.image_instance.ImageInstance`.
    coarse
        20 coarse classes rather than 100 fine ones.
    """

    info = training_info(
        "100 kinds of objects in images, one against the rest (CIFAR-100); needs the folder cifar-100-binary",
        _FINE.split(),
        default_budget=8.0,
        publisher=Publisher(origin="CIFAR-100, www.cs.toronto.edu/~kriz/cifar.html", licence="none stated"),
        note="6000 training and 2000 test images unless told otherwise",
    )
    title = "CIFAR-100"
    layouts = (("cifar-100-binary", "train.bin"),)
    ways = "The binary version is at www.cs.toronto.edu/~kriz/cifar.html."

    def __init__(
        self, name: str, data_dir: Path | None = None, *, coarse: bool = False, **options: Any
    ) -> None:
        self._coarse = coarse
        if coarse:
            self.info = with_tasks(self.info, _COARSE.split())
        super().__init__(name, data_dir, **options)

    def read(self) -> LabelledImages:
        """Return all images.

        Raises
        ------
        DataError
            If the files are absent or malformed.
        """
        return read_cifar100_binary(self.folder(), coarse=self._coarse)
