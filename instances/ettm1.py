"""ettm1: seven electricity transformer series, every group trained, published with MTG-Net."""

from __future__ import annotations

from typing import ClassVar

from instances.reading.mtgnet_gains import MTGNET, MtgNetInstance, mtgnet_info

_TASKS = "The order of the series is that of the public data; the publisher of the gains does not state it."


class ETTm1(MtgNetInstance):
    """ETTm1 forecasting with Autoformer: all 127 groups of seven series."""

    info = mtgnet_info(
        "7 forecasting tasks on ETTm1, all 127 groups trained",
        ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"),
        n_groups=127,
        predicted=127,
        note=f"{_TASKS} The tag gains are as published: ratios of losses over a whole epoch, of order ±100.",
    )
    tasks_note = _TASKS
    membership = MTGNET.file(
        "ETT/ETTm1_x.csv", "9052940dc815ff6487a69893396d8239cb86ee4635fc5e8fad7c14582b5c8aa3"
    )
    predictions = "ettm1.npz"
    files: ClassVar = {
        ("measured", "valid"): MTGNET.file(
            "ETT/ETTm1_val_y.csv", "9930a438f5c2a03476e479cc3f3772d139ecbb69b43641d0074be0961c82467b"
        ),
        ("measured", "test"): MTGNET.file(
            "ETT/ETTm1_y.csv", "91a2ec22bd8470f24034a6719dceacc63520371fa470f1ad4b6bdca29e708cea"
        ),
        ("hoa", "valid"): MTGNET.file(
            "ETT/ETTm1_HOA.csv", "17ac57b78dd270922cf99ecbda29f80a29e470b15afe3ceb5943642841e5bfde"
        ),
        ("tag", "valid"): MTGNET.file(
            "ETT/ETTm1_TAG_HOA.csv", "a07635ede5b7d077955487c12427445e621e92bd3d6cc146277d51f909accc3b"
        ),
    }
